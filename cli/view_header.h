/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The head of the screen: the host, its CPUs, and what pyprof itself costs and loses. */
#ifndef PYPROF_CLI_VIEW_HEADER_H
#define PYPROF_CLI_VIEW_HEADER_H

#include <stddef.h>

#include "cli/top_model.h"
#include "cli/view_line.h"

/* A piece of a line. Where room is short the one with the highest `drop` goes first. */
struct view_part {
	enum view_style style;
	int drop; /* 0: stays */
	char text[96];
};

/* Width 0: no bound. Parts from `right` on stand at the right edge. */
void view_header_parts(struct view_line *line, const struct view_part *parts, size_t count,
		       size_t right, int width);
void view_header_title(const struct top_model *model, const char *clock, int width,
		       struct view_line *line);
void view_header_cpu(const struct top_model *model, int width, struct view_line *line);
/* `flags`: what is out of the ordinary ("PAUSED"), at the right; with empty text where none. */
void view_header_figures(const struct top_model *model, const struct view_part *flags, size_t count,
			 int width, struct view_line *line);

#endif
