/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What views need of the daemon's documents beyond field.h. */
#ifndef PYPROF_CLI_VIEW_JSON_H
#define PYPROF_CLI_VIEW_JSON_H

#include <jansson.h>
#include <stdint.h>

/* NAN: not known. */
double view_json_number(const json_t *object, const char *key);
/* The member of processes[] with this pid; the first one where pid is 0; NULL: none. */
const json_t *view_json_process(const json_t *document, int64_t pid);
/* Identity of a function over refreshes: its name, file and line. Never 0. */
uint64_t view_json_function_id(const json_t *function);

#endif
