/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_hints.h"

#include <string.h>

#include "daemon/base/cleanup.h"

#define DROP_MAX 12

struct hint {
	const char *key, *label;
	int drop; /* the highest goes first where room is short */
};

static const struct hint hints_processes[] = {
    {"?", "Help", 0},     {"/", "Find", 3},    {"\\", "Filter", 4},
    {"Enter", "Open", 1}, {"s", "Sort", 5},    {"t", "Tree", 8},
    {"Space", "Tag", 10}, {"x", "Trend", 9},   {"d", "Dump", 2},
    {"w", "Record", 7},   {"[ ]", "Past", 11}, {"!", "Events", 12},
    {"p", "Pause", 6},    {"q", "Quit", 0},    {},
};
static const struct hint hints_lines[] = {
    {"Esc", "Back", 0}, {"Tab", "Next", 1},
    {"/", "Find", 3},   {"\\", "Filter", 5},
    {"R", "Reset", 6},  {"d", "Dump", 2},
    {"w", "Record", 7}, {"?", "Help", 0},
    {"q", "Quit", 0},   {},
};
static const struct hint hints_callers[] = {
    {"Esc", "Back", 0}, {"Enter", "Its callers", 1},
    {"/", "Find", 3},   {"R", "Reset", 4},
    {"d", "Dump", 2},   {"?", "Help", 0},
    {"q", "Quit", 0},   {},
};
static const struct hint hints_functions[] = {
    {"Esc", "Back", 0},
    {"Tab", "Next", 2},
    {"Enter", "Callers", 1},
    {"/", "Find", 4},
    {"\\", "Filter", 6},
    {"s", "Sort", 5},
    {"R", "Reset", 7},
    {"d", "Dump", 3},
    {"?", "Help", 0},
    {"q", "Quit", 0},
    {},
};
static const struct hint hints_threads[] = {
    {"Esc", "Back", 0}, {"Tab", "Next", 2}, {"Enter", "Stack", 1},
    {"/", "Find", 4},   {"s", "Sort", 5},   {"d", "Dump", 3},
    {"?", "Help", 0},   {"q", "Quit", 0},   {},
};
static const struct hint hints_dump[] = {
    {"Esc", "Back", 0},
    {"d", "Again", 1},
    {"/", "Find", 2},
    {"\\", "Filter", 3},
    {"?", "Help", 0},
    {"q", "Quit", 0},
    {},
};
static const struct hint hints_events[] = {
    {"Esc", "Back", 0}, {"/", "Find", 1}, {"\\", "Filter", 2},
    {"?", "Help", 0},   {"q", "Quit", 0}, {},
};
static const struct hint hints_help[] = {{"Esc", "Back", 0}, {"q", "Quit", 0}, {}};

static const struct {
	const struct view *view;
	const struct hint *hints;
} bars[] = {
    {&view_processes, hints_processes}, {&view_functions, hints_functions},
    {&view_threads, hints_threads},     {&view_dump, hints_dump},
    {&view_callers, hints_callers},     {&view_events, hints_events},
    {&view_help, hints_help},
};

static const struct hint *view_hints(const struct view *view)
{
	for (size_t i = 0; i < ARRAY_SIZE(bars); i++)
		if (bars[i].view == view)
			return bars[i].hints;
	return hints_lines;
}

/* Columns that the hints up to this drop level take. */
static int hints_width(const struct hint *hints, int level)
{
	int width = -2;

	for (; hints->key; hints++)
		if (hints->drop <= level)
			width += (int)(strlen(hints->key) + strlen(hints->label)) + 3;
	return width;
}

void top_hints_draw(const struct view *view, int columns, struct view_line *line)
{
	const struct hint *hints = view_hints(view);
	int level = DROP_MAX;

	while (level && hints_width(hints, level) > columns)
		level--;
	for (; hints->key; hints++) {
		if (hints->drop > level)
			continue;
		view_line_add(line, VIEW_PLAIN, line->width ? "  " : "");
		view_line_add(line, VIEW_KEY, hints->key);
		view_line_printf(line, VIEW_LABEL, " %s", hints->label);
	}
}
