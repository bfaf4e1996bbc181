/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define WIDE_COLUMN_MIN 16 /* a column for wide screens is worth showing from here */
#define FLEXIBLE_MAX 100   /* one endless name does not push all others off */

static bool column_flexible(const struct view_column *column)
{
	return column->max == 0;
}

static int cell_width(const struct view_cell *cell)
{
	int text = cell->text ? view_line_width(cell->text) : 0;
	int tail = cell->tail ? view_line_width(cell->tail) : 0;

	return text + tail + (text && tail);
}

/* The widest cell of a column, its place in a tree included. */
static int column_content(const struct view_grid *grid, size_t at)
{
	int width = 0;

	for (size_t i = 0; i < grid->shown; i++) {
		const struct view_row *row = view_grid_shown(grid, i);
		int branch = grid->columns[at].branch ? view_line_width(row->branch) : 0;

		if (!row->heading)
			width = MAX(width,
				    branch + cell_width(view_grid_cell(grid, grid->order[i], at)));
	}
	return width;
}

/* What the column would like: its content, within its bounds; 0: it is left out. */
static int column_want(const struct view_grid *grid, size_t at)
{
	const struct view_column *column = &grid->columns[at];
	int content = column_content(grid, at);
	int want = MAX(content, view_line_width(column->title));

	if (column->optional && !content)
		return 0;
	if (column->cut || column_flexible(column))
		want = MIN(want, column->cut ? column->max : FLEXIBLE_MAX);
	return MAX(want, column->min);
}

/* Columns of the screen that the shown ones take, flexible ones counted at their least. */
static int table_least(const struct view_table *table)
{
	int sum = -1;

	for (size_t i = 0; i < table->grid->width; i++) {
		const struct view_column *column = &table->grid->columns[i];

		if (table->widths[i])
			sum += 1 + (column_flexible(column) ? column->min : table->widths[i]);
	}
	return sum;
}

/* Narrows the widest column that may be narrower by one; false: none may. */
static bool table_narrow(struct view_table *table)
{
	const struct view_column *columns = table->grid->columns;
	size_t widest = table->grid->width;

	for (size_t i = 0; i < table->grid->width; i++)
		if (columns[i].cut && table->widths[i] > columns[i].min &&
		    (widest == table->grid->width || table->widths[i] > table->widths[widest]))
			widest = i;
	if (widest == table->grid->width)
		return false;
	table->widths[widest]--;
	return true;
}

static bool table_drop(struct view_table *table)
{
	const struct view_column *columns = table->grid->columns;
	size_t least = table->grid->width;

	for (size_t i = 0; i < table->grid->width; i++)
		if (table->widths[i] && columns[i].drop &&
		    (least == table->grid->width || columns[i].drop > columns[least].drop))
			least = i;
	if (least == table->grid->width)
		return false;
	table->widths[least] = 0;
	return true;
}

/* Dropping a column may leave room for what was narrowed before. */
static void table_widen(struct view_table *table, const int *want)
{
	for (size_t i = 0; i < table->grid->width; i++)
		if (table->widths[i] && table->grid->columns[i].cut)
			table->widths[i] +=
			    MIN(want[i] - table->widths[i], table->room - table_least(table));
}

/* Gives what is left to the flexible columns in turn, each as far as its content wants. */
static void table_stretch(struct view_table *table, const int *want)
{
	const struct view_column *columns = table->grid->columns;
	int left = table->room - table_least(table);
	size_t last = table->grid->width;

	for (size_t i = 0; i < table->grid->width; i++) {
		int more;

		if (!table->widths[i] || !column_flexible(&columns[i]))
			continue;
		/* negative on a screen too narrow for what cannot be dropped */
		more = MAX(1 - columns[i].min, MIN(left, want[i] - columns[i].min));
		table->widths[i] = columns[i].min + more;
		left -= more;
		last = i;
	}
	for (size_t i = 0; i < table->grid->width; i++) {
		if (!columns[i].wide || left < 1 + MAX(columns[i].min, WIDE_COLUMN_MIN))
			continue;
		table->widths[i] = MIN(want[i], left - 1);
		left -= 1 + table->widths[i];
	}
	if (last < table->grid->width && left > 0 && last + 1 == table->grid->width)
		table->widths[last] += left;
}

void view_table_fit(struct view_table *table, const struct view_grid *grid, int room)
{
	int want[VIEW_TABLE_COLUMNS_MAX] = {};

	*table = (struct view_table){.grid = grid, .room = room};
	for (size_t i = 0; i < grid->width; i++) {
		want[i] = column_want(grid, i);
		table->widths[i] = room && grid->columns[i].wide ? 0 : want[i];
	}
	if (!room)
		return;
	while (table_least(table) > room)
		if (!table_narrow(table) && !table_drop(table))
			break;
	if (table_least(table) <= room)
		table_widen(table, want);
	table_stretch(table, want);
}

