/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table for a terminal or a pipe: cells are foreign text made safe, columns are aligned. */
#ifndef PYPROF_CLI_TABLE_H
#define PYPROF_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
	const char *title;
	bool right;
	size_t
	    most; /* columns at most on a terminal; 0 = no limit. The last one ends with the line */
};

struct table;

/* The columns stay the caller's, unchanged. NULL when out of memory. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);
/* The next cell of the row; a full row begins the next one. NULL is "-". */
void table_cell(struct table *table, const char *string);
void table_printf(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A line of its own below the row before: notes, callers. Only between rows. */
void table_line(struct table *table, const char *string);
size_t table_rows(const struct table *table);
/* width: where lines are cut, 0 = nowhere. -ENOMEM when a cell was lost, -EIO when not written. */
int table_print(const struct table *table, FILE *out, size_t width, bool colored);

static inline void table_free_ptr(struct table **table)
{
	table_free(*table);
}
#define _cleanup_table_ _cleanup_(table_free_ptr)

#endif
