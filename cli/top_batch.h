/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `top` as plain text, for pipes, files and no terminal. */
#ifndef PYPROF_CLI_TOP_BATCH_H
#define PYPROF_CLI_TOP_BATCH_H

#include "cli/options.h"
#include "cli/view_grid.h"

/* Prints `iterations` pictures (0: without end) of rows in this order. Returns the exit code. */
int top_batch_run(const struct options *options, const struct view_order *order,
		  unsigned iterations);

#endif
