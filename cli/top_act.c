/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the keys do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/top_live.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

#define INTERVAL_MIN_MS 250
#define INTERVAL_MAX_MS 60000

const struct view *const top_tabs[TOP_TABS] = {&view_functions, &view_lines, &view_threads};

/* The process that is looked at: the open page's, or the chosen row's. 0: none. */
static int64_t act_pid(struct top_live *live)
{
	const struct view_row *row = top_page_row(&live->pages[0]);

	if (live->depth > 1 && live->pages[1].target.pid)
		return live->pages[1].target.pid;
	return live->depth == 1 && row ? (int64_t)row->id : 0;
}

/* "4242 api" of the row in the list of processes. */
static void act_label(struct top_live *live, int64_t pid, char *out, size_t size)
{
	const struct view_grid *grid = &live->pages[0].grid;
	const char *name = "";

	for (size_t i = 0; i < grid->count; i++)
		if (grid->rows[i].id == (uint64_t)pid)
			name = view_grid_cell(grid, i, VIEW_PROCESSES_NAME)->text;
	snprintf(out, size, "%" PRId64 " %s", pid, name ? name : "");
}

/* Why a process has nothing to show, or NULL. */
static const char *act_unsupported(struct top_live *live, int64_t pid)
{
	const json_t *process = view_json_process(live->pages[0].document, pid);
	const char *reason = field_string(process, "reason");

	if (!json_is_false(json_object_get(process, "supported")))
		return NULL;
	return reason ? reason : "not supported";
}

static void act_open_process(struct top_live *live, const struct view *view)
{
	int64_t pid = act_pid(live);
	const char *reason = pid ? act_unsupported(live, pid) : NULL;
	char label[96];

	if (!pid)
		return;
	if (reason) {
		top_live_say(live, VIEW_WARN, "Process %" PRId64 " cannot be profiled: %s", pid,
			     reason);
		return;
	}
	act_label(live, pid, label, sizeof(label));
	top_live_open(live, view, (struct view_target){.pid = pid}, live->depth == 1 ? label : "");
}

/* Shows a tab of the process, in place of what is open above the list. */
static void act_tab(struct top_live *live, size_t tab)
{
	int64_t pid = act_pid(live);
	char label[96];

	if (!pid)
		return;
	if (live->depth == 1) {
		act_open_process(live, top_tabs[tab]);
		return;
	}
	snprintf(label, sizeof(label), "%s", live->pages[1].label);
	while (live->depth > 1)
		top_page_done(&live->pages[--live->depth]);
	top_live_open(live, top_tabs[tab], (struct view_target){.pid = pid}, label);
}

static void act_tab_step(struct top_live *live, size_t step)
{
	const struct view *view = live->depth > 1 ? live->pages[1].view : NULL;

	for (size_t i = 0; i < TOP_TABS; i++)
		if (top_tabs[i] == view) {
			act_tab(live, (i + step) % TOP_TABS);
			return;
		}
	act_tab(live, 0);
}

static void act_function_name(const struct top_page *page, const struct view_row *row, char *out,
			      size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < page->view->width; i++)
		if (strcmp(page->view->columns[i].title, "FUNCTION") == 0)
			snprintf(out, size, "%s",
				 view_grid_cell(&page->grid, row->number, i)->text);
}

/* From one function to the next; the way back leads to the list of functions. */
static void act_open_callers(struct top_live *live, const struct view_row *row)
{
	struct top_page *page = top_live_page(live);
	struct view_target target = page->target;
	char label[96];

	act_function_name(page, row, label, sizeof(label));
	target.function = row->id;
	if (page->view == &view_functions) {
		top_live_open(live, &view_callers, target, label);
	} else if (row->id != page->target.function) {
		top_page_done(&live->pages[--live->depth]);
		top_live_open(live, &view_callers, target, label);
	}
}

