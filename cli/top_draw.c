/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The picture, from the top: host and clock, CPU bar, figures (or what is wrong), where the reader
 * is, titles, rows, keys.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/top_hints.h"
#include "cli/top_live.h"
#include "cli/tui.h"
#include "cli/view_header.h"
#include "cli/view_json.h"
#include "cli/view_table.h"
#include "daemon/base/cleanup.h"

#define LINES_MAX 512   /* no terminal has more rows */
#define ROWS_COMPACT 12 /* with fewer rows the head is one line */

struct frame {
	struct view_line *lines;
	size_t count, chosen;
	int rows, columns, cursor;
};

static struct view_line *frame_line(struct frame *frame)
{
	size_t at = MIN(frame->count, (size_t)LINES_MAX - 1);

	frame->count++;
	return &frame->lines[at];
}

static void flag_set(struct view_part *flag, enum view_style style, int drop, const char *label,
		     const char *value)
{
	*flag = (struct view_part){.style = style, .drop = drop};
	snprintf(flag->text, sizeof(flag->text), "%s%.40s", label, value);
}

/* The seconds that the open page looks back; NAN: not known, or it shows a moment. */
static double page_window(struct top_live *live)
{
	const struct top_page *page = top_live_page(live);
	double said = view_json_number(
	    page->document, page->view == &view_processes ? "window_seconds" : "seconds");

	if (page->view == &view_threads || page->view == &view_dump || page->view == &view_help ||
	    page->view == &view_events)
		return NAN;
	return !isfinite(said) && page->target.window ? page->target.window : said;
}

/* "LIVE", or what the picture is instead: the one word that nobody may overlook. */
static void flag_time(const struct top_live *live, struct view_part *flag)
{
	if (live->past_ms)
		flag_set(flag, VIEW_WARN, 0, "PAST ", live->pages[0].clock);
	else if (live->paused)
		flag_set(flag, VIEW_WARN, 0, "PAUSED", "");
	else
		flag_set(flag, VIEW_PYTHON, 8, "LIVE", "");
}

static void flag_record(const struct top_live *live, struct view_part *flag)
{
	int64_t passed = (top_live_now() - live->record_ms) / 1000;
	char text[96];

	snprintf(text, sizeof(text), "%s: %d s", live->record.what,
		 (int)MAX(0, TUI_RECORD_SECONDS - passed));
	flag_set(flag, VIEW_WARN, 1, "recording ", text);
}

static void draw_figures(struct top_live *live, struct frame *frame)
{
	const struct top_moment *moment = top_time_moment(live);
	const struct top_page *page = top_live_page(live);
	struct top_model model = live->model;
	struct view_part flags[7] = {};
	int64_t pids[TOP_TAGS_MAX];
	char count[24];

	snprintf(count, sizeof(count), "%zu", top_tags_pids(&live->tags, live->newest, pids));
	if (live->record.child)
		flag_record(live, &flags[0]);
	if (live->user[0])
		flag_set(&flags[1], VIEW_LABEL, 6, "user ", live->user);
	if (page->filter[0])
		flag_set(&flags[2], VIEW_LABEL, 0, "filter ", page->filter);
	if (top_ask_from_reset(live))
		flag_set(&flags[3], VIEW_LABEL, 7, "from reset", "");
	if (*count != '0')
		flag_set(&flags[4], VIEW_WARN, 2, "tagged ", count);
	if (live->away)
		flag_set(&flags[5], VIEW_ERROR, 0, "pyprofd away", "");
	flag_time(live, &flags[6]);
	model.window = page_window(live);
	if (live->past_ms)
		model.self = moment ? moment->self : (struct top_self){};
	view_header_figures(&model, flags, ARRAY_SIZE(flags), frame->columns, frame_line(frame));
}

/* What is wrong takes the place of the figures: they are old then. */
static void draw_away(struct top_live *live, struct frame *frame)
{
	struct view_line *line = frame_line(frame);
	int64_t age = (top_live_now() - live->answered_ms) / 1000;
	_cleanup_(text_done) struct text text = {};

	if (live->answered_ms)
		text_printf(&text, "%lld s old, trying again: ", (long long)age);
	text_puts(&text, live->failure.message);
	view_line_cut(line, VIEW_ERROR, text.data ? text.data : "", frame->columns);
}

static void draw_head(struct top_live *live, struct frame *frame)
{
	char clock[16];

	top_time_clock(time(NULL), clock);
	view_header_title(&live->model, clock, frame->columns, frame_line(frame));
	if (frame->rows >= ROWS_COMPACT)
		view_header_cpu(&live->model, frame->columns, frame_line(frame));
	if (live->away && !live->past_ms)
		draw_away(live, frame);
	else if (frame->rows >= ROWS_COMPACT || live->past_ms || live->paused)
		draw_figures(live, frame);
}

