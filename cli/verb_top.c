/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `top`: on a terminal the whole screen, else plain text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/top_batch.h"
#include "cli/top_live.h"
#include "cli/verb.h"
#include "cli/view.h"

/* A line to print on leaving; `make run` says there that the daemon runs on. */
#define NOTE_ENV "PYPROF_TOP_NOTE"

static int order_parse(const char *name, struct view_order *ret_order)
{
	const struct view *view = &view_processes;
	struct failure failure;

	*ret_order = view->order;
	if (!name)
		return 0;
	ret_order->column = view_grid_named(view->columns, view->width, name);
	if (ret_order->column < view->width)
		return 0;
	failure_set(&failure, API_USAGE, "no column to sort by: %s", name);
	snprintf(failure.remedy, sizeof(failure.remedy),
		 "pid unit cpu py nat sys gil thr rss hot user command");
	return failure_print(&failure);
}

/* A terminal on which the cursor can be moved. */
static bool terminal_able(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	       !(term && strcmp(term, "dumb") == 0);
}

int verb_top(const struct options *options)
{
	bool terminal = terminal_able();
	const char *note = getenv(NOTE_ENV);
	struct view_order order;
	int r = order_parse(options->sort, &order);

	if (r)
		return r;
	if (terminal && !options->batch && !options->json && !options->iterations)
		r = top_live_run(options, &order);
	else
		r = top_batch_run(options, &order,
				  options->iterations ? options->iterations
						      : !terminal || options->json);
	if (note && *note)
		fprintf(stderr, "%s\n", note);
	return r;
}
