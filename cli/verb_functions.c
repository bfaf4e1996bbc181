/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `functions`: the sampled table of own and total time, filtered and ordered here. */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/process_list.h"
#include "cli/query.h"
#include "cli/select.h"
#include "cli/table.h"
#include "cli/verb.h"

#define RELATED_MAX 8 /* callers or callees shown under one function */

struct filter {
	const char *text; /* NULL = everything */
	regex_t regex;
	bool compiled; /* else `text` is looked for as it is */
};

static void filter_init(struct filter *filter, const char *text)
{
	*filter = (struct filter){.text = text};
	filter->compiled = text && !regcomp(&filter->regex, text, REG_EXTENDED | REG_NOSUB);
}

static void filter_done(struct filter *filter)
{
	if (filter->compiled)
		regfree(&filter->regex);
}

static bool filter_string(const struct filter *filter, const char *string)
{
	if (!string)
		return false;
	return strstr(string, filter->text) ||
	       (filter->compiled && !regexec(&filter->regex, string, 0, NULL, 0));
}

static bool filter_takes(const struct filter *filter, const json_t *function)
{
	return !filter->text || filter_string(filter, field_string(function, "function")) ||
	       filter_string(filter, field_string(function, "file"));
}

static double real_or(const json_t *object, const char *key, double fallback)
{
	field_real(object, key, &fallback);
	return fallback;
}

static int by_number(const json_t *a, const json_t *b, const char *key)
{
	double x = real_or(a, key, -1), y = real_or(b, key, -1);

	return (x < y) - (x > y);
}

static int by_name(const void *a, const void *b)
{
	const char *x = field_string(*(json_t *const *)a, "function");
	const char *y = field_string(*(json_t *const *)b, "function");

	return strcmp(x ? x : "", y ? y : "");
}

/* Equal figures go by name, so that two runs print the same. */
#define BY(key)                                                                                    \
	static int by_##key(const void *a, const void *b)                                          \
	{                                                                                          \
		int order = by_number(*(json_t *const *)a, *(json_t *const *)b, #key);             \
                                                                                                   \
		return order ? order : by_name(a, b);                                              \
	}
BY(own_ns)
BY(total_ns)
BY(samples)

static const struct order {
	const char *name;
	int (*compare)(const void *, const void *);
} orders[] = {
    {"own", by_own_ns}, {"total", by_total_ns}, {"samples", by_samples}, {"name", by_name}};

static const struct order *order_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (!strcmp(orders[i].name, name))
			return &orders[i];
	return NULL;
}

static void place(struct text *out, const json_t *object)
{
	const char *function = field_string(object, "function");
	const char *file = field_string(object, "file");
	int64_t line;

	text_puts(out, function ? function : "?");
	if (!file)
		return;
	text_printf(out, " (%s", file);
	if (field_int(object, "line", &line) && line > 0)
		text_printf(out, ":%ld", (long)line);
	text_putc(out, ')');
}

static void percent_cell(struct table *table, const json_t *function, const char *key)
{
	char text[FORMAT_SIZE] = "n/a";
	double value;

	if (field_real(function, key, &value))
		format_percent(text, value);
	table_cell(table, text);
}

static void ns_cell(struct table *table, const json_t *function, const char *key)
{
	char text[FORMAT_SIZE] = "n/a";
	double value;

	if (field_real(function, key, &value))
		format_ns(text, value);
	table_cell(table, text);
}

static void count_cell(struct table *table, const json_t *function, const char *key)
{
	char text[FORMAT_SIZE] = "n/a";
	int64_t value;

	if (field_int(function, key, &value))
		format_count(text, (uint64_t)value);
	table_cell(table, text);
}

static void related(struct table *table, const json_t *list, const char *arrow)
{
	json_t *other;
	size_t i;

	json_array_foreach(list, i, other)
	{
		_cleanup_(text_done) struct text line = {};
		char time[FORMAT_SIZE] = "n/a";
		double ns;

		if (i == RELATED_MAX) {
			text_printf(&line, "%34s  and %zu more", "", json_array_size(list) - i);
			table_line(table, line.data);
			break;
		}
		if (field_real(other, "total_ns", &ns))
			format_ns(time, ns);
		text_printf(&line, "%22s %8s %s ", "", time, arrow);
		place(&line, other);
		table_line(table, line.data);
	}
}

static void function_rows(struct table *table, const json_t *function,
			  const struct options *options)
{
	_cleanup_(text_done) struct text name = {};

	place(&name, function);
	percent_cell(table, function, "own_percent");
	percent_cell(table, function, "total_percent");
	ns_cell(table, function, "own_ns");
	ns_cell(table, function, "total_ns");
	count_cell(table, function, "samples");
	count_cell(table, function, "calls");
	table_cell(table, name.data);
	if (options->callers)
		related(table, json_object_get(function, "callers"), "<-");
	if (options->callees)
		related(table, json_object_get(function, "callees"), "->");
}