static void act_open_thread(struct top_live *live, const struct view_row *row)
{
	struct view_target target = top_live_page(live)->target;
	char label[96];

	target.tid = (int64_t)row->id;
	snprintf(label, sizeof(label), "thread %" PRId64, target.tid);
	top_live_open(live, &view_dump, target, label);
}

static void act_enter(struct top_live *live)
{
	struct top_page *page = top_live_page(live);
	const struct view_row *row = top_page_row(page);

	if (!row)
		return;
	if (page->view == &view_processes)
		act_open_process(live, &view_functions);
	else if (page->view == &view_functions || page->view == &view_callers)
		act_open_callers(live, row);
	else if (page->view == &view_threads)
		act_open_thread(live, row);
}

static void act_dump(struct top_live *live)
{
	struct top_page *page = top_live_page(live);

	if (page->view == &view_dump)
		top_live_ask(live, TOP_ASK_PAGE);
	else
		act_open_process(live, &view_dump);
}

static void act_help(struct top_live *live)
{
	if (top_live_page(live)->view == &view_help)
		top_live_close(live);
	else
		top_live_open(live, &view_help, (struct view_target){}, "");
}

static void act_record(struct top_live *live)
{
	int64_t pid = act_pid(live);
	int r;

	if (live->record.child) {
		top_live_say(live, VIEW_WARN, "Still recording process %" PRId64, live->record.pid);
		return;
	}
	if (!pid)
		return;
	r = tui_record_start(&live->record, live->options->socket, pid);
	if (r)
		top_live_say(live, VIEW_ERROR, "Recording failed: %s", strerror(-r));
	live->record_ms = top_live_now();
}

static void act_prompt(struct top_live *live, enum tui_action action)
{
	static const struct {
		enum tui_action action;
		const char *label;
	} prompts[] = {
	    {TUI_SEARCH, "Find: "},
	    {TUI_FILTER, "Show rows with: "},
	    {TUI_USER, "Processes of user (empty: all): "},
	};

	live->prompt_for = action;
	for (size_t i = 0; i < ARRAY_SIZE(prompts); i++)
		if (prompts[i].action == action)
			tui_prompt_open(&live->prompt, prompts[i].label,
					action == TUI_FILTER ? top_live_page(live)->filter : "");
}

void top_act_prompt(struct top_live *live)
{
	struct top_page *page = top_live_page(live);
	const char *text = live->prompt.text;

	if (live->prompt_for == TUI_SEARCH) {
		snprintf(live->search, sizeof(live->search), "%s", text);
		if (*text && !top_page_search(page, text, 0))
			top_live_say(live, VIEW_WARN, "No match for \"%s\"", text);
	} else if (live->prompt_for == TUI_FILTER) {
		snprintf(page->filter, sizeof(page->filter), "%s", text);
		top_page_refill(page);
	} else if (live->prompt_for == TUI_USER) {
		snprintf(live->user, sizeof(live->user), "%s", text);
		top_page_refill(&live->pages[0]);
	}
}

static void act_search(struct top_live *live, int step)
{
	if (!*live->search)
		act_prompt(live, TUI_SEARCH);
	else if (!top_page_search(top_live_page(live), live->search, step))
		top_live_say(live, VIEW_WARN, "No match for \"%s\"", live->search);
}

static void act_clear(struct top_live *live)
{
	live->user[0] = live->search[0] = '\0';
	live->reset_ms = 0;
	live->next_ms = 0;
	for (size_t i = 0; i < live->depth; i++) {
		live->pages[i].filter[0] = '\0';
		top_page_refill(&live->pages[i]);
	}
}

static void act_rate(struct top_live *live, bool faster)
{
	int64_t interval = faster ? live->interval_ms / 2 : live->interval_ms * 2;

	live->interval_ms = MIN(MAX(interval, INTERVAL_MIN_MS), INTERVAL_MAX_MS);
	live->next_ms = 0;
	top_live_say(live, VIEW_BOLD, "Refresh every %g s", (double)live->interval_ms / 1000);
}

