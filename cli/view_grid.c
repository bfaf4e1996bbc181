/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/view_tree.h"
#include "daemon/base/cleanup.h"

void view_grid_init(struct view_grid *grid, const struct view_column *columns, size_t width)
{
	*grid = (struct view_grid){.columns = columns, .width = width};
}

static bool grid_grow(struct view_grid *grid)
{
	size_t room = grid->room ? grid->room * 2 : 64;
	struct view_row *rows;
	struct view_cell *cells;

	if (grid->count < grid->room)
		return true;
	rows = realloc(grid->rows, room * sizeof(*rows));
	if (!rows)
		return false;
	grid->rows = rows;
	cells = realloc(grid->cells, room * grid->width * sizeof(*cells));
	if (!cells)
		return false;
	grid->cells = cells;
	grid->room = room;
	return true;
}

bool view_grid_row(struct view_grid *grid, uint64_t id)
{
	if (grid->failed || grid->cut)
		return false;
	grid->cut = grid->count >= VIEW_GRID_ROWS_MAX;
	grid->failed = !grid->cut && !grid_grow(grid);
	if (grid->cut || grid->failed)
		return false;
	grid->rows[grid->count] = (struct view_row){.id = id, .number = grid->count};
	for (size_t i = 0; i < grid->width; i++)
		grid->cells[grid->count * grid->width + i] = (struct view_cell){.key = NAN};
	grid->count++;
	return true;
}

/* The cell of the newest row, emptied; NULL where rows are no longer taken. */
static struct view_cell *grid_cell(struct view_grid *grid, size_t column)
{
	struct view_cell *cell;

	if (grid->failed || grid->cut || !grid->count)
		return NULL;
	cell = grid->cells + (grid->count - 1) * grid->width + column;
	free(cell->text);
	free(cell->tail);
	*cell = (struct view_cell){.key = NAN};
	return cell;
}

static void grid_set(struct view_grid *grid, struct view_cell *cell, enum view_style style,
		     const char *text, double key)
{
	cell->text = strdup(text);
	cell->style = style;
	cell->key = key;
	grid->failed |= !cell->text;
}

void view_grid_text(struct view_grid *grid, size_t column, enum view_style style, const char *text)
{
	struct view_cell *cell = grid_cell(grid, column);

	if (cell)
		grid_set(grid, cell, text ? style : VIEW_DIM, text ? text : "n/a", NAN);
}

void view_grid_number(struct view_grid *grid, size_t column, enum view_style style,
		      const char *text, double key)
{
	struct view_cell *cell = grid_cell(grid, column);

	if (cell)
		grid_set(grid, cell, isfinite(key) ? style : VIEW_DIM, text, key);
}

void view_grid_place(struct view_grid *grid, size_t column, enum view_style style,
		     const char *function, const char *file, int64_t line)
{
	struct view_cell *cell = grid_cell(grid, column);
	int n = 0;

	if (!cell)
		return;
	grid_set(grid, cell, style, function ? function : "", NAN);
	if (file && line > 0)
		n = asprintf(&cell->tail, "%s:%" PRId64, file, line);
	else if (file)
		n = asprintf(&cell->tail, "%s", file);
	if (n < 0) {
		cell->tail = NULL;
		grid->failed = true;
	}
}

void view_grid_heading(struct view_grid *grid, uint64_t id, enum view_style style, const char *text)
{
	if (!view_grid_row(grid, id))
		return;
	grid->rows[grid->count - 1].heading = true;
	view_grid_text(grid, 0, style, text);
}

void view_grid_dim(struct view_grid *grid)
{
	if (grid->count)
		grid->rows[grid->count - 1].dim = true;
}

void view_grid_parent(struct view_grid *grid, uint64_t id)
{
	if (grid->count)
		grid->rows[grid->count - 1].parent = id;
}

const struct view_row *view_grid_shown(const struct view_grid *grid, size_t at)
{
	return at < grid->shown ? &grid->rows[grid->order[at]] : NULL;
}

const struct view_cell *view_grid_cell(const struct view_grid *grid, size_t row, size_t column)
{
	return &grid->cells[row * grid->width + column];
}

