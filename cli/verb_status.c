/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `status`: what the daemon sees, loses and costs. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/verb.h"

static void print_field(const char *label, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What comes from the daemon is clean; strings in its documents may stem from elsewhere. */
static void print_field(const char *label, const char *format, ...)
{
	_cleanup_(text_done) struct text clean = {};
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	format_clean(&clean, line);
	printf("%-10s %s\n", label, clean.data ? clean.data : "");
}

static const char *or_unknown(const char *string)
{
	return string ? string : "n/a";
}

static void bytes_text(char out[FORMAT_SIZE], const json_t *document, const char *key)
{
	double value;

	snprintf(out, FORMAT_SIZE, "n/a");
	if (field_real(document, key, &value))
		format_bytes(out, value);
}

static void real_text(char out[FORMAT_SIZE], const json_t *document, const char *key, int digits)
{
	double value;

	snprintf(out, FORMAT_SIZE, "n/a");
	if (field_real(document, key, &value))
		snprintf(out, FORMAT_SIZE, "%.*f", digits, value);
}

static void share_text(char out[FORMAT_SIZE], int64_t part, int64_t whole)
{
	if (whole > 0)
		snprintf(out, FORMAT_SIZE, "%.2f %%", 100.0 * (double)part / (double)whole);
	else
		snprintf(out, FORMAT_SIZE, "n/a");
}

static void heading(const json_t *document)
{
	char age[FORMAT_SIZE] = "n/a";
	double uptime;

	if (field_real(document, "uptime_seconds", &uptime))
		format_age(age, uptime);
	print_field("pyprofd", "%s, running for %s, %ld Hz, kernel %s",
		    or_unknown(field_string(document, "version")), age,
		    (long)field_int_or(document, "hz", 0),
		    or_unknown(field_string(document, "kernel")));
}

static void count_field(const char *label, int64_t count, int64_t events, const char *of)
{
	char text[FORMAT_SIZE], share[FORMAT_SIZE];

	format_count(text, (uint64_t)count);
	share_text(share, count, events);
	print_field(label, "%s%s%s%s", text, of ? " (" : "", of ? share : "", of ? of : "");
}

static void lost_lines(const json_t *lost, int64_t events)
{
	const char *reason;
	json_t *value;

	json_object_foreach((json_t *)lost, reason, value)
	{
		char count[FORMAT_SIZE], share[FORMAT_SIZE];

		if (!json_is_integer(value))
			continue;
		format_count(count, (uint64_t)json_integer_value(value));
		share_text(share, json_integer_value(value), events);
		print_field("", "%-18s %12s  %s", reason, count, share);
	}
}

static void events_lines(const json_t *document)
{
	const json_t *lost = json_object_get(document, "lost");
	int64_t events = field_int_or(document, "events", 0);

	count_field("events", events, events, NULL);
	count_field("samples", field_int_or(document, "samples", 0), events, " of the events)");
	count_field("lost", field_sum(lost), events, " of the events)");
	lost_lines(lost, events);
}

static void cost_lines(const json_t *document)
{
	char cost[FORMAT_SIZE], budget[FORMAT_SIZE], cpu[FORMAT_SIZE];
	char own[FORMAT_SIZE], rss[FORMAT_SIZE], map[FORMAT_SIZE];
	char share[FORMAT_SIZE] = "n/a";
	double used, uptime;

	real_text(cost, document, "cost_percent", 3);
	real_text(budget, document, "budget_percent", 2);
	real_text(cpu, document, "cpu_seconds", 2);
	if (field_real(document, "cpu_seconds", &used) &&
	    field_real(document, "uptime_seconds", &uptime) && uptime > 0)
		snprintf(share, sizeof(share), "%.2f %%", 100 * used / uptime);
	bytes_text(own, document, "private_bytes");
	bytes_text(rss, document, "rss_bytes");
	bytes_text(map, document, "map_bytes");
	print_field("cost", "%s %% of the host's CPUs (budget %s %%)", cost, budget);
	print_field("own CPU", "%s s (%s of a core)", cpu, share);
	print_field("own memory", "%s private, %s resident, %s in maps and rings", own, rss, map);
}

static int sources_print(const json_t *document)
{
	static const struct table_column columns[] = {
	    {"SOURCE", false, 24}, {"MODE", false, 0},      {"ATTACHED", false, 0},
	    {"PRICE ns", true, 0}, {"PER SECOND", true, 0}, {"COST %", true, 0},
	    {"REASON", false, 0},
	};
	const json_t *sources = json_object_get(document, "sources");
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	json_t *source;
	size_t i;

	if (!table)
		return -ENOMEM;
	if (!json_array_size(sources))
		return 0;
	json_array_foreach(sources, i, source)
	{
		char price[FORMAT_SIZE], rate[FORMAT_SIZE], cost[FORMAT_SIZE];

		real_text(price, source, "price_ns", 0);
		real_text(rate, source, "per_second", 1);
		real_text(cost, source, "cost_percent", 4);
		table_cell(table, field_string(source, "name"));
		table_cell(table, field_string(source, "mode"));
		table_cell(table, field_true(source, "attached") ? "yes" : "no");
		table_cell(table, price);
		table_cell(table, rate);
		table_cell(table, cost);
		table_cell(table,
			   field_string(source, "reason") ? field_string(source, "reason") : "");
	}
	putchar('\n');
	return table_print(table, stdout, format_terminal(STDOUT_FILENO), false);
}

static void count_cell(struct table *table, int64_t count)
{
	char text[FORMAT_SIZE];

	format_count(text, (uint64_t)count);
	table_cell(table, text);
}

/* Every tick that was due is in one of the columns; a sum that is off is a fault of ours. */
static int cpus_print(const json_t *document)
{
	static const char *const parts[] = {"python", "native", "other", "kernel", "idle", "self"};
	static const struct table_column columns[] = {
	    {"CPU", true, 0},   {"DUE", true, 0},    {"PYTHON", true, 0}, {"NATIVE", true, 0},
	    {"OTHER", true, 0}, {"KERNEL", true, 0}, {"IDLE", true, 0},   {"SELF", true, 0},
	    {"LOST", true, 0},  {"SUM", false, 0},
	};
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	json_t *cpu;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach(json_object_get(document, "cpus"), i, cpu)
	{
		int64_t due = field_int_or(cpu, "due", 0);
		int64_t lost = field_sum(json_object_get(cpu, "lost")), sum = lost;

		count_cell(table, field_int_or(cpu, "cpu", 0));
		count_cell(table, due);
		for (size_t part = 0; part < ARRAY_SIZE(parts); part++) {
			sum += field_int_or(cpu, parts[part], 0);
			count_cell(table, field_int_or(cpu, parts[part], 0));
		}
		count_cell(table, lost);
		if (sum == due)
			table_cell(table, "adds up");
		else
			table_printf(table, "off by %ld", (long)(sum - due));
	}
	putchar('\n');
	return table_print(table, stdout, format_terminal(STDOUT_FILENO), false);
}

static int processes_print(const json_t *document)
{
	static const struct table_column columns[] = {
	    {"PID", true, 0},    {"EVENTS", true, 0}, {"SAMPLES", true, 0},
	    {"NATIVE", true, 0}, {"LOST", true, 0},   {"SUM", false, 0},
	};
	const json_t *list = json_object_get(document, "per_process");
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	json_t *process;
	size_t i;

	if (!table)
		return -ENOMEM;
	if (!json_array_size(list))
		return 0;
	json_array_foreach(list, i, process)
	{
		int64_t events = field_int_or(process, "events", 0);
		int64_t samples = field_int_or(process, "samples", 0);
		int64_t native = field_int_or(process, "native", 0);
		int64_t lost = field_sum(json_object_get(process, "lost"));

		table_printf(table, "%ld", (long)field_int_or(process, "pid", 0));
		count_cell(table, events);
		count_cell(table, samples);
		count_cell(table, native);
		count_cell(table, lost);
		if (samples + native + lost == events)
			table_cell(table, "adds up");
		else
			table_printf(table, "off by %ld", (long)(samples + native + lost - events));
	}
	putchar('\n');
	return table_print(table, stdout, format_terminal(STDOUT_FILENO), false);
}

static int limits_print(const json_t *document)
{
	const char *name;
	json_t *value;

	putchar('\n');
	json_object_foreach(json_object_get(document, "limits"), name, value)
	{
		char count[FORMAT_SIZE];

		if (!json_is_integer(value))
			continue;
		format_count(count, (uint64_t)json_integer_value(value));
		print_field("limit", "%-24s %s", name, count);
	}
	return 0;
}

static int status_print(const json_t *document, bool verbose)
{
	int (*const more[])(const json_t *) = {cpus_print, processes_print, limits_print};
	int r;

	heading(document);
	events_lines(document);
	cost_lines(document);
	r = sources_print(document);
	for (size_t i = 0; !r && verbose && i < ARRAY_SIZE(more); i++)
		r = more[i](document);
	return output_end(r);
}

int verb_status(const struct options *options)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	_cleanup_json_ json_t *document = NULL;
	struct failure failure;

	if (!client)
		return failure_say(API_INTERNAL, "out of memory");
	if (options->json)
		return output_answer(client, API_ROUTE_STATUS);
	if (client_json(client, "GET", API_ROUTE_STATUS, &document, &failure))
		return failure_print(&failure);
	return status_print(document, options->verbose);
}
