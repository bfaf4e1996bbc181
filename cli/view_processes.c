/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line a process: what it is, what CPU it takes and of which kind, and its hottest function. */
#include "cli/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "cli/process_list.h"
#include "cli/process_name.h"
#include "cli/query.h"
#include "cli/top_trend.h"
#include "cli/view_json.h"
#include "cli/view_number.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

#define TREND_WHOLE                                                                                \
	10.0 /* percent: a process that does less does not reach the top of its bars               \
	      */

enum column {
	PID,
	UNIT = VIEW_PROCESSES_NAME,
	VERSION,
	CPU,
	PYTHON,
	NATIVE,
	SYSTEM,
	TREND,
	GIL,
	THREADS,
	RSS,
	HOT_SHARE,
	HOT,
	USER,
	COMMAND,
	COLUMNS,
};

/* All of them take 80 columns at their least. */
static const struct view_column columns[COLUMNS] = {
    [PID] = {.title = "PID", .min = 5, .right = true, .max = 10, .sort = VIEW_SORT_RISING},
    [UNIT] =
	{.title = "UNIT", .min = 8, .max = 24, .sort = VIEW_SORT_TEXT, .cut = true, .branch = true},
    [VERSION] = {.title = "PY", .min = 4, .max = 8, .drop = 3, .sort = VIEW_SORT_TEXT},
    [CPU] = {.title = "CPU%", .min = 5, .right = true, .max = 6, .sort = VIEW_SORT_NUMBER},
    [PYTHON] =
	{.title = "py", .min = 3, .right = true, .max = 5, .drop = 4, .sort = VIEW_SORT_NUMBER},
    [NATIVE] =
	{.title = "nat", .min = 3, .right = true, .max = 5, .drop = 5, .sort = VIEW_SORT_NUMBER},
    [SYSTEM] =
	{.title = "sys", .min = 3, .right = true, .max = 5, .drop = 6, .sort = VIEW_SORT_NUMBER},
    [TREND] = {.title = "TREND", .min = 7, .max = 7, .sort = VIEW_SORT_NUMBER, .optional = true},
    [GIL] =
	{.title = "GIL%", .min = 4, .right = true, .max = 5, .drop = 2, .sort = VIEW_SORT_NUMBER},
    [THREADS] =
	{.title = "THR", .min = 3, .right = true, .max = 6, .drop = 8, .sort = VIEW_SORT_NUMBER},
    [RSS] =
	{.title = "RSS", .min = 4, .right = true, .max = 6, .drop = 7, .sort = VIEW_SORT_NUMBER},
    [HOT_SHARE] =
	{.title = "HOT%", .min = 4, .right = true, .max = 5, .drop = 1, .sort = VIEW_SORT_NUMBER},
    [HOT] = {.title = "HOTTEST FUNCTION", .min = 22, .sort = VIEW_SORT_TEXT},
    [USER] =
	{.title = "USER", .min = 4, .max = 12, .sort = VIEW_SORT_TEXT, .cut = true, .wide = true},
    [COMMAND] = {.title = "COMMAND",
		 .min = 7,
		 .max = 200,
		 .sort = VIEW_SORT_TEXT,
		 .cut = true,
		 .wide = true},
};

static void processes_path(const struct view_target *target, struct text *path)
{
	text_puts(path, API_ROUTE_TOP);
	if (target->window)
		query_number(path, "window", target->window);
	if (target->options)
		query_select(path, target->options);
}

static void fill_unit(struct view_grid *grid, const json_t *process)
{
	char name[256];

	process_name(process, name, sizeof(name));
	view_grid_text(grid, UNIT, VIEW_PLAIN, name);
}

static bool build_free_threaded(const json_t *process)
{
	const char *build = field_string(json_object_get(process, "python"), "build");

	return build && strcmp(build, "free-threaded") == 0;
}

/* "3.13.1" of a free-threaded build → "3.13t". */
static void fill_version(struct view_grid *grid, const json_t *process)
{
	const char *version = field_string(json_object_get(process, "python"), "version");
	unsigned major, minor;
	char text[32];

	if (version && sscanf(version, "%3u.%3u", &major, &minor) == 2) {
		snprintf(text, sizeof(text), "%u.%u%s", major, minor,
			 build_free_threaded(process) ? "t" : "");
		version = text;
	}
	view_grid_text(grid, VERSION, VIEW_PLAIN, version);
}

static void fill_number(struct view_grid *grid, enum column column, enum view_style style,
			double value, void (*print)(double, char *))
{
	char text[VIEW_NUMBER_MAX];

	print(value, text);
	view_grid_number(grid, column, value == 0 ? VIEW_DIM : style, text, value);
}

