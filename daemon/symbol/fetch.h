/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads one code object from the memory of a live process, for codes_fetch(). The target runs on:
 * whether it was the same object throughout is told by its checksum, before and after. */
#ifndef PYPROF_DAEMON_SYMBOL_FETCH_H
#define PYPROF_DAEMON_SYMBOL_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/config.h"

#define FETCH_STRING_MAX 4096     /* PATH_MAX; a longer name is cut */
#define FETCH_TABLE_MAX (1 << 20) /* the standard library's longest has some 20 KiB */

/* Characters as they lie in memory, kind bytes each (1, 2, 4); partial: more than that, or unread.
 */
struct fetch_string {
	const uint8_t *bytes;
	size_t size;
	unsigned kind;
	bool partial;
};

struct fetch_code {
	struct fetch_string file, name;
	const uint8_t *table;
	size_t table_size;
	bool table_partial;
	uint32_t version;
	int first_line;
	uint8_t *buffers[3]; /* owned: what the pointers above lead to */
};

/* 0; -ESTALE no code object of that checksum lies there; -ESRCH; -EPERM; -ENOMEM;
 * -EBUSY: its memory does not answer for now. */
int fetch_code(const struct py_layout *layout, pid_t pid, uint64_t address, uint32_t checksum,
	       struct fetch_code *ret_code);
/* What checksum_code() gives of a head of co_span bytes. */
uint32_t fetch_checksum(const struct py_layout *layout, const uint8_t *head);
void fetch_done(struct fetch_code *code);

#endif
