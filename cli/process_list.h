/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a process looks in lists and headings: from an object of processes[]. */
#ifndef PYPROF_CLI_PROCESS_LIST_H
#define PYPROF_CLI_PROCESS_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "daemon/base/text.h"

/* "python3 app.py --port 80"; "[comm]" of one without; not yet safe for a terminal. */
void process_list_command(struct text *out, const json_t *process);
/* Unit, container, or "-". */
const char *process_list_unit(const json_t *process);
/* Live ones: PID UNIT PYTHON USER THR CPU% RSS COMMAND. 0 or -errno. */
int process_list_print(const json_t *processes, FILE *out, bool colored);
/* Ended ones: PID UNIT PYTHON USER SAMPLES ENDED LIVED COMMAND. */
int process_list_print_ended(const json_t *processes, FILE *out, bool colored);

#endif