static void fill_cpu(struct view_grid *grid, const json_t *process)
{
	double gil = build_free_threaded(process) ? NAN : view_json_number(process, "gil_percent");

	fill_number(grid, CPU, VIEW_BOLD, view_json_number(process, "cpu_percent"),
		    view_number_percent);
	fill_number(grid, PYTHON, VIEW_PYTHON, view_json_number(process, "python_percent"),
		    view_number_share);
	fill_number(grid, NATIVE, VIEW_NATIVE, view_json_number(process, "native_percent"),
		    view_number_share);
	fill_number(grid, SYSTEM, VIEW_SYSTEM, view_json_number(process, "system_percent"),
		    view_number_share);
	fill_number(grid, GIL, VIEW_PLAIN, gil, view_number_share);
}

/* What changed by less is noise: the kernel counts CPU time in ticks. */
static bool trend_steady(double now, double before)
{
	return fabs(now - before) < fmax(2, fmax(now, before) / 10);
}

/* "▁▂▄▄▆█▲": the last windows, the newest at the right, and where it goes. */
static void fill_trend(struct view_grid *grid, const json_t *process)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const json_t *trend = json_object_get(process, "trend");
	double now = view_json_number(process, "cpu_percent"), most = TREND_WHOLE;
	double before = json_number_value(json_array_get(trend, 0));
	bool known = json_is_number(json_array_get(trend, 0)) && isfinite(now);
	_cleanup_(text_done) struct text text = {};

	for (size_t i = 0; i < json_array_size(trend); i++)
		most = fmax(most, json_number_value(json_array_get(trend, i)));
	most = fmax(most, isfinite(now) ? now : 0);
	for (size_t i = TOP_TREND_WINDOWS + 1; i-- > 0;) {
		const json_t *value = json_array_get(trend, i - 1);
		double cpu = !i ? now : json_is_number(value) ? json_number_value(value) : NAN;

		text_puts(&text, cpu >= 0 ? bars[lrint(fmin(cpu / most, 1) * 7)] : " ");
	}
	text_puts(&text, !known || trend_steady(now, before) ? " " : now > before ? "▲" : "▼");
	view_grid_number(grid, TREND, VIEW_PLAIN, text.data ? text.data : "",
			 known ? now - before : NAN);
}

static void fill_hot(struct view_grid *grid, const json_t *process)
{
	const json_t *hot = json_object_get(process, "hot");
	const char *reason = field_string(process, "reason");

	if (json_is_false(json_object_get(process, "supported"))) {
		view_grid_text(grid, HOT, VIEW_DIM, reason ? reason : "not supported");
		view_grid_dim(grid);
	} else if (json_is_object(hot)) {
		const char *function = field_string(hot, "function");

		fill_number(grid, HOT_SHARE, VIEW_PLAIN, view_json_number(hot, "percent"),
			    view_number_share);
		view_grid_place(grid, HOT, VIEW_PLAIN, function ? function : "(no name)",
				field_string(hot, "file"), field_int_or(hot, "line", 0));
	} else if (reason) {
		view_grid_text(grid, HOT, VIEW_DIM, reason);
	}
}

static void fill_command(struct view_grid *grid, const json_t *process)
{
	_cleanup_(text_done) struct text text = {};

	process_list_command(&text, process);
	view_grid_text(grid, COMMAND, VIEW_DIM, text.data);
}

static void fill_process(struct view_grid *grid, const json_t *process,
			 const struct view_target *target)
{
	int64_t pid = field_int_or(process, "pid", 0);
	char text[VIEW_NUMBER_MAX];
	bool tagged;

	if (!view_grid_row(grid, (uint64_t)pid))
		return;
	tagged = target->tags && top_tags_has(target->tags, process);
	snprintf(text, sizeof(text), "%s%" PRId64, tagged ? "*" : "", pid);
	view_grid_number(grid, PID, tagged ? VIEW_WARN : VIEW_PLAIN, text, (double)pid);
	view_grid_parent(grid, (uint64_t)field_int_or(process, "ppid", 0));
	fill_unit(grid, process);
	fill_version(grid, process);
	fill_cpu(grid, process);
	if (target->trend)
		fill_trend(grid, process);
	fill_number(grid, THREADS, VIEW_PLAIN, view_json_number(process, "threads"),
		    view_number_count);
	fill_number(grid, RSS, VIEW_PLAIN, view_json_number(process, "rss_bytes"),
		    view_number_bytes);
	fill_hot(grid, process);
	view_grid_text(grid, USER, VIEW_PLAIN, field_string(process, "user"));
	fill_command(grid, process);
}

static void processes_fill(struct view_grid *grid, const json_t *document,
			   const struct view_target *target)
{
	const json_t *processes = json_object_get(document, "processes"), *process;
	size_t i;

	json_array_foreach((json_t *)processes, i, process)
	{
		const char *user = field_string(process, "user");

		if (!target->user || !*target->user || (user && strcmp(user, target->user) == 0))
			fill_process(grid, process, target);
	}
}

const struct view view_processes = {
    .title = "Processes",
    .nothing = "No Python process runs on this host. For one to look at:  make demo",
    .columns = columns,
    .width = COLUMNS,
    .order = {.column = CPU, .sorted = true},
    .path = processes_path,
    .fill = processes_fill,
};
