/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The stacks of all threads (or of one) at one moment, the innermost call first. */
#include "cli/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

enum column { GAP, FRAME, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [GAP] = {.title = "", .min = 3, .max = 3},
    [FRAME] = {.title = "STACKS, THE INNERMOST CALL FIRST", .min = 20},
};

static void thread_title(const json_t *thread, struct text *out)
{
	const char *python_name = field_string(thread, "python_name");
	const char *name = field_string(thread, "name");
	const char *state = field_string(thread, "state");
	const char *syscall = field_string(thread, "syscall");
	const char *gil = field_string(thread, "gil");

	text_printf(out, "Thread %" PRId64, field_int_or(thread, "tid", 0));
	if (python_name || name)
		text_printf(out, " \"%s\"",
			    python_name && *python_name ? python_name
			    : name                      ? name
							: "");
	text_printf(out, "  %s", state ? state : "state not known");
	if (syscall)
		text_printf(out, " in %s", syscall);
	if (gil)
		text_printf(out, ", GIL %s", gil);
}

static void fill_note(struct view_grid *grid, uint64_t id, enum view_style style, const char *note)
{
	if (view_grid_row(grid, id))
		view_grid_text(grid, FRAME, style, note);
}

static void fill_frame(struct view_grid *grid, uint64_t id, const json_t *frame)
{
	const char *name = field_string(frame, "function");

	if (view_grid_row(grid, id))
		view_grid_place(grid, FRAME, VIEW_PLAIN, name ? name : "(no name)",
				field_string(frame, "file"), field_int_or(frame, "line", 0));
}

static void fill_thread(struct view_grid *grid, const json_t *thread)
{
	const json_t *frames = json_object_get(thread, "frames"), *frame;
	const char *error = field_string(thread, "error");
	uint64_t id = (uint64_t)field_int_or(thread, "tid", 0) << 32;
	_cleanup_(text_done) struct text title = {};
	size_t i;

	thread_title(thread, &title);
	view_grid_heading(grid, id, VIEW_TITLE, title.data ? title.data : "");
	json_array_foreach((json_t *)frames, i, frame) fill_frame(grid, id + 1 + i, frame);
	if (field_true(thread, "truncated"))
		fill_note(grid, id + 1 + i, VIEW_WARN, "… more frames than are kept");
	if (error)
		fill_note(grid, id + 2 + i, VIEW_ERROR, error);
	else if (!json_array_size(frames))
		fill_note(grid, id + 2 + i, VIEW_DIM, "no Python on this thread");
}

static void fill_process(struct view_grid *grid, const json_t *process, int64_t tid, bool several)
{
	const json_t *threads = json_object_get(process, "threads"), *thread;
	char title[48];
	size_t i;

	if (!process)
		return;
	snprintf(title, sizeof(title), "Process %" PRId64, field_int_or(process, "pid", 0));
	if (several && !tid)
		view_grid_heading(grid, 0, VIEW_BOLD, title);
	json_array_foreach((json_t *)threads, i,
			   thread) if (!tid || field_int_or(thread, "tid", 0) == tid)
	    fill_thread(grid, thread);
}

static void dump_fill(struct view_grid *grid, const json_t *document,
		      const struct view_target *target)
{
	if (target->npids < 2)
		fill_process(grid, view_json_process(document, target->pid), target->tid, false);
	else
		for (size_t i = 0; i < target->npids; i++)
			fill_process(grid, view_json_process(document, target->pids[i]),
				     target->tid, true);
}

static void dump_path(const struct view_target *target, struct text *path)
{
	view_threads.path(target, path);
}

const struct view view_dump = {
    .title = "Dump",
    .nothing = "No thread of this process could be read.",
    .columns = columns,
    .width = COLUMNS,
    .still = true,
    .scroll = true,
    .single = true,
    .path = dump_path,
    .fill = dump_fill,
};
