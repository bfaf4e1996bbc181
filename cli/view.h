/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The views of `top`: each asks one route of the daemon and fills a grid from its answer. One view
 * a file; adding one touches its file, this list and the keys that open it.
 */
#ifndef PYPROF_CLI_VIEW_H
#define PYPROF_CLI_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/top_tags.h"
#include "cli/view_grid.h"

/* What a view looks at. */
struct view_target {
	int64_t pid;
	int64_t pids[TOP_TAGS_MAX]; /* more than one: all of these, `pid` is the first */
	size_t npids;
	int64_t tid;                   /* of the thread to show; 0: all */
	uint64_t function;             /* view_json_function_id() */
	const char *user;              /* show this user's processes only; NULL or "": all */
	const struct options *options; /* selectors; may be NULL */
	unsigned window;               /* seconds to look back; 0: the daemon's choice */
	const struct top_tags *tags;   /* marked processes; may be NULL */
	bool trend;                    /* show where CPU shares go */
};

struct view {
	const char *title;
	const char *nothing; /* the line instead of rows where there are none */
	const struct view_column *columns;
	size_t width;
	struct view_order order; /* to begin with */
	bool still;              /* asked once, not at every refresh */
	bool scroll;             /* text to read: no row is chosen */
	bool single;             /* its route answers for one process: several are asked in turn */
	/* Route and query; NULL: needs no document. */
	void (*path)(const struct view_target *target, struct text *path);
	void (*fill)(struct view_grid *grid, const json_t *document,
		     const struct view_target *target);
};

#define VIEW_PROCESSES_NAME 1 /* the column that names a process beside its pid */

extern const struct view view_processes;
extern const struct view view_functions;
extern const struct view view_callers;
extern const struct view view_lines;
extern const struct view view_threads;
extern const struct view view_dump;
extern const struct view view_events;
extern const struct view view_help;

/* Adds the processes of a target to a query. */
void view_target_query(const struct view_target *target, struct text *path);

#endif
