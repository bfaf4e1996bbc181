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
struct code; /* immutable; lives until its family is dropped (frames hold the names on their own) */

struct codes *codes_new(size_t limit_bytes);
void codes_free(struct codes *codes);

/*
 * Adds what a code record says (bounds checked against size). python: the process that met it, if
 * it lives, else NULL. From its memory come the module and, if the checksum still fits, what the
 * record lacks. Else what is missing shows as "…". 0; -EEXIST known already; -EBADMSG; -ENOSPC over
 * the limit (counted); -ENOMEM.
 */
int codes_add(struct codes *codes, const struct python *python, const struct code_record *record,
	      size_t size);
/* Reads a code object that no record described from a live process; verifies the checksum before
 * and after. 0; -ESTALE when the object is another one now, -ESRCH, -EPERM; else as codes_add(). */
int codes_fetch(struct codes *codes, const struct py_layout *layout, pid_t pid,
		const struct code_key *key);
const struct code *codes_find(struct codes *codes, uint64_t family, uint64_t address,
			      uint32_t checksum);
bool codes_has_family(const struct codes *codes, uint64_t family);
/* dropped is told each key (it may be NULL): the kernel side must describe the object again. */
void codes_drop_family(struct codes *codes, uint64_t family,
		       void (*dropped)(void *data, const struct code_key *key), void *data);
size_t
codes_bytes(const struct codes *codes); /* all names included, also those that only frames hold */
size_t codes_count(const struct codes *codes);
uint64_t codes_refused(const struct codes *codes); /* over the limit, since the start */

/* UTF-8, interned in symbol/strings.h: equal strings are the same pointer, valid as long as the
 * code; strings_ref() keeps one longer. */
const char *code_function(const struct code *code); /* qualified on 3.11+ */
const char *code_file(const struct code *code);
/* Of the globals with which it ran when it was met; NULL = not known: the process had ended, or
 * no record described it. */
const char *code_module(const struct code *code);
int code_first_line(const struct code *code);
/* Line of an instruction (FRAME_ENTRY ignored); 0 = the table gives none, or its tail is missing;
 * first line for FRAME_LASTI_NONE. */
int code_line(const struct code *code, uint32_t lasti);

/* The checksum that the kernel side computes of a code object's head (co_span bytes). */
uint32_t code_checksum(const struct py_layout *layout, const uint8_t *head);

#endif
