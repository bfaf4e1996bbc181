/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes a verb is about: the selectors, else the only Python process, else a choice. */
#ifndef PYPROF_CLI_SELECT_H
#define PYPROF_CLI_SELECT_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/client.h"
#include "cli/options.h"

/*
 * 0 with the pids (free them), at least one; or the exit code after the line on stderr. Pids that
 * were asked by number alone are not looked up: the daemon answers for them.
 */
int select_pids(struct client *client, const struct options *options, pid_t **ret_pids,
		size_t *ret_count);
/* Adds the selectors to a path as they were given (a unit's later processes then belong to it), or
 * the pid of the one process. 0 or the exit code. */
int select_query(struct client *client, const struct options *options, struct text *path);
/* select_pids(), from a list of processes as /v1/processes gives it. */
int select_from(const json_t *processes, const struct options *options, pid_t **ret_pids,
		size_t *ret_count);

#endif
