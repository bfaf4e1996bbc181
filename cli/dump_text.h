/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The `dump` document as text: process, threads, frames leaf first. Pure. */
#ifndef PYPROF_CLI_DUMP_TEXT_H
#define PYPROF_CLI_DUMP_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/base/text.h"

/* Appends one object of processes[]; safe for a terminal. `cmdline`: of the process, NULL when not
 * known. */
void dump_text(struct text *out, const json_t *process, const char *cmdline, bool colored);

#endif
