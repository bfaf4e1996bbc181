/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Python processes of this host as /proc shows them to the caller, for `dump` and `doctor`
 * without a daemon. */
#ifndef PYPROF_CLI_LOCAL_H
#define PYPROF_CLI_LOCAL_H

#include <jansson.h>

#include "cli/options.h"

/*
 * A new array of objects as in the `ps` document: those that the selectors take, or all without
 * any. Processes that may not be looked at are counted in *ret_hidden (may be NULL). NULL when out
 * of memory.
 */
json_t *local_processes(const struct options *options, unsigned *ret_hidden);
/* "python3 app.py" of a live process, NULL when unknown; the caller frees. */
char *local_cmdline(pid_t pid);

#endif