static size_t table_last(const struct view_table *table)
{
	size_t last = 0;

	for (size_t i = 0; i < table->grid->width; i++)
		if (table->widths[i])
			last = i;
	return last;
}

/* ▼: the greatest first. The arrow stands in the gap behind the title, so that it costs no room. */
static const char *order_arrow(const struct view_column *column, const struct view_order *order)
{
	return (column->sort == VIEW_SORT_NUMBER) != order->inverted ? "▼" : "▲";
}

void view_table_titles(const struct view_table *table, const struct view_order *order,
		       struct view_line *line)
{
	size_t last = table_last(table);

	for (size_t i = 0; i < table->grid->width; i++) {
		const struct view_column *column = &table->grid->columns[i];
		bool sorted = order->sorted && order->column == i;
		enum view_style style = sorted ? VIEW_SORTED : VIEW_HEAD;
		int width = view_line_width(column->title);

		if (!table->widths[i])
			continue;
		if (column->right)
			view_line_cell(line, VIEW_HEAD, "", table->widths[i] - width, false);
		view_line_cut(line, style, column->title, table->widths[i]);
		if (sorted)
			view_line_add(line, VIEW_SORTED, order_arrow(column, order));
		if (!column->right && i != last)
			view_line_cell(line, VIEW_HEAD, "", table->widths[i] - width - sorted,
				       false);
		if (i != last && !(sorted && (column->right || width >= table->widths[i])))
			view_line_add(line, VIEW_HEAD, " ");
	}
	view_line_fill(line, VIEW_HEAD, table->room);
}

/* "a/very/long/path.py:12" in `width` columns: whole folders go first, then the name's beginning.
 */
static const char *tail_shorten(const char *tail, int width)
{
	const char *slash;

	while (view_line_width(tail) > width && (slash = strchr(tail, '/')))
		tail = slash + 1;
	return tail;
}

static void draw_tail(struct view_line *line, enum view_style style, const char *tail, int width)
{
	tail = tail_shorten(tail, width);
	if (view_line_width(tail) > width) {
		while (*tail && view_line_width(tail) > width - 1)
			do
				tail++;
			while ((*tail & 0xc0) == 0x80);
		view_line_add(line, style, "…");
	}
	view_line_add(line, style, tail);
}

/* A qualified name without what it is in: the last name says most. */
static const char *name_last(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot[1] ? dot + 1 : name;
}

static void draw_place(struct view_line *line, const struct view_cell *cell, enum view_style style,
		       enum view_style tail_style, int width)
{
	const char *text = cell->text ? cell->text : "";
	int tail = view_line_width(tail_shorten(cell->tail, 0)), end = line->width + width;

	if (*text && view_line_width(text) + 1 + tail > width)
		text = name_last(text);
	if (*text) {
		view_line_cut(line, style, text, MAX(width - 1 - tail, width / 2));
		view_line_add(line, style, " ");
	}
	if (end - line->width > 3)
		draw_tail(line, tail_style, cell->tail, end - line->width);
}

static void draw_cell(struct view_line *line, const struct view_cell *cell, bool right, bool dim,
		      int width)
{
	enum view_style style = dim ? VIEW_DIM : cell->style;
	int end = line->width + width;

	if (cell->tail)
		draw_place(line, cell, style, cell->text && *cell->text ? VIEW_DIM : style, width);
	else
		view_line_cell(line, style, cell->text ? cell->text : "", width, right);
	view_line_fill(line, style, end);
}

void view_table_row(const struct view_table *table, size_t at, struct view_line *line)
{
	const struct view_grid *grid = table->grid;
	const struct view_row *row = view_grid_shown(grid, at);
	size_t last = table_last(table);

	if (!row)
		return;
	if (row->heading) {
		const struct view_cell *cell = view_grid_cell(grid, grid->order[at], 0);

		view_line_cut(line, cell->style, cell->text, table->room ? table->room : INT_MAX);
		return;
	}
	for (size_t i = 0; i < grid->width; i++) {
		const struct view_cell *cell = view_grid_cell(grid, grid->order[at], i);
		int end = line->width + table->widths[i];

		if (!table->widths[i])
			continue;
		if (grid->columns[i].branch)
			view_line_cut(line, VIEW_DIM, row->branch, table->widths[i] - 1);
		draw_cell(line, cell, grid->columns[i].right, row->dim, end - line->width);
		if (i != last)
			view_line_add(line, row->dim ? VIEW_DIM : VIEW_PLAIN, " ");
	}
}
