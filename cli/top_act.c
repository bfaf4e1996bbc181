/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the keys do: the table, and what needs no file of its own. */
#include <string.h>

#include "cli/top_live.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

#define INTERVAL_MIN_MS 250
#define INTERVAL_MAX_MS 60000

static void act_quit(struct top_live *live, long unused)
{
	(void)unused;
	live->quit = true;
}

static void act_move(struct top_live *live, long rows)
{
	top_page_move(top_live_page(live), rows);
}

static void act_screen(struct top_live *live, long screens)
{
	top_page_move(top_live_page(live), screens * ((long)MAX(live->height, (size_t)2) - 1));
}

static void act_first(struct top_live *live, long unused)
{
	(void)unused;
	top_page_first(top_live_page(live));
}

static void act_last(struct top_live *live, long unused)
{
	struct top_page *page = top_live_page(live);

	(void)unused;
	top_page_move(page, (long)page->grid.shown);
}

/* The end of the list, and of the past. */
static void act_end(struct top_live *live, long unused)
{
	if (live->past_ms)
		top_time_live(live);
	else
		act_last(live, unused);
}

/* Takes away what was put on last: a filter, the view, the past. */
static void act_back(struct top_live *live, long unused)
{
	struct top_page *page = top_live_page(live);

	(void)unused;
	if (page->filter[0]) {
		page->filter[0] = '\0';
		top_page_refill(page);
	} else if (live->depth > 1) {
		top_live_close(live);
	} else {
		top_time_live(live);
	}
}

static void act_sort(struct top_live *live, long step)
{
	top_page_sort(top_live_page(live), (int)step, live->widths);
}

static void act_invert(struct top_live *live, long unused)
{
	(void)unused;
	top_page_invert(top_live_page(live));
}

static void act_clear(struct top_live *live, long unused)
{
	(void)unused;
	live->user[0] = live->search[0] = '\0';
	live->tags.count = 0;
	live->reset_ms = 0;
	live->next_ms = 0;
	for (size_t i = 0; i < live->depth; i++) {
		live->pages[i].filter[0] = '\0';
		top_page_refill(&live->pages[i]);
	}
}

static void act_pause(struct top_live *live, long unused)
{
	(void)unused;
	live->paused = !live->paused;
	live->next_ms = 0;
}

static void act_rate(struct top_live *live, long faster)
{
	int64_t interval = faster > 0 ? live->interval_ms / 2 : live->interval_ms * 2;

	live->interval_ms = MIN(MAX(interval, INTERVAL_MIN_MS), INTERVAL_MAX_MS);
	live->next_ms = 0;
	top_live_say(live, VIEW_BOLD, "Refresh every %g s", (double)live->interval_ms / 1000);
}

static void act_reset(struct top_live *live, long unused)
{
	(void)unused;
	live->reset_ms = top_live_now();
	live->next_ms = live->reset_ms + 1000; /* the first whole second */
	top_live_say(live, VIEW_BOLD, "Counting from now on; c goes back to the rolling window");
}

static void act_follow(struct top_live *live, long unused)
{
	struct top_page *page = top_live_page(live);

	(void)unused;
	page->follow = !page->follow;
	top_live_say(live, VIEW_BOLD,
		     page->follow ? "The chosen row stays chosen when it moves"
				  : "The bar stays where it is");
}

/* A change of the list of processes; below it the key would change what is not seen. */
static bool act_on_list(struct top_live *live)
{
	if (live->depth > 1)
		top_live_say(live, VIEW_WARN, "That is for the list of processes: Esc leads to it");
	return live->depth == 1;
}

static void act_tree(struct top_live *live, long unused)
{
	struct top_page *page = &live->pages[0];

	(void)unused;
	if (!act_on_list(live))
		return;
	page->order.tree = !page->order.tree;
	top_page_refill(page);
}

static void act_trend(struct top_live *live, long unused)
{
	(void)unused;
	if (!act_on_list(live))
		return;
	live->pages[0].target.trend = !live->pages[0].target.trend;
	if (live->newest)
		top_time_show(live);
}

