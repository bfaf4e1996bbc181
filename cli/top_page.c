/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_page.h"

#include <string.h>

#include "daemon/base/cleanup.h"

void top_page_init(struct top_page *page, const struct view *view, const struct view_target *target)
{
	*page = (struct top_page){.view = view, .target = *target, .order = view->order};
	view_grid_init(&page->grid, view->columns, view->width);
}

/* The nearest row at `at` or behind it that is no heading, else before it. */
static size_t page_row_from(const struct top_page *page, size_t at)
{
	const struct view_grid *grid = &page->grid;

	if (page->view->scroll || !grid->shown)
		return MIN(at, grid->shown ? grid->shown - 1 : 0);
	for (size_t i = at; i < grid->shown; i++)
		if (!view_grid_shown(grid, i)->heading)
			return i;
	for (size_t i = MIN(at, grid->shown); i-- > 0;)
		if (!view_grid_shown(grid, i)->heading)
			return i;
	return 0;
}

static void page_choose(struct top_page *page, size_t at)
{
	const struct view_row *row;

	page->at = page_row_from(page, at);
	row = view_grid_shown(&page->grid, page->at);
	page->chosen = row ? row->id : 0;
}

static void page_arrange(struct top_page *page)
{
	view_grid_arrange(&page->grid, &page->order, page->filter);
	page_choose(page,
		    page->follow ? view_grid_find(&page->grid, page->chosen, page->at) : page->at);
}

void top_page_refill(struct top_page *page)
{
	view_grid_done(&page->grid);
	view_grid_init(&page->grid, page->view->columns, page->view->width);
	if (page->document || !page->view->path)
		page->view->fill(&page->grid, page->document, &page->target);
	page_arrange(page);
}

void top_page_update(struct top_page *page, json_t *document)
{
	json_decref(page->document);
	page->document = document;
	page->failed = false;
	top_page_refill(page);
}

/* Text to read scrolls by its first row; elsewhere the bar moves. */
void top_page_move(struct top_page *page, long rows)
{
	const struct view_grid *grid = &page->grid;
	long last = (long)grid->shown - 1, at = (long)page->at + rows;
	long step = rows < 0 ? -1 : 1;

	if (last < 0 || !rows)
		return;
	if (page->view->scroll) {
		page->at = (size_t)MIN(MAX((long)page->top + rows, 0), last);
		return;
	}
	at = MIN(MAX(at, 0), last);
	while (at >= 0 && at <= last && view_grid_shown(grid, (size_t)at)->heading)
		at += step;
	if (at < 0 || at > last)
		at = (long)page_row_from(page, at < 0 ? 0 : (size_t)last);
	page_choose(page, (size_t)at);
	page->follow = true;
}

void top_page_first(struct top_page *page)
{
	page->top = 0;
	page->follow = false;
	page_choose(page, 0);
}

void top_page_sort(struct top_page *page, int step, const int *widths)
{
	const struct view *view = page->view;
	size_t column = page->order.column;

	for (size_t i = 0; i < view->width; i++) {
		if (page->order.sorted || i)
			column = (column + view->width + (size_t)step) % view->width;
		if (view->columns[column].sort == VIEW_SORT_NONE || !widths[column])
			continue;
		page->order.column = column;
		page->order.sorted = true;
		page->order.inverted = false;
		break;
	}
	page_arrange(page);
}

void top_page_invert(struct top_page *page)
{
	page->order.inverted = !page->order.inverted && page->order.sorted;
	page_arrange(page);
}

bool top_page_search(struct top_page *page, const char *text, int step)
{
	size_t shown = page->grid.shown, at = page->at;

	if (!*text || !shown)
		return false;
	for (size_t i = 0; i < shown; i++) {
		if (i || step)
			at = (at + shown + (size_t)(step < 0 ? -1 : 1)) % shown;
		if (!view_grid_holds(&page->grid, at, text))
			continue;
		page_choose(page, at);
		page->follow = true;
		return true;
	}
	return false;
}

void top_page_scroll(struct top_page *page, size_t height)
{
	size_t last = page->grid.shown > height ? page->grid.shown - height : 0;
	bool near_top = page->at < height && page_row_from(page, 0) == page->at;

	if (page->view->scroll)
		page->top = page->at = MIN(page->at, last);
	else if (page->at < page->top || near_top)
		page->top = near_top ? 0 : page->at;
	else if (height && page->at >= page->top + height)
		page->top = page->at + 1 - height;
	page->top = MIN(page->top, last);
}

const struct view_row *top_page_row(const struct top_page *page)
{
	const struct view_row *row = view_grid_shown(&page->grid, page->at);

	return row && !row->heading && !page->view->scroll ? row : NULL;
}

void top_page_done(struct top_page *page)
{
	json_decref(page->document);
	json_decref(page->gathered);
	view_grid_done(&page->grid);
	*page = (struct top_page){};
}
