/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Instruction offset → line, for the three line-table formats of CPython 3.6–3.15. Pure; bytes are
 * hostile. */
#ifndef PYPROF_DAEMON_SYMBOL_LINETABLE_H
#define PYPROF_DAEMON_SYMBOL_LINETABLE_H

#include <stddef.h>
#include <stdint.h>

/* version: PY_VERSION_HEX. lasti: byte offset, caches included. Returns the line, or 0 when the
 * table gives none. */
int linetable_line(uint32_t version, const uint8_t *table, size_t size, int first_line,
		   uint32_t lasti);

/*
 * Bytes of code that a table speaks of. Of a table whose tail is missing only offsets below this
 * are known: before 3.10 linetable_line() gives the last line for all that follow.
 */
uint64_t linetable_covered(uint32_t version, const uint8_t *table, size_t size);

#endif
