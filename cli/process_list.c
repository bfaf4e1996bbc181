/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/process_list.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/field.h"
#include "cli/format.h"
#include "cli/table.h"
#include "daemon/base/cleanup.h"

void process_list_command(struct text *out, const json_t *process)
{
	const char *comm = field_string(process, "comm");
	const json_t *words = json_object_get(process, "cmdline");
	json_t *word;
	size_t i;

	json_array_foreach(words, i, word) if (json_is_string(word))
	    text_printf(out, "%s%s", i ? " " : "", json_string_value(word));
	/* Scripts behind -c hold lines; a list has one line a process. */
	for (char *at = out->data; at && *at; at++)
		if (strchr("\n\r\t", *at))
			*at = ' ';
	if (!out->size)
		text_printf(out, "[%s]", comm ? comm : "?");
}

const char *process_list_unit(const json_t *process)
{
	const char *unit = field_string(process, "unit");

	return unit ? unit : field_string(process, "container");
}

/* Ids of containers are 64 hex digits; twelve are how Docker and Podman show them. */
static void unit_cell(struct table *table, const json_t *process)
{
	const char *unit = field_string(process, "unit");
	const char *container = field_string(process, "container");

	if (unit || !container)
		table_cell(table, unit);
	else if (strlen(container) == 64)
		table_printf(table, "%.12s", container);
	else
		table_cell(table, container);
}

static void python_cell(struct table *table, const json_t *process)
{
	const json_t *python = json_object_get(process, "python");
	const char *version = field_string(python, "version");
	const char *build = field_string(python, "build");
	bool threaded = build && !strcmp(build, "free-threaded");
	bool marked = version && strchr(version, 't');

	if (version)
		table_printf(table, "%s%s", version, threaded && !marked ? "t" : "");
	else
		table_cell(table, "n/a");
}

static void user_cell(struct table *table, const json_t *process)
{
	const char *user = field_string(process, "user");
	int64_t uid;

	if (user || !field_int(process, "uid", &uid))
		table_cell(table, user);
	else
		table_printf(table, "%ld", (long)uid);
}

static void int_cell(struct table *table, const json_t *process, const char *key)
{
	int64_t value;

	if (field_int(process, key, &value))
		table_printf(table, "%ld", (long)value);
	else
		table_cell(table, "n/a");
}

static void percent_cell(struct table *table, const json_t *process, const char *key)
{
	char text[FORMAT_SIZE] = "n/a";
	double value;

	if (field_real(process, key, &value))
		format_percent(text, value);
	table_cell(table, text);
}

static void bytes_cell(struct table *table, const json_t *process, const char *key)
{
	char text[FORMAT_SIZE] = "n/a";
	double value;

	if (field_real(process, key, &value))
		format_bytes(text, value);
	table_cell(table, text);
}

/* An unsupported Python says so where its command stands; the reason is what a user looks for. */
static void command_cell(struct table *table, const json_t *process)
{
	_cleanup_(text_done) struct text cell = {}, command = {};
	const char *reason = field_string(process, "reason");
	bool unsupported = json_is_false(json_object_get(process, "supported"));

	if (unsupported)
		text_printf(&cell, "(not profiled: %s) ", reason ? reason : "no reason given");
	process_list_command(&command, process);
	text_puts(&cell, command.data ? command.data : "");
	table_cell(table, cell.data);
}

static void common_cells(struct table *table, const json_t *process)
{
	int_cell(table, process, "pid");
	unit_cell(table, process);
	python_cell(table, process);
	user_cell(table, process);
}

int process_list_print(const json_t *processes, FILE *out, bool colored)
{
	static const struct table_column columns[] = {
	    {"PID", true, 0}, {"UNIT", false, 24}, {"PYTHON", false, 10}, {"USER", false, 12},
	    {"THR", true, 0}, {"CPU%", true, 0},   {"RSS", true, 0},      {"COMMAND", false, 0},
	};
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	json_t *process;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach(processes, i, process)
	{
		common_cells(table, process);
		int_cell(table, process, "threads");
		percent_cell(table, process, "cpu_percent");
		bytes_cell(table, process, "rss_bytes");
		command_cell(table, process);
	}
	return table_print(table, out, format_terminal(fileno(out)), colored);
}

static void age_cell(struct table *table, const json_t *process, const char *from, int64_t to,
		     const char *unit)
{
	char age[FORMAT_SIZE];
	int64_t start;

	if (!field_int(process, from, &start) || !to) {
		table_cell(table, "n/a");
		return;
	}
	/* Processes of some milliseconds are what this list is for. */
	if (to - start < 10 * 1000000000ll && !*unit)
		format_ns(age, to > start ? (double)(to - start) : 0);
	else
		format_age(age, (double)(to - start) / 1e9);
	table_printf(table, "%s%s", age, unit);
}

int process_list_print_ended(const json_t *processes, FILE *out, bool colored)
{
	static const struct table_column columns[] = {
	    {"PID", true, 0},     {"UNIT", false, 24}, {"PYTHON", false, 10}, {"USER", false, 12},
	    {"SAMPLES", true, 0}, {"ENDED", true, 0},  {"LIVED", true, 0},    {"COMMAND", false, 0},
	};
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	struct timespec now;
	json_t *process;
	size_t i;

	if (!table)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME, &now);
	json_array_foreach(processes, i, process)
	{
		common_cells(table, process);
		int_cell(table, process, "samples");
		age_cell(table, process, "ended_time_ns",
			 (int64_t)now.tv_sec * 1000000000ll + now.tv_nsec, " ago");
		age_cell(table, process, "start_time_ns", field_int_or(process, "ended_time_ns", 0),
			 "");
		command_cell(table, process);
	}
	return table_print(table, out, format_terminal(fileno(out)), colored);
}
