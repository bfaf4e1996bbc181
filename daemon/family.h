/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Families: a program and what was forked of it share their code objects, at the same addresses.
 * Which families have a living process, and where the interpreter lies in it. Used by discover.
 */
#ifndef PYPROF_DAEMON_FAMILY_H
#define PYPROF_DAEMON_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/target/python.h"

struct families;

struct families *families_new(void);
void families_free(struct families *families);
/* One more process; python: of the first. Out of memory: as if it had not joined. */
void families_join(struct families *families, uint64_t id, const struct python *python);
/* True when the last one left. */
bool families_leave(struct families *families, uint64_t id);
/* Of a family with a living process, until the next join or leave; else NULL. */
const struct python *families_python(const struct families *families, uint64_t id);

#endif
