/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What opens a view: from a row to what is behind it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/top_live.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

const struct view *const top_tabs[TOP_TABS] = {&view_functions, &view_lines, &view_threads};

/* Why a process has nothing to show, or NULL. */
static const char *open_unsupported(struct top_live *live, int64_t pid)
{
	const json_t *process = view_json_process(live->pages[0].document, pid);
	const char *reason = field_string(process, "reason");

	if (!json_is_false(json_object_get(process, "supported")))
		return NULL;
	return reason ? reason : "not supported";
}

/* The marked processes; without marks the one of the chosen row. */
static size_t open_chosen(struct top_live *live, int64_t ret_pids[TOP_TAGS_MAX])
{
	const struct view_row *row = top_page_row(&live->pages[0]);
	size_t count = top_tags_pids(&live->tags, live->newest, ret_pids);

	if (!count && row) {
		ret_pids[0] = (int64_t)row->id;
		count = 1;
	}
	return count;
}

size_t top_open_pids(struct top_live *live, int64_t ret_pids[TOP_TAGS_MAX])
{
	const struct view_target *open = &live->pages[1].target;
	const char *reason = NULL;
	size_t count;

	if (live->depth > 1 && open->pid) {
		count = MAX(open->npids, 1u);
		memcpy(ret_pids, open->npids ? open->pids : &open->pid, count * sizeof(*ret_pids));
		return count;
	}
	if (live->depth > 1)
		return 0;
	if (live->past_ms) {
		top_live_say(
		    live, VIEW_WARN,
		    "Only this list has a past: Esc goes back to now, where that is known");
		return 0;
	}
	count = open_chosen(live, ret_pids);
	for (size_t i = 0; i < count && !reason; i++)
		reason = open_unsupported(live, ret_pids[i]);
	if (reason) {
		top_live_say(live, VIEW_WARN, "Process %" PRId64 " cannot be profiled: %s",
			     ret_pids[0], reason);
		return 0;
	}
	return count;
}

/* "4242 api" of the row in the list of processes. */
static void open_label(struct top_live *live, int64_t pid, char *out, size_t size)
{
	const struct view_grid *grid = &live->pages[0].grid;
	const char *name = "";

	for (size_t i = 0; i < grid->count; i++)
		if (grid->rows[i].id == (uint64_t)pid)
			name = view_grid_cell(grid, i, VIEW_PROCESSES_NAME)->text;
	snprintf(out, size, "%" PRId64 " %s", pid, name ? name : "");
}

static void open_process(struct top_live *live, const struct view *view)
{
	struct view_target target = {};
	size_t count = top_open_pids(live, target.pids);
	char label[96] = "";

	if (!count)
		return;
	target.pid = target.pids[0];
	target.npids = count > 1 ? count : 0;
	if (live->depth == 1 && count > 1)
		snprintf(label, sizeof(label), "%zu tagged", count);
	else if (live->depth == 1)
		open_label(live, target.pid, label, sizeof(label));
	top_live_open(live, view, target, label);
}

/* Shows a tab of the process, in place of what is open above the list. */
void top_open_tab(struct top_live *live, long tab)
{
	struct view_target target = {};
	size_t count;
	char label[96];

	if (live->depth == 1) {
		open_process(live, top_tabs[tab]);
		return;
	}
	count = top_open_pids(live, target.pids);
	if (!count)
		return;
	target.pid = target.pids[0];
	target.npids = count > 1 ? count : 0;
	snprintf(label, sizeof(label), "%s", live->pages[1].label);
	while (live->depth > 1)
		top_page_done(&live->pages[--live->depth]);
	top_live_open(live, top_tabs[tab], target, label);
}

void top_open_tab_step(struct top_live *live, long step)
{
	const struct view *view = live->depth > 1 ? live->pages[1].view : NULL;

	for (size_t i = 0; i < TOP_TABS; i++)
		if (top_tabs[i] == view) {
			top_open_tab(live, (long)((i + TOP_TABS + (size_t)step) % TOP_TABS));
			return;
		}
	top_open_tab(live, 0);
}

/* Between the lines and the functions. */
void top_open_lines(struct top_live *live, long unused)
{
	(void)unused;
	top_open_tab(live, top_live_page(live)->view == &view_lines ? 0 : 1);
}

static void open_function_name(const struct top_page *page, const struct view_row *row, char *out,
			       size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < page->view->width; i++)
		if (strcmp(page->view->columns[i].title, "FUNCTION") == 0)
			snprintf(out, size, "%s",
				 view_grid_cell(&page->grid, row->number, i)->text);
}

/* From one function to the next; the way back leads to the list of functions. */
static void open_callers(struct top_live *live, const struct view_row *row)
{
	struct top_page *page = top_live_page(live);
	struct view_target target = page->target;
	char label[96];

	open_function_name(page, row, label, sizeof(label));
	target.function = row->id;
	if (page->view == &view_functions) {
		top_live_open(live, &view_callers, target, label);
	} else if (row->id != page->target.function) {
		top_page_done(&live->pages[--live->depth]);
		top_live_open(live, &view_callers, target, label);
	}
}

static void open_thread(struct top_live *live, const struct view_row *row)
{
	struct view_target target = top_live_page(live)->target;
	char label[96];

	target.tid = (int64_t)row->id;
	snprintf(label, sizeof(label), "thread %" PRId64, target.tid);
	top_live_open(live, &view_dump, target, label);
}

void top_open_enter(struct top_live *live, long unused)
{
	struct top_page *page = top_live_page(live);
	const struct view_row *row = top_page_row(page);

	(void)unused;
	if (!row)
		return;
	if (page->view == &view_processes)
		open_process(live, &view_functions);
	else if (page->view == &view_functions || page->view == &view_callers)
		open_callers(live, row);
	else if (page->view == &view_threads)
		open_thread(live, row);
}

void top_open_dump(struct top_live *live, long unused)
{
	(void)unused;
	if (top_live_page(live)->view == &view_dump)
		top_ask(live, TOP_ASK_PAGE);
	else
		open_process(live, &view_dump);
}

/* Opens a view that belongs to no process; the same key closes it. */
static void open_aside(struct top_live *live, const struct view *view)
{
	if (top_live_page(live)->view == view)
		top_live_close(live);
	else
		top_live_open(live, view, (struct view_target){}, "");
}

void top_open_help(struct top_live *live, long unused)
{
	(void)unused;
	open_aside(live, &view_help);
}

void top_open_events(struct top_live *live, long unused)
{
	(void)unused;
	open_aside(live, &view_events);
}
