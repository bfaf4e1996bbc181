/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every view is made of: rows of cells under columns. A view fills the grid from a document of
 * the daemon; ordering, filtering and searching are the same for all. Text in cells may still be
 * hostile: view_line.h makes it safe where it is drawn.
 *
 * Begin a row, set its cells by column number, then the next; view_grid_arrange() last.
 */
#ifndef PYPROF_CLI_VIEW_GRID_H
#define PYPROF_CLI_VIEW_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/view_line.h"

#define VIEW_GRID_ROWS_MAX 20000
#define VIEW_BRANCH_MAX 32

enum view_sort {
	VIEW_SORT_NONE, /* not a column to order by */
	VIEW_SORT_TEXT,
	VIEW_SORT_NUMBER, /* the greatest first, unless inverted */
	VIEW_SORT_RISING, /* numbers that are names (pid, tid): the least first */
};

struct view_column {
	const char *title;
	int min,
	    max;  /* width by the content, not under min; max where `cut`; 0: takes what is left */
	int drop; /* the highest is left out first where room is short; 0: stays */
	bool right;
	enum view_sort sort;
	bool cut;      /* its content may be cut down to `min` */
	bool wide;     /* only where there is plenty of room */
	bool optional; /* left out while it is empty in every row */
	bool branch;   /* in a tree, shows where in it the row is */
};

struct view_cell {
	char *text; /* NULL: empty */
	char *
	    tail; /* a place, "dir/file.py:88", shown behind the text and shortened from the left */
	double key;
	enum view_style style;
};

struct view_row {
	uint64_t id;   /* the same thing has the same id after a refresh */
	size_t number; /* where it stood in the document */
	bool heading;  /* cell 0 over the full width; rows are ordered between two of them */
	bool dim;
	uint64_t parent;              /* id; 0: none */
	char branch[VIEW_BRANCH_MAX]; /* "│└ ", once arranged as a tree */
};

struct view_grid {
	const struct view_column *columns;
	size_t width; /* count of columns */
	struct view_row *rows;
	struct view_cell *cells;
	size_t count, room;
	size_t *order; /* rows to show, in order */
	size_t shown;
	bool failed; /* out of memory */
	bool cut;    /* rows beyond VIEW_GRID_ROWS_MAX were left out */
};

struct view_order {
	size_t column;
	bool inverted;
	bool sorted; /* false: as the document has it */
	bool tree;   /* children under their parents, siblings in order */
};

void view_grid_init(struct view_grid *grid, const struct view_column *columns, size_t width);
/* False when the grid is full; the cells set next are then ignored. */
bool view_grid_row(struct view_grid *grid, uint64_t id);
void view_grid_heading(struct view_grid *grid, uint64_t id, enum view_style style,
		       const char *text);
void view_grid_dim(struct view_grid *grid);
void view_grid_parent(struct view_grid *grid, uint64_t id);
/* Text; NULL shows as "n/a". Its key is the text itself. */
void view_grid_text(struct view_grid *grid, size_t column, enum view_style style, const char *text);
/* Text with a number to order by. */
void view_grid_number(struct view_grid *grid, size_t column, enum view_style style,
		      const char *text, double key);
/* A function and where it is. `file` may be NULL, `line` 0. */
void view_grid_place(struct view_grid *grid, size_t column, enum view_style style,
		     const char *function, const char *file, int64_t line);
/* Chooses and orders the rows that are shown: those with `filter` (NULL: all) in any cell. */
void view_grid_arrange(struct view_grid *grid, const struct view_order *order, const char *filter);
/* Does a row hold `text`, case ignored? `at` counts shown rows. */
bool view_grid_holds(const struct view_grid *grid, size_t at, const char *text);
/* The shown row with this id, or `otherwise`. */
size_t view_grid_find(const struct view_grid *grid, uint64_t id, size_t otherwise);
const struct view_row *view_grid_shown(const struct view_grid *grid, size_t at);
const struct view_cell *view_grid_cell(const struct view_grid *grid, size_t row, size_t column);
/* The column of this title (without "%", case ignored) that rows can be ordered by, the rightmost
 * of equal ones; `width`: none. */
size_t view_grid_named(const struct view_column *columns, size_t width, const char *name);
void view_grid_done(struct view_grid *grid);

#endif
