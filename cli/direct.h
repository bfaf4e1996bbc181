/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What can be had with no daemon and no BPF: which Pythons run, and their stacks, read here with
 * the caller's own rights.
 *
 * direct_stacks() stands apart in direct.c: the daemon's JSON writer and jansson both call things
 * json_object() and cannot meet in one file.
 */
#ifndef PYPROF_CLI_DIRECT_H
#define PYPROF_CLI_DIRECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/failure.h"
#include "daemon/base/text.h"

/* Appends the `dump` document of one process. 0, or -errno with *ret_failure filled. */
int direct_stacks(pid_t pid, bool locals, struct text *ret_document, struct failure *ret_failure);

#endif
