/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The terminal: the only user of curses beside tui_keys.c. A frame is an array of lines. */
#ifndef PYPROF_CLI_TUI_H
#define PYPROF_CLI_TUI_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/view_line.h"

/* 0 or -errno; the terminal is in full-screen mode then. */
int tui_start(bool colors);
/* Gives the terminal back as it was; harmless without tui_start(). */
void tui_stop(void);
void tui_size(int *ret_rows, int *ret_columns);
/* Shows lines from the top; `chosen` is drawn as a bar; cursor_column ≥ 0: a cursor on the last. */
void tui_draw(const struct view_line *lines, size_t count, size_t chosen, int cursor_column);
/* The next key (tui_keys.h), or -1 where none waits. */
int tui_key(void);

#endif