/* The functions that pass, in order; the array is the caller's, the functions are the document's.
 */
static int sorted(const json_t *functions, const struct filter *filter, const struct order *order,
		  json_t ***ret_rows, size_t *ret_count)
{
	json_t **rows = calloc(json_array_size(functions) + 1, sizeof(*rows)), *function;
	size_t count = 0, i;

	if (!rows)
		return -ENOMEM;
	json_array_foreach(functions, i, function) if (filter_takes(filter, function))
	    rows[count++] = function;
	qsort(rows, count, sizeof(*rows), order->compare);
	*ret_rows = rows;
	*ret_count = count;
	return 0;
}

static void heading(const json_t *process, size_t processes)
{
	_cleanup_(text_done) struct text command = {}, clean = {};

	if (processes < 2)
		return;
	process_list_command(&command, process);
	format_clean(&clean, command.data);
	printf("Process %ld: %s\n", (long)field_int_or(process, "pid", 0), clean.data);
}

static int process_print(const json_t *process, const struct filter *filter,
			 const struct order *order, const struct options *options, bool *calls,
			 size_t *shown)
{
	static const struct table_column columns[] = {
	    {"OWN%", true, 0},
	    {"TOTAL%", true, 0},
	    {"OWN", true, 0},
	    {"TOTAL", true, 0},
	    {"SAMPLES", true, 0},
	    {"CALLS", true, 0},
	    {"FUNCTION (FILE:LINE)", false, 0},
	};
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ json_t **rows = NULL;
	size_t count;
	int64_t number;
	int r = table ? sorted(json_object_get(process, "functions"), filter, order, &rows, &count)
		      : -ENOMEM;

	if (r)
		return r;
	for (size_t i = 0; i < count && (!options->limit || i < options->limit); i++) {
		function_rows(table, rows[i], options);
		*calls = *calls && field_int(rows[i], "calls", &number);
	}
	*shown += count;
	return table_print(table, stdout, format_terminal(STDOUT_FILENO),
			   format_colored(STDOUT_FILENO, options->color));
}

/* Why a column has no figures. */
static void footer(const json_t *document, bool calls)
{
	_cleanup_(text_done) struct text clean = {};
	const char *reason = field_string(document, "reason");

	if (calls)
		return;
	format_clean(&clean, reason ? reason : "samples do not count calls");
	printf("\nCALLS n/a: %s\n", clean.data);
}

static int functions_print(const json_t *document, const struct order *order,
			   const struct options *options)
{
	const json_t *processes = json_object_get(document, "processes");
	_cleanup_(filter_done) struct filter filter;
	bool calls = true, some = false;
	size_t shown = 0;
	json_t *process;
	size_t i;
	int r = 0;

	filter_init(&filter, options->nrest ? options->rest[0] : NULL);
	json_array_foreach(processes, i, process)
	{
		if (r)
			break;
		if (i)
			putchar('\n');
		heading(process, json_array_size(processes));
		r = process_print(process, &filter, order, options, &calls, &shown);
		some = some || json_array_size(json_object_get(process, "functions"));
	}
	if (!r)
		footer(document, calls);
	if (!some)
		failure_note("no sample in this time: the process used no CPU, or too little");
	else if (!r && !shown)
		failure_note("no function matches %s", options->nrest ? options->rest[0] : "");
	return output_end(r);
}

static int path_make(struct client *client, const struct options *options, struct text *path)
{
	int r;

	text_puts(path, API_ROUTE_FUNCTIONS);
	r = select_query(client, options, path);
	if (options->duration > 0)
		query_number(path, "seconds", options->duration);
	else if (options->window)
		query_number(path, "window", options->window);
	return r;
}

int verb_functions(const struct options *options)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	const struct order *order = order_find(options->sort ? options->sort : "own");
	_cleanup_json_ json_t *document = NULL;
	_cleanup_(text_done) struct text path = {};
	struct failure failure;
	int r;

	if (!order || options->nrest > 1)
		return failure_say(API_USAGE, !order ? "--sort is by own, total, samples or name"
						     : "functions takes one filter");
	r = client ? path_make(client, options, &path) : failure_say(API_INTERNAL, "out of memory");
	if (r)
		return r;
	client_set_timeout(client, CLIENT_TIMEOUT + (unsigned)options->duration);
	if (options->json)
		return output_answer(client, path.data);
	if (client_json(client, "GET", path.data, &document, &failure))
		return failure_print(&failure);
	return functions_print(document, order, options);
}
