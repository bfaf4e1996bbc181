/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The threads of a process: what each does at this moment. */
#include "cli/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "cli/view_number.h"
#include "daemon/api.h"

enum column { TID, NAME, STATE, GIL, SYSCALL, NOW, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [TID] = {.title = "TID", .min = 5, .max = 10, .right = true, .sort = VIEW_SORT_RISING},
    [NAME] = {.title = "NAME", .min = 10, .max = 24, .cut = true, .sort = VIEW_SORT_TEXT},
    [STATE] = {.title = "STATE", .min = 8, .max = 8, .drop = 1, .sort = VIEW_SORT_TEXT},
    [GIL] = {.title = "GIL", .min = 6, .max = 8, .drop = 3, .sort = VIEW_SORT_TEXT},
    [SYSCALL] =
	{.title = "SYSCALL", .min = 9, .max = 18, .drop = 2, .cut = true, .sort = VIEW_SORT_TEXT},
    [NOW] = {.title = "NOW", .min = 20, .sort = VIEW_SORT_TEXT},
};

static void threads_path(const struct view_target *target, struct text *path)
{
	text_printf(path, API_ROUTE_PROCESSES "/%" PRId64 "/stacks", target->pid);
}

static enum view_style state_style(const char *state)
{
	if (state && strcmp(state, "running") == 0)
		return VIEW_PYTHON;
	return state && strcmp(state, "waiting") == 0 ? VIEW_DIM : VIEW_PLAIN;
}

static void fill_now(struct view_grid *grid, const json_t *thread)
{
	const json_t *leaf = json_array_get(json_object_get(thread, "frames"), 0);
	const char *error = field_string(thread, "error");
	const char *name = field_string(leaf, "function");

	if (leaf)
		view_grid_place(grid, NOW, VIEW_PLAIN, name ? name : "(no name)",
				field_string(leaf, "file"), field_int_or(leaf, "line", 0));
	else
		view_grid_text(grid, NOW, VIEW_DIM, error ? error : "no Python on this thread");
}

static void fill_thread(struct view_grid *grid, const json_t *thread)
{
	const char *python_name = field_string(thread, "python_name");
	const char *state = field_string(thread, "state"), *gil = field_string(thread, "gil");
	const char *syscall = field_string(thread, "syscall");
	int64_t tid = field_int_or(thread, "tid", 0);
	char text[VIEW_NUMBER_MAX];

	if (!view_grid_row(grid, (uint64_t)tid))
		return;
	snprintf(text, sizeof(text), "%" PRId64, tid);
	view_grid_number(grid, TID, VIEW_PLAIN, text, (double)tid);
	view_grid_text(grid, NAME, VIEW_PLAIN,
		       python_name && *python_name ? python_name : field_string(thread, "name"));
	view_grid_text(grid, STATE, state_style(state), state);
	view_grid_text(grid, GIL, gil && strcmp(gil, "held") == 0 ? VIEW_BOLD : VIEW_DIM, gil);
	view_grid_text(grid, SYSCALL, VIEW_PLAIN,
		       syscall                             ? syscall
		       : state && strcmp(state, "waiting") ? ""
							   : NULL);
	fill_now(grid, thread);
}

static void fill_process(struct view_grid *grid, const json_t *process, bool several)
{
	const json_t *threads = json_object_get(process, "threads"), *thread;
	char title[48];
	size_t i;

	if (!process)
		return;
	snprintf(title, sizeof(title), "Process %" PRId64, field_int_or(process, "pid", 0));
	if (several)
		view_grid_heading(grid, 0, VIEW_TITLE, title);
	json_array_foreach((json_t *)threads, i, thread) fill_thread(grid, thread);
}

static void threads_fill(struct view_grid *grid, const json_t *document,
			 const struct view_target *target)
{
	if (target->npids < 2)
		fill_process(grid, view_json_process(document, target->pid), false);
	else
		for (size_t i = 0; i < target->npids; i++)
			fill_process(grid, view_json_process(document, target->pids[i]), true);
}

const struct view view_threads = {
    .title = "Threads",
    .nothing = "No thread of this process could be read.",
    .columns = columns,
    .width = COLUMNS,
    .order = {.column = TID, .sorted = false},
    .single = true,
    .path = threads_path,
    .fill = threads_fill,
};
