/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `top`: on a terminal the whole screen, else plain text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/top_batch.h"
#include "cli/top_live.h"
#include "cli/verb.h"
#include "cli/view.h"

/* A line to print on leaving; `make run` says there that the daemon runs on. */
#define NOTE_ENV "PYPROF_TOP_NOTE"

/* The title without "%", case ignored: "cpu", "rss", "unit". */
static bool column_named(const struct view_column *column, const char *name)
{
	size_t size = strcspn(column->title, "% ");

	return column->sort != VIEW_SORT_NONE && strlen(name) == size &&
	       strncasecmp(column->title, name, size) == 0;
}

static int order_parse(const char *name, struct view_order *ret_order)
{
	const struct view *view = &view_processes;
	struct failure failure;

	/* From the right: "py" is the share, not the version, and "hot" its percentage. */
	for (size_t i = view->width; name && i-- > 0;)
		if (column_named(&view->columns[i], name)) {
			*ret_order = (struct view_order){.column = i, .sorted = true};
			return 0;
		}
	if (!name) {
		*ret_order = view->order;
		return 0;
	}
	failure_set(&failure, API_USAGE, "no column to sort by: %s", name);
	snprintf(failure.remedy, sizeof(failure.remedy),
		 "pid unit cpu py nat sys gil thr rss hot user command");
	return failure_print(&failure);
}

int verb_top(const struct options *options)
{
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
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
