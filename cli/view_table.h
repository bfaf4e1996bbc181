/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Draws a grid as lines: chooses the columns that fit, then makes the titles and the rows. */
#ifndef PYPROF_CLI_VIEW_TABLE_H
#define PYPROF_CLI_VIEW_TABLE_H

#include "cli/view_grid.h"

#define VIEW_TABLE_COLUMNS_MAX 24

struct view_table {
	const struct view_grid *grid;
	int room;                           /* columns of the screen; 0: no bound, nothing is cut */
	int widths[VIEW_TABLE_COLUMNS_MAX]; /* 0: left out */
};

void view_table_fit(struct view_table *table, const struct view_grid *grid, int room);
void view_table_titles(const struct view_table *table, const struct view_order *order,
		       struct view_line *line);
void view_table_row(const struct view_table *table, size_t at, struct view_line *line);

#endif
