/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Several processes as one: the workers of a service run the same code. */
#ifndef PYPROF_CLI_VIEW_MERGE_H
#define PYPROF_CLI_VIEW_MERGE_H

#include "cli/view.h"

/*
 * The functions of all processes of a target, as in the `functions` document: those with the same
 * name, file and line are one, their times and shares (of one core) added up. A new reference, or
 * NULL.
 */
json_t *view_merge_functions(const json_t *document, const struct view_target *target);

#endif
