/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/tui_keys.h"

#include <ncurses.h>

#include "daemon/base/cleanup.h"

#define SPECIAL(key) (TUI_KEY_SPECIAL + (key))
#define CONTROL(c) ((c)&0x1f)
#define ESCAPE 27

static const struct {
	int key;
	enum tui_action action;
} bindings[] = {
    {'q', TUI_QUIT},
    {SPECIAL(KEY_F(10)), TUI_QUIT},
    {'h', TUI_HELP},
    {'?', TUI_HELP},
    {SPECIAL(KEY_F(1)), TUI_HELP},
    {'k', TUI_UP},
    {SPECIAL(KEY_UP), TUI_UP},
    {'j', TUI_DOWN},
    {SPECIAL(KEY_DOWN), TUI_DOWN},
    {SPECIAL(KEY_PPAGE), TUI_PAGE_UP},
    {CONTROL('b'), TUI_PAGE_UP},
    {SPECIAL(KEY_NPAGE), TUI_PAGE_DOWN},
    {CONTROL('f'), TUI_PAGE_DOWN},
    {'g', TUI_FIRST},
    {SPECIAL(KEY_HOME), TUI_FIRST},
    {'G', TUI_LAST},
    {SPECIAL(KEY_END), TUI_END},
    {'\n', TUI_ENTER},
    {'\r', TUI_ENTER},
    {SPECIAL(KEY_ENTER), TUI_ENTER},
    {SPECIAL(KEY_RIGHT), TUI_ENTER},
    {ESCAPE, TUI_BACK},
    {'\b', TUI_BACK},
    {0x7f, TUI_BACK},
    {SPECIAL(KEY_BACKSPACE), TUI_BACK},
    {SPECIAL(KEY_LEFT), TUI_BACK},
    {'\t', TUI_TAB_NEXT},
    {SPECIAL(KEY_BTAB), TUI_TAB_BEFORE},
    {'1', TUI_TAB_1},
    {'2', TUI_TAB_2},
    {'3', TUI_TAB_3},
    {'s', TUI_SORT_NEXT},
    {'>', TUI_SORT_NEXT},
    {'S', TUI_SORT_BEFORE},
    {'<', TUI_SORT_BEFORE},
    {SPECIAL(KEY_F(6)), TUI_SORT_PICK},
    {'I', TUI_INVERT},
    {'r', TUI_INVERT},
    {'/', TUI_SEARCH},
    {SPECIAL(KEY_F(3)), TUI_SEARCH},
    {'n', TUI_SEARCH_NEXT},
    {'N', TUI_SEARCH_BEFORE},
    {'\\', TUI_FILTER},
    {SPECIAL(KEY_F(4)), TUI_FILTER},
    {'c', TUI_CLEAR},
    {'p', TUI_PAUSE},
    {'Z', TUI_PAUSE},
    {'+', TUI_FASTER},
    {'=', TUI_FASTER},
    {'-', TUI_SLOWER},
    {'R', TUI_RESET},
    {'F', TUI_FOLLOW},
    {'u', TUI_USER},
    {'H', TUI_THREADS},
    {'d', TUI_DUMP},
    {'w', TUI_RECORD},
    {'f', TUI_FLAME},
    {'l', TUI_LINES},
    {'t', TUI_TREE},
    {SPECIAL(KEY_F(5)), TUI_TREE},
    {'x', TUI_TREND},
    {' ', TUI_TAG},
    {'b', TUI_JUMP},
    {'[', TUI_EARLIER},
    {']', TUI_LATER},
    {'!', TUI_EVENTS},
};

/* At most 62 characters behind the keys: the help is read on 80 columns too. */
static const struct tui_help help[] = {
    {NULL, "Move"},
    {"Up Down  j k", "one row"},
    {"PgUp PgDn", "one screen"},
    {"Home End  g G", "the first, the last row"},
    {"Enter  Right", "look into: a process, a function's callers, a thread's stack"},
    {"Esc  Left", "back"},
    {"Tab  1 2 3", "functions, lines, threads of the process"},
    {"l  H", "lines or functions; threads"},
    {NULL, "Choose"},
    {"s S  > <", "order by the next, the previous column"},
    {"F6", "order by a column of this name"},
    {"I  r", "invert the order"},
    {"t  F5", "tree: children under their parents"},
    {"/  n N", "search; the next, the previous match"},
    {"\\  F4", "show matching rows only"},
    {"u", "show one user's processes only"},
    {"Space", "tag a process; Enter, d, w, f then act on all that are tagged"},
    {"F", "follow the chosen row when it moves (moving the bar turns it on)"},
    {"c", "clear: every row, any user, no tags, the rolling window"},
    {NULL, "Time"},
    {"p  Z", "pause the screen; sampling goes on"},
    {"+ -", "refresh faster, slower"},
    {"R", "count from now on"},
    {"x", "trend: CPU% of the last six windows, and if it rises or falls"},
    {"b", "go back to a time that this top has seen (ten minutes, 8 MiB)"},
    {"[ ]", "one picture earlier, later; Esc or End returns to now"},
    {"!", "events: processes, the daemon, losses, since this top began"},
    {NULL, "Do"},
    {"d", "the stacks of all its threads; once more: again"},
    {"w", "record it for 10 seconds into a file here (speedscope)"},
    {"f", "the same, and say how to look at it as a flame graph"},
    {"q", "quit"},
    {NULL, "Figures"},
    {"CPU%  THR  RSS", "exact, from the kernel; CPU% is of one core"},
    {"py nat sys", "CPU in the interpreter, in native code, in the kernel: sampled"},
    {"GIL%", "time holding the GIL: sampled; n/a where there is none"},
    {"HOT%", "the hottest function's share of the process's samples"},
    {"SELF  TOTAL", "in the function itself, and with all that it calls: sampled"},
    {"n/a", "cannot be known"},
};

enum tui_action tui_keys_action(int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++)
		if (bindings[i].key == key)
			return bindings[i].action;
	return TUI_NOTHING;
}

const struct tui_help *tui_keys_help(size_t at)
{
	return at < ARRAY_SIZE(help) ? &help[at] : NULL;
}