static bool row_holds(const struct view_grid *grid, size_t row, const char *text)
{
	for (size_t i = 0; i < grid->width; i++) {
		const struct view_cell *cell = view_grid_cell(grid, row, i);

		if ((cell->text && strcasestr(cell->text, text)) ||
		    (cell->tail && strcasestr(cell->tail, text)))
			return true;
	}
	return false;
}

bool view_grid_holds(const struct view_grid *grid, size_t at, const char *text)
{
	return at < grid->shown && row_holds(grid, grid->order[at], text);
}

size_t view_grid_find(const struct view_grid *grid, uint64_t id, size_t otherwise)
{
	for (size_t i = 0; i < grid->shown; i++)
		if (grid->rows[grid->order[i]].id == id)
			return i;
	return otherwise;
}

struct ordering {
	const struct view_grid *grid;
	size_t column;
	int sign;
};

static int cell_compare_text(const struct view_cell *a, const struct view_cell *b)
{
	int order = strcasecmp(a->text ? a->text : "", b->text ? b->text : "");

	return order ? order : strcmp(a->tail ? a->tail : "", b->tail ? b->tail : "");
}

/* What is not known stands last, whatever the direction; equals stand as in the document. */
static int row_compare(const void *pa, const void *pb, void *arg)
{
	const struct ordering *o = arg;
	size_t ra = *(const size_t *)pa, rb = *(const size_t *)pb;
	const struct view_cell *a = view_grid_cell(o->grid, ra, o->column);
	const struct view_cell *b = view_grid_cell(o->grid, rb, o->column);
	int order = 0;

	if (o->grid->columns[o->column].sort == VIEW_SORT_TEXT)
		order = cell_compare_text(a, b) * o->sign;
	else if (isnan(a->key) || isnan(b->key))
		order = (int)isnan(a->key) - (int)isnan(b->key);
	else
		order = ((a->key > b->key) - (a->key < b->key)) * o->sign;
	return order ? order : (ra > rb) - (ra < rb);
}

static void grid_sort(struct view_grid *grid, const struct view_order *order)
{
	struct ordering o = {.grid = grid, .column = order->column, .sign = 1};

	if (!order->sorted || order->column >= grid->width ||
	    grid->columns[order->column].sort == VIEW_SORT_NONE)
		return;
	if ((grid->columns[order->column].sort == VIEW_SORT_NUMBER) != order->inverted)
		o.sign = -1;
	for (size_t at = 0, end; at < grid->shown; at = end + 1) {
		for (end = at; end < grid->shown && !view_grid_shown(grid, end)->heading; end++)
			;
		qsort_r(grid->order + at, end - at, sizeof(*grid->order), row_compare, &o);
	}
}

void view_grid_arrange(struct view_grid *grid, const struct view_order *order, const char *filter)
{
	size_t *grown = realloc(grid->order, (grid->count + 1) * sizeof(*grown));

	grid->shown = 0;
	if (!grown) {
		grid->failed = true;
		return;
	}
	grid->order = grown;
	for (size_t i = 0; i < grid->count; i++) {
		grid->rows[i].branch[0] = '\0';
		if (!filter || !*filter || grid->rows[i].heading || row_holds(grid, i, filter))
			grid->order[grid->shown++] = i;
	}
	grid_sort(grid, order);
	if (order->tree && !view_tree_arrange(grid))
		grid->failed = true;
}

static bool column_named(const struct view_column *column, const char *name)
{
	size_t size = strcspn(column->title, "% ");

	return column->sort != VIEW_SORT_NONE && strlen(name) == size &&
	       strncasecmp(column->title, name, size) == 0;
}

size_t view_grid_named(const struct view_column *columns, size_t width, const char *name)
{
	for (size_t i = width; i-- > 0;)
		if (column_named(&columns[i], name))
			return i;
	return width;
}

void view_grid_done(struct view_grid *grid)
{
	for (size_t i = 0; i < grid->count * grid->width; i++) {
		free(grid->cells[i].text);
		free(grid->cells[i].tail);
	}
	free(grid->cells);
	free(grid->rows);
	free(grid->order);
	*grid = (struct view_grid){.columns = grid->columns, .width = grid->width};
}