static void draw_tabs(const struct top_page *page, struct view_line *line)
{
	for (size_t i = 0; i < TOP_TABS; i++) {
		bool open = page->view == top_tabs[i];

		view_line_add(line, VIEW_PLAIN, i ? " " : "");
		view_line_printf(line, open ? VIEW_SORTED : VIEW_PLAIN,
				 open ? "[%zu %s]" : " %zu %s ", i + 1, top_tabs[i]->title);
	}
}

static bool page_is_tab(const struct top_page *page)
{
	for (size_t i = 0; i < TOP_TABS; i++)
		if (page->view == top_tabs[i])
			return true;
	return false;
}

/* Where the reader is: "4242 api ▸ [1 Functions] 2 Lines 3 Threads", or "4242 api ▸ Dump". */
static void draw_path(struct top_live *live, struct frame *frame)
{
	const struct top_page *first = &live->pages[1], *page = top_live_page(live);
	struct view_line *line = frame_line(frame);

	if (first->target.pid) {
		view_line_cut(line, VIEW_BOLD, first->label, frame->columns / 3);
		view_line_add(line, VIEW_DIM, " ▸ ");
	}
	if (page_is_tab(page)) {
		draw_tabs(page, line);
	} else {
		view_line_add(line, VIEW_TITLE, page->view->title);
		if (page != first && page->label[0])
			view_line_printf(line, VIEW_PLAIN, " of %s", page->label);
	}
	if (page->view == &view_dump && page->clock[0])
		view_line_printf(line, VIEW_DIM, " at %s", page->clock);
	if (page->failed)
		view_line_printf(line, VIEW_ERROR, "  %s", page->failure.message);
}

/* One line in the place of rows. */
static void draw_nothing(struct top_live *live, struct frame *frame)
{
	const struct top_page *page = top_live_page(live);
	struct view_line *line;

	frame_line(frame);
	line = frame_line(frame);
	if (page->failed)
		view_line_printf(line, VIEW_ERROR, "  %s", page->failure.message);
	else if (live->away && !page->document)
		view_line_printf(line, VIEW_PLAIN, "  %s", live->failure.remedy);
	else if (!page->document && page->view->path)
		view_line_add(line, VIEW_DIM, "  Waiting for pyprofd …");
	else if (page->filter[0])
		view_line_printf(line, VIEW_PLAIN,
				 "  Nothing here matches \"%s\".  c shows every row", page->filter);
	else if (page->target.user && *page->target.user && page->view == &view_processes)
		view_line_printf(line, VIEW_PLAIN,
				 "  No Python process of user \"%s\" runs.  c shows every user's",
				 page->target.user);
	else
		view_line_printf(line, VIEW_PLAIN, "  %s",
				 page->view->nothing ? page->view->nothing : "");
}

static void draw_rows(struct top_live *live, struct frame *frame)
{
	struct top_page *page = top_live_page(live);
	struct view_table table;

	view_table_fit(&table, &page->grid, frame->columns);
	memcpy(live->widths, table.widths, sizeof(table.widths));
	view_table_titles(&table, &page->order, frame_line(frame));
	live->height = (size_t)MAX(frame->rows - (int)frame->count - 1, 1);
	top_page_scroll(page, live->height);
	if (!page->grid.shown)
		draw_nothing(live, frame);
	for (size_t i = 0; i < live->height && page->top + i < page->grid.shown; i++) {
		if (page->top + i == page->at && !page->view->scroll)
			frame->chosen = frame->count;
		view_table_row(&table, page->top + i, frame_line(frame));
	}
	while ((int)frame->count < frame->rows - 1)
		frame_line(frame);
}

static void draw_bottom(struct top_live *live, struct frame *frame)
{
	if (live->prompt.open) {
		struct view_line *line = frame_line(frame);

		view_line_add(line, VIEW_LABEL, live->prompt.label);
		view_line_add(line, VIEW_BOLD, live->prompt.text);
		frame->cursor = line->width;
	} else if (live->message_ms > top_live_now()) {
		view_line_cut(frame_line(frame), live->message_style, live->message,
			      frame->columns);
	} else {
		top_hints_draw(top_live_page(live)->view, frame->columns, frame_line(frame));
	}
}

void top_draw(struct top_live *live)
{
	struct frame frame = {.chosen = SIZE_MAX, .cursor = -1};

	tui_size(&frame.rows, &frame.columns);
	frame.lines = calloc(LINES_MAX, sizeof(*frame.lines));
	if (!frame.lines)
		return;
	draw_head(live, &frame);
	if (live->depth > 1)
		draw_path(live, &frame);
	draw_rows(live, &frame);
	draw_bottom(live, &frame);
	tui_draw(frame.lines, MIN(frame.count, (size_t)LINES_MAX), frame.chosen, frame.cursor);
	for (size_t i = 0; i < LINES_MAX; i++)
		view_line_done(&frame.lines[i]);
	free(frame.lines);
}
