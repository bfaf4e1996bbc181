/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "daemon/base/cleanup.h"

#define GAP "  "

struct table_entry {
	char *text;
	bool line; /* not a cell, a whole line */
};

struct table {
	const struct table_column *columns;
	size_t count, used, room, cells;
	struct table_entry *entries;
	bool failed;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table)
		*table = (struct table){.columns = columns, .count = count};
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->used; i++)
		free(table->entries[i].text);
	free(table->entries);
	free(table);
}

static void table_add(struct table *table, const char *string, bool line)
{
	struct text clean = {};

	if (table->used == table->room) {
		size_t room = table->room ? 2 * table->room : 64;
		void *grown = reallocarray(table->entries, room, sizeof(*table->entries));

		if (!grown) {
			table->failed = true;
			return;
		}
		table->entries = grown;
		table->room = room;
	}
	text_add(&clean, "", 0);
	format_clean(&clean, string);
	if (clean.failed) {
		text_done(&clean);
		table->failed = true;
		return;
	}
	table->entries[table->used++] = (struct table_entry){clean.data, line};
	table->cells += !line;
}

void table_cell(struct table *table, const char *string)
{
	table_add(table, string, false);
}

void table_line(struct table *table, const char *string)
{
	table_add(table, string, true);
}

void table_printf(struct table *table, const char *format, ...)
{
	_cleanup_free_ char *string = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&string, format, args);
	va_end(args);
	if (n < 0) {
		string = NULL;
		table->failed = true;
		return;
	}
	table_cell(table, string);
}

size_t table_rows(const struct table *table)
{
	return table->cells / table->count;
}

static size_t column_most(const struct table *table, size_t column, size_t width)
{
	size_t most = table->columns[column].most;

	return width && most ? most : SIZE_MAX;
}

static void measure(const struct table *table, size_t width, size_t *widths)
{
	size_t column = 0;

	for (size_t i = 0; i < table->count; i++)
		widths[i] = format_width(table->columns[i].title);
	for (size_t i = 0; i < table->used; i++) {
		if (table->entries[i].line)
			continue;
		widths[column] = MAX(widths[column], format_width(table->entries[i].text));
		column = (column + 1) % table->count;
	}
	for (size_t i = 0; i < table->count; i++)
		widths[i] = MIN(widths[i], column_most(table, i, width));
}

static void spaces(struct text *out, size_t count)
{
	while (count--)
		text_putc(out, ' ');
}

static void cell_print(struct text *out, const struct table *table, size_t column, const char *cell,
		       const size_t *widths)
{
	bool last = column + 1 == table->count;
	size_t size = format_fit(cell, widths[column]), used = format_width(cell);
	size_t pad = used < widths[column] ? widths[column] - used : 0;

	if (used > widths[column]) {
		size = format_fit(cell, widths[column] - 1);
		pad = 0;
	}
	if (column)
		text_puts(out, GAP);
	if (table->columns[column].right)
		spaces(out, pad);
	text_add(out, cell, size);
	if (used > widths[column])
		text_puts(out, "…");
	if (!table->columns[column].right && !last)
		spaces(out, pad);
}

/* Ends a line: cut to the terminal, no spaces at its end. */
static int line_end(FILE *out, struct text *line, size_t width, const char *before,
		    const char *after)
{
	size_t size = line->size;

	if (line->failed)
		return -ENOMEM;
	if (width && line->data)
		size = format_fit(line->data, width);
	while (size && line->data[size - 1] == ' ')
		size--;
	if (fprintf(out, "%s%.*s%s\n", before, (int)size, line->data ? line->data : "", after) < 0)
		return -EIO;
	line->size = 0;
	if (line->data)
		line->data[0] = '\0';
	return 0;
}

static int titles_print(const struct table *table, FILE *out, size_t width, bool colored,
			const size_t *widths)
{
	_cleanup_(text_done) struct text line = {};

	for (size_t i = 0; i < table->count; i++)
		cell_print(&line, table, i, table->columns[i].title, widths);
	return line_end(out, &line, width, colored ? "\033[1m" : "", colored ? "\033[0m" : "");
}

int table_print(const struct table *table, FILE *out, size_t width, bool colored)
{
	_cleanup_(text_done) struct text line = {};
	_cleanup_free_ size_t *widths = calloc(table->count, sizeof(*widths));
	size_t column = 0;
	int r;

	if (!widths || table->failed)
		return -ENOMEM;
	measure(table, width, widths);
	r = titles_print(table, out, width, colored, widths);
	for (size_t i = 0; !r && i < table->used; i++) {
		const struct table_entry *entry = &table->entries[i];

		if (entry->line)
			text_puts(&line, entry->text);
		else
			cell_print(&line, table, column, entry->text, widths);
		if (!entry->line)
			column = (column + 1) % table->count;
		if (entry->line || !column)
			r = line_end(out, &line, width, "", "");
	}
	return r;
}
