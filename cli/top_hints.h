/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The keys at the bottom of the screen: those that matter most in the open view. */
#ifndef PYPROF_CLI_TOP_HINTS_H
#define PYPROF_CLI_TOP_HINTS_H

#include "cli/view.h"

void top_hints_draw(const struct view *view, int columns, struct view_line *line);

#endif