static void act_tag(struct top_live *live, long unused)
{
	struct top_page *page = &live->pages[0];
	const struct view_row *row = top_page_row(page);

	(void)unused;
	if (!act_on_list(live) || !row)
		return;
	if (!top_tags_turn(&live->tags, view_json_process(page->document, (int64_t)row->id)))
		top_live_say(live, VIEW_WARN, "No more than %d processes can be tagged",
			     TOP_TAGS_MAX);
	top_page_move(page, 1);
	top_page_refill(page);
}

static void act_time(struct top_live *live, long step)
{
	top_time_step(live, step);
}

/* `flame`: the same file, and where to look at it. */
static void act_record(struct top_live *live, long flame)
{
	int64_t pids[TOP_TAGS_MAX];
	size_t count;
	int r;

	if (live->record.child) {
		top_live_say(live, VIEW_WARN, "Still recording %s", live->record.what);
		return;
	}
	count = top_open_pids(live, pids);
	if (!count)
		return;
	r = tui_record_start(&live->record, live->options->socket, pids, count);
	if (r)
		top_live_say(live, VIEW_ERROR, "Recording failed: %s", strerror(-r));
	live->record_ms = top_live_now();
	live->record_flame = flame;
}

static const struct {
	void (*act)(struct top_live *live, long argument);
	long argument;
} acts[] = {
    [TUI_QUIT] = {act_quit, 0},
    [TUI_HELP] = {top_open_help, 0},
    [TUI_UP] = {act_move, -1},
    [TUI_DOWN] = {act_move, 1},
    [TUI_PAGE_UP] = {act_screen, -1},
    [TUI_PAGE_DOWN] = {act_screen, 1},
    [TUI_FIRST] = {act_first, 0},
    [TUI_LAST] = {act_last, 0},
    [TUI_END] = {act_end, 0},
    [TUI_ENTER] = {top_open_enter, 0},
    [TUI_BACK] = {act_back, 0},
    [TUI_TAB_NEXT] = {top_open_tab_step, 1},
    [TUI_TAB_BEFORE] = {top_open_tab_step, -1},
    [TUI_TAB_1] = {top_open_tab, 0},
    [TUI_TAB_2] = {top_open_tab, 1},
    [TUI_TAB_3] = {top_open_tab, 2},
    [TUI_THREADS] = {top_open_tab, 2},
    [TUI_LINES] = {top_open_lines, 0},
    [TUI_SORT_NEXT] = {act_sort, 1},
    [TUI_SORT_BEFORE] = {act_sort, -1},
    [TUI_SORT_PICK] = {top_find_prompt, TUI_SORT_PICK},
    [TUI_INVERT] = {act_invert, 0},
    [TUI_SEARCH] = {top_find_prompt, TUI_SEARCH},
    [TUI_SEARCH_NEXT] = {top_find_step, 1},
    [TUI_SEARCH_BEFORE] = {top_find_step, -1},
    [TUI_FILTER] = {top_find_prompt, TUI_FILTER},
    [TUI_USER] = {top_find_prompt, TUI_USER},
    [TUI_TREE] = {act_tree, 0},
    [TUI_TREND] = {act_trend, 0},
    [TUI_TAG] = {act_tag, 0},
    [TUI_CLEAR] = {act_clear, 0},
    [TUI_FOLLOW] = {act_follow, 0},
    [TUI_PAUSE] = {act_pause, 0},
    [TUI_FASTER] = {act_rate, 1},
    [TUI_SLOWER] = {act_rate, -1},
    [TUI_RESET] = {act_reset, 0},
    [TUI_JUMP] = {top_find_prompt, TUI_JUMP},
    [TUI_EARLIER] = {act_time, -1},
    [TUI_LATER] = {act_time, 1},
    [TUI_EVENTS] = {top_open_events, 0},
    [TUI_DUMP] = {top_open_dump, 0},
    [TUI_RECORD] = {act_record, false},
    [TUI_FLAME] = {act_record, true},
};

void top_act(struct top_live *live, enum tui_action action)
{
	if (action < ARRAY_SIZE(acts) && acts[action].act)
		acts[action].act(live, acts[action].argument);
}
