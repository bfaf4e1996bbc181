/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/tui.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/tui_keys.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

#define ESCAPE_DELAY_MS 25 /* ncurses waits a second after Esc by default */

enum pair { PAIR_GREEN = 1, PAIR_BLUE, PAIR_YELLOW, PAIR_RED, PAIR_CYAN, PAIR_SORTED, PAIR_CHOSEN };

/* Only the first eight colours, on the terminal's own background: readable on dark and light. */
static const struct {
	short pair;
	attr_t color, plain; /* attributes with and without colours */
} looks[VIEW_STYLES] = {
    [VIEW_PLAIN] = {0, A_NORMAL, A_NORMAL},
    [VIEW_DIM] = {0, A_DIM, A_DIM},
    [VIEW_BOLD] = {0, A_BOLD, A_BOLD},
    [VIEW_TITLE] = {PAIR_CYAN, A_BOLD, A_BOLD},
    [VIEW_HEAD] = {0, A_REVERSE, A_UNDERLINE},
    [VIEW_SORTED] = {PAIR_SORTED, A_NORMAL, A_UNDERLINE | A_BOLD},
    [VIEW_PYTHON] = {PAIR_GREEN, A_NORMAL, A_NORMAL},
    [VIEW_NATIVE] = {PAIR_YELLOW, A_NORMAL, A_NORMAL},
    [VIEW_SYSTEM] = {PAIR_RED, A_NORMAL, A_NORMAL},
    [VIEW_OTHER] = {PAIR_BLUE, A_NORMAL, A_DIM},
    [VIEW_WARN] = {PAIR_YELLOW, A_BOLD, A_BOLD},
    [VIEW_ERROR] = {PAIR_RED, A_BOLD, A_BOLD},
    [VIEW_KEY] = {0, A_BOLD, A_BOLD},
    [VIEW_LABEL] = {PAIR_CYAN, A_NORMAL, A_NORMAL},
};

static SCREEN *screen;
static bool colored;

static void colors_start(void)
{
	static const short fronts[] = {COLOR_GREEN, COLOR_BLUE, COLOR_YELLOW, COLOR_RED,
				       COLOR_CYAN};

	start_color();
	use_default_colors();
	for (size_t i = 0; i < ARRAY_SIZE(fronts); i++)
		init_pair((short)(PAIR_GREEN + i), fronts[i], -1);
	init_pair(PAIR_SORTED, COLOR_BLACK, COLOR_GREEN);
	init_pair(PAIR_CHOSEN, COLOR_BLACK, COLOR_CYAN);
}

/* Some shells export LINES and COLUMNS, which then stay as the window once was: ncurses would
 * believe them. A terminal that does not know its size (a serial line) needs them. */
static void size_from_terminal(void)
{
	struct winsize size = {};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return;
	unsetenv("LINES");
	unsetenv("COLUMNS");
}

int tui_start(bool colors)
{
	set_escdelay(ESCAPE_DELAY_MS);
	size_from_terminal();
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENOTTY;
	set_term(screen);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	curs_set(0);
	colored = colors && has_colors();
	if (colored)
		colors_start();
	return 0;
}

void tui_stop(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void tui_size(int *ret_rows, int *ret_columns)
{
	getmaxyx(stdscr, *ret_rows, *ret_columns);
}

static void style_set(enum view_style style, bool chosen)
{
	if (chosen)
		attr_set(colored ? A_NORMAL : A_REVERSE, colored ? PAIR_CHOSEN : 0, NULL);
	else if (colored)
		attr_set(looks[style].color, looks[style].pair, NULL);
	else
		attr_set(looks[style].plain, 0, NULL);
}

/* Draws bytes [at, end) of a line; returns the columns used, never more than `room`. */
static int draw_span(const char *text, size_t at, size_t end, int room)
{
	int used = 0;

	while (at < end) {
		wchar_t wide[2] = {};
		uint32_t c;
		int width;

		at += utf8_next(text + at, end - at, &c);
		wide[0] = (wchar_t)c;
		width = wcwidth(wide[0]);
		if (width < 0 || used + width > room)
			break;
		addnwstr(wide, 1);
		used += width;
	}
	return used;
}

static void draw_line(int row, const struct view_line *line, bool chosen, int columns)
{
	int used = 0;
	size_t at = 0;

	move(row, 0);
	for (size_t i = 0; i < line->count; i++) {
		style_set(line->spans[i].style, chosen);
		used += draw_span(line->text.data, at, line->spans[i].end, columns - used);
		at = line->spans[i].end;
	}
	for (; chosen && used < columns; used++)
		addch(' ');
	attr_set(A_NORMAL, 0, NULL);
}

void tui_draw(const struct view_line *lines, size_t count, size_t chosen, int cursor_column)
{
	int rows, columns;

	tui_size(&rows, &columns);
	erase();
	for (size_t i = 0; i < count && (int)i < rows; i++)
		draw_line((int)i, &lines[i], i == chosen, columns);
	curs_set(cursor_column >= 0);
	if (cursor_column >= 0)
		move(rows - 1, MIN(cursor_column, columns - 1));
	wnoutrefresh(stdscr);
	doupdate();
}

int tui_key(void)
{
	wint_t c;
	int kind = get_wch(&c);

	if (kind == ERR)
		return -1;
	return kind == KEY_CODE_YES ? TUI_KEY_SPECIAL + (int)c : (int)c;
}
