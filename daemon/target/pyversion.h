/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The version of a CPython whose file exports none (before 3.11, or hidden): the strings that every
 * build has among its constants. PY_VERSION ("3.9.2") alone could be another library's, SQLite's
 * say; so the minor version comes from the library folder ("python3.9").
 */
#ifndef PYPROF_DAEMON_TARGET_PYVERSION_H
#define PYPROF_DAEMON_TARGET_PYVERSION_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/target/elf.h"

#define PYVERSION_MICRO_UNKNOWN 0xff

/*
 * PY_VERSION_HEX; level and micro are 0 and PYVERSION_MICRO_UNKNOWN where they cannot be told; 0
 * when even the minor version is not clear. `hint`: a version known to about the minor, or 0.
 */
uint32_t pyversion_find(const struct elf *elf, uint32_t hint);

/* Pure: a whole string such as "3.9.2", "3.7.0b5+" or "2.7.18"; 0 when it is none. */
uint32_t pyversion_parse(const char *text);

#endif
