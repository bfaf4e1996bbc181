/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One line of the screen: text and the styles over it. Everything that `top` shows passes through
 * here, in batch mode too, so this is where text of targets loses what could harm a terminal:
 * control and bidirectional characters become U+FFFD, other invisible ones are left out.
 */
#ifndef PYPROF_CLI_VIEW_LINE_H
#define PYPROF_CLI_VIEW_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/text.h"

enum view_style {
	VIEW_PLAIN,
	VIEW_DIM,
	VIEW_BOLD,
	VIEW_TITLE,
	VIEW_HEAD,   /* titles of a table */
	VIEW_SORTED, /* the title of the column that orders it */
	VIEW_PYTHON,
	VIEW_NATIVE,
	VIEW_SYSTEM,
	VIEW_OTHER, /* CPU of processes that are not Python */
	VIEW_WARN,
	VIEW_ERROR,
	VIEW_KEY,
	VIEW_LABEL,
	VIEW_STYLES,
};

struct view_span {
	enum view_style style;
	size_t end; /* byte behind the span's last */
};

struct view_line {
	struct text text;
	int width; /* columns that the text takes */
	struct view_span *spans;
	size_t count, room;
};

/* Columns that a string takes once it is on a line. */
int view_line_width(const char *string);
void view_line_add(struct view_line *line, enum view_style style, const char *string);
void view_line_printf(struct view_line *line, enum view_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* At most `width` columns of a string; what was cut shows as "…". */
void view_line_cut(struct view_line *line, enum view_style style, const char *string, int width);
/* As view_line_cut, filled with spaces to exactly `width` columns. */
void view_line_cell(struct view_line *line, enum view_style style, const char *string, int width,
		    bool right);
/* Spaces until the line is `width` columns long. */
void view_line_fill(struct view_line *line, enum view_style style, int width);
void view_line_clear(struct view_line *line);
void view_line_done(struct view_line *line);

#endif
