/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Code objects by (family, address, checksum): decode → [code] → names and lines. Filled from code
 * records, completed from the process's memory where a record was partial, kept while a process of
 * the family or a profile needs it.
 */
#ifndef PYPROF_DAEMON_SYMBOL_CODE_H
#define PYPROF_DAEMON_SYMBOL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/target/python.h"

struct codes;
struct code; /* immutable; lives until its family is dropped and no frame name refers to it */

struct codes *codes_new(size_t limit_bytes);
void codes_free(struct codes *codes);

/* Adds what a code record says (bounds checked against size). 0; -EEXIST known already; -EBADMSG;
 * -ENOSPC over the limit (counted). */
int codes_add(struct codes *codes, const struct code_record *record, size_t size);
/* Reads a code object that no record described from a live process; verifies the checksum first. 0,
 * -ESTALE when the object is another one now, -ESRCH. */
int codes_fetch(struct codes *codes, const struct py_layout *layout, pid_t pid,
		const struct code_key *key);
const struct code *codes_find(struct codes *codes, uint64_t family, uint64_t address,
			      uint32_t checksum);
void codes_drop_family(struct codes *codes, uint64_t family);
size_t codes_bytes(const struct codes *codes);
size_t codes_count(const struct codes *codes);

/* UTF-8, interned: equal strings are the same pointer, valid as long as the codes table. */
const char *code_function(const struct code *code); /* qualified on 3.11+ */
const char *code_file(const struct code *code);
int code_first_line(const struct code *code);
/* Line of an instruction; 0 = the table gives none; first line for FRAME_LASTI_NONE. */
int code_line(const struct code *code, uint32_t lasti);

/* The checksum that the kernel side computes of a code object's head (co_span bytes). */
uint32_t code_checksum(const struct py_layout *layout, const uint8_t *head);

#endif
