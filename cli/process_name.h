/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One word for a process. */
#ifndef PYPROF_CLI_PROCESS_NAME_H
#define PYPROF_CLI_PROCESS_NAME_H

#include <jansson.h>
#include <stddef.h>

/* Its unit where that says what it is, else its container, else what it runs. */
void process_name(const json_t *process, char *out, size_t size);

#endif
