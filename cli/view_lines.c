/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The source of a process with the CPU of each line, the hottest file first. */
#include "cli/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "cli/view_number.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

#define BAR_WIDTH 6
#define TAB_STOP 4 /* room is short */
#define FILES_MAX 1000

enum column { LINE, PYTHON, NATIVE, SYSTEM, BAR, SOURCE, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [LINE] = {.title = "LINE", .min = 5, .max = 8, .right = true},
    [PYTHON] = {.title = "py%", .min = 5, .max = 6, .right = true},
    [NATIVE] = {.title = "nat%", .min = 5, .max = 6, .right = true, .drop = 2},
    [SYSTEM] = {.title = "sys%", .min = 5, .max = 6, .right = true, .drop = 3},
    [BAR] = {.title = "", .min = BAR_WIDTH, .max = BAR_WIDTH, .drop = 4},
    [SOURCE] = {.title = "SOURCE", .min = 20},
};

struct hot_file {
	const json_t *file;
	int64_t pid;             /* to show; 0: there is one process */
	double percent, hottest; /* of the file, and of its hottest line */
};

static void lines_path(const struct view_target *target, struct text *path)
{
	text_puts(path, API_ROUTE_LINES);
	view_target_query(target, path);
}

static double number_or_0(const json_t *object, const char *key)
{
	double value = view_json_number(object, key);

	return isfinite(value) ? value : 0;
}

static double line_percent(const json_t *line)
{
	return number_or_0(line, "python_percent") + number_or_0(line, "native_percent") +
	       number_or_0(line, "system_percent");
}

/* Tabs become spaces and the end of the line goes: one line of the screen each. */
static void source_print(const char *source, struct text *out)
{
	for (size_t column = 0; *source && *source != '\n' && *source != '\r'; source++)
		if (*source == '\t') {
			do
				text_putc(out, ' ');
			while (++column % TAB_STOP);
		} else {
			text_putc(out, *source);
			column += (*source & 0xc0) != 0x80;
		}
}

static void fill_share(struct view_grid *grid, size_t column, enum view_style style, double value)
{
	char text[VIEW_NUMBER_MAX];

	if (value == 0) /* blank: most cells are 0, and the eye finds the others */
		return;
	view_number_percent(value, text);
	view_grid_number(grid, column, style, text, value);
}

/* Eighths of a block show the share of the hottest line's CPU. */
static void fill_bar(struct view_grid *grid, double share)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int units = isfinite(share) ? (int)lrint(share * BAR_WIDTH * 8) : 0;
	char text[BAR_WIDTH * 3 + 4];
	size_t size = 0;

	for (int i = 0; i < units / 8 && i < BAR_WIDTH; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "█");
	snprintf(text + size, sizeof(text) - size, "%s",
		 units < BAR_WIDTH * 8 ? eighths[units % 8] : "");
	view_grid_text(grid, BAR, VIEW_PYTHON, text);
}

static void fill_line(struct view_grid *grid, const json_t *line, uint64_t file, bool newer,
		      double hottest)
{
	const char *source = field_string(line, "source");
	int64_t number = field_int_or(line, "line", 0);
	_cleanup_(text_done) struct text text = {};
	char label[24];

	if (!view_grid_row(grid, file << 32 | (uint32_t)number))
		return;
	snprintf(label, sizeof(label), "%s%" PRId64, newer ? "!" : "", number);
	view_grid_text(grid, LINE, newer ? VIEW_WARN : VIEW_DIM, label);
	fill_share(grid, PYTHON, VIEW_PYTHON, view_json_number(line, "python_percent"));
	fill_share(grid, NATIVE, VIEW_NATIVE, view_json_number(line, "native_percent"));
	fill_share(grid, SYSTEM, VIEW_SYSTEM, view_json_number(line, "system_percent"));
	fill_bar(grid, line_percent(line) / hottest);
	if (source)
		source_print(source, &text);
	view_grid_text(grid, SOURCE, source ? VIEW_PLAIN : VIEW_DIM,
		       text.data ? text.data
		       : source  ? ""
				 : NULL);
}

static void fill_file(struct view_grid *grid, const struct hot_file *hot, uint64_t number,
		      double hottest)
{
	const json_t *lines = json_object_get(hot->file, "lines"), *line;
	const char *name = field_string(hot->file, "file");
	const char *reason = field_string(hot->file, "reason");
	bool newer = field_true(hot->file, "newer_than_process");
	_cleanup_(text_done) struct text title = {};
	size_t i;

	if (hot->pid)
		text_printf(&title, "%" PRId64 " ", hot->pid);
	text_printf(&title, "%s  %.1f%%%s", name ? name : "(no file)", hot->percent,
		    newer ? "  ! changed since the process started" : "");
	if (reason)
		text_printf(&title, "  (%s)", reason);
	view_grid_heading(grid, number << 32 | UINT32_MAX, newer ? VIEW_WARN : VIEW_TITLE,
			  title.data ? title.data : "");
	json_array_foreach((json_t *)lines, i, line) fill_line(grid, line, number, newer, hottest);
}

static int hot_compare(const void *pa, const void *pb)
{
	const struct hot_file *a = pa, *b = pb;

	return (a->percent < b->percent) - (a->percent > b->percent);
}

static void hot_measure(struct hot_file *hot, const json_t *file)
{
	const json_t *lines = json_object_get(file, "lines"), *line;
	size_t i;

	hot->file = file;
	json_array_foreach((json_t *)lines, i, line)
	{
		hot->percent += line_percent(line);
		hot->hottest = fmax(hot->hottest, line_percent(line));
	}
}

static size_t hot_files(const json_t *document, int64_t pid, bool several, struct hot_file *out,
			size_t room)
{
	const json_t *files = json_object_get(view_json_process(document, pid), "files");
	size_t count = MIN(json_array_size(files), room);

	for (size_t i = 0; i < count; i++) {
		hot_measure(&out[i], json_array_get(files, i));
		out[i].pid = several ? pid : 0;
	}
	return count;
}

static void lines_fill(struct view_grid *grid, const json_t *document,
		       const struct view_target *target)
{
	_cleanup_free_ struct hot_file *hot = calloc(FILES_MAX, sizeof(*hot));
	bool several = target->npids > 1;
	double hottest = 0;
	size_t count = 0;

	if (!hot) {
		grid->failed = true;
		return;
	}
	for (size_t i = 0; i < (several ? target->npids : 1); i++)
		count += hot_files(document, several ? target->pids[i] : target->pid, several,
				   hot + count, FILES_MAX - count);
	for (size_t i = 0; i < count; i++)
		hottest = fmax(hottest, hot[i].hottest);
	qsort(hot, count, sizeof(*hot), hot_compare);
	for (size_t i = 0; i < count; i++)
		fill_file(grid, &hot[i], i, hottest);
}

const struct view view_lines = {
    .title = "Lines",
    .nothing = "No sample of this process in the window: it used no CPU.",
    .columns = columns,
    .width = COLUMNS,
    .path = lines_path,
    .fill = lines_fill,
};
