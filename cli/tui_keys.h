/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which key does what; the same table is the help text. */
#ifndef PYPROF_CLI_TUI_KEYS_H
#define PYPROF_CLI_TUI_KEYS_H

#include <stddef.h>

enum tui_action {
	TUI_NOTHING,
	TUI_QUIT,
	TUI_HELP,
	TUI_UP,
	TUI_DOWN,
	TUI_PAGE_UP,
	TUI_PAGE_DOWN,
	TUI_FIRST,
	TUI_LAST,
	TUI_END,
	TUI_ENTER,
	TUI_BACK,
	TUI_TAB_NEXT,
	TUI_TAB_BEFORE,
	TUI_TAB_1,
	TUI_TAB_2,
	TUI_TAB_3,
	TUI_SORT_NEXT,
	TUI_SORT_BEFORE,
	TUI_SORT_PICK,
	TUI_INVERT,
	TUI_SEARCH,
	TUI_SEARCH_NEXT,
	TUI_SEARCH_BEFORE,
	TUI_FILTER,
	TUI_CLEAR,
	TUI_PAUSE,
	TUI_FASTER,
	TUI_SLOWER,
	TUI_RESET,
	TUI_FOLLOW,
	TUI_USER,
	TUI_TREE,
	TUI_TREND,
	TUI_TAG,
	TUI_JUMP,
	TUI_EARLIER,
	TUI_LATER,
	TUI_EVENTS,
	TUI_THREADS,
	TUI_LINES,
	TUI_DUMP,
	TUI_RECORD,
	TUI_FLAME,
};

/* `key` as ncurses gives it: a character, or KEY_… + TUI_KEY_SPECIAL. */
#define TUI_KEY_SPECIAL 0x1000000
enum tui_action tui_keys_action(int key);

struct tui_help {
	const char *keys, *what;
};
/* Row `at` of the help; NULL behind the last. A row with keys NULL is a heading. */
const struct tui_help *tui_keys_help(size_t at);

#endif