static void act_reset(struct top_live *live)
{
	live->reset_ms = top_live_now();
	live->next_ms = live->reset_ms + 1000; /* the first whole second */
	top_live_say(live, VIEW_BOLD, "Counting from now on; c goes back to the rolling window");
}

static void act_follow(struct top_live *live)
{
	struct top_page *page = top_live_page(live);

	page->follow = !page->follow;
	top_live_say(live, VIEW_BOLD,
		     page->follow ? "The chosen row stays chosen when it moves"
				  : "The bar stays where it is");
}

static void act_pause(struct top_live *live)
{
	live->paused = !live->paused;
	live->next_ms = 0;
}

static void act_back(struct top_live *live)
{
	struct top_page *page = top_live_page(live);

	if (page->filter[0]) {
		page->filter[0] = '\0';
		top_page_refill(page);
	} else {
		top_live_close(live);
	}
}

/* Moves; false: the action is another. */
static bool act_move(struct top_live *live, enum tui_action action)
{
	struct top_page *page = top_live_page(live);
	long height = (long)MAX(live->height, (size_t)2) - 1, all = (long)page->grid.shown;

	switch (action) {
	case TUI_UP:
		top_page_move(page, -1);
		return true;
	case TUI_DOWN:
		top_page_move(page, 1);
		return true;
	case TUI_PAGE_UP:
		top_page_move(page, -height);
		return true;
	case TUI_PAGE_DOWN:
		top_page_move(page, height);
		return true;
	case TUI_LAST:
		top_page_move(page, all);
		return true;
	case TUI_FIRST:
		top_page_first(page);
		return true;
	default:
		return false;
	}
}

/* The order of rows and what is shown; false: the action is another. */
static bool act_arrange(struct top_live *live, enum tui_action action)
{
	struct top_page *page = top_live_page(live);

	switch (action) {
	case TUI_SORT_NEXT:
		top_page_sort(page, 1, live->widths);
		return true;
	case TUI_SORT_BEFORE:
		top_page_sort(page, -1, live->widths);
		return true;
	case TUI_INVERT:
		top_page_invert(page);
		return true;
	case TUI_SEARCH:
	case TUI_FILTER:
	case TUI_USER:
		act_prompt(live, action);
		return true;
	case TUI_SEARCH_NEXT:
		act_search(live, 1);
		return true;
	case TUI_SEARCH_BEFORE:
		act_search(live, -1);
		return true;
	default:
		return false;
	}
}

static void act_quit(struct top_live *live)
{
	live->quit = true;
}

static void act_tab_next(struct top_live *live)
{
	act_tab_step(live, 1);
}

static void act_tab_before(struct top_live *live)
{
	act_tab_step(live, TOP_TABS - 1);
}

static void act_faster(struct top_live *live)
{
	act_rate(live, true);
}

static void act_slower(struct top_live *live)
{
	act_rate(live, false);
}

static void act_threads(struct top_live *live)
{
	act_tab(live, 2);
}

static void (*const acts[])(struct top_live *) = {
    [TUI_QUIT] = act_quit,       [TUI_HELP] = act_help,         [TUI_ENTER] = act_enter,
    [TUI_BACK] = act_back,       [TUI_TAB_NEXT] = act_tab_next, [TUI_TAB_BEFORE] = act_tab_before,
    [TUI_CLEAR] = act_clear,     [TUI_PAUSE] = act_pause,       [TUI_FASTER] = act_faster,
    [TUI_SLOWER] = act_slower,   [TUI_RESET] = act_reset,       [TUI_FOLLOW] = act_follow,
    [TUI_THREADS] = act_threads, [TUI_DUMP] = act_dump,         [TUI_RECORD] = act_record,
};

void top_act(struct top_live *live, enum tui_action action)
{
	if (act_move(live, action) || act_arrange(live, action))
		return;
	if (action >= TUI_TAB_1 && action <= TUI_TAB_3)
		act_tab(live, action - TUI_TAB_1);
	else if (action < ARRAY_SIZE(acts) && acts[action])
		acts[action](live);
}
