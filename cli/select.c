/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/select.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/field.h"
#include "cli/format.h"
#include "cli/process_list.h"
#include "cli/query.h"

/* Living ones that can be profiled. */
static json_t *candidates(const json_t *processes)
{
	json_t *list = json_array(), *process;
	size_t i;

	json_array_foreach(processes, i, process)
	{
		int64_t ended;

		if (json_is_false(json_object_get(process, "supported")) ||
		    field_int(process, "ended_time_ns", &ended))
			continue;
		json_array_append(list, process);
	}
	return list;
}

static int pids_of(const json_t *list, pid_t **ret_pids, size_t *ret_count)
{
	size_t count = json_array_size(list);
	pid_t *pids = calloc(count, sizeof(*pids));

	if (!pids)
		return failure_say(API_INTERNAL, "out of memory");
	for (size_t i = 0; i < count; i++)
		pids[i] = (pid_t)field_int_or(json_array_get(list, i), "pid", 0);
	*ret_pids = pids;
	*ret_count = count;
	return 0;
}

static int pid_one(pid_t pid, pid_t **ret_pids, size_t *ret_count)
{
	pid_t *pids = malloc(sizeof(*pids));

	if (!pids)
		return failure_say(API_INTERNAL, "out of memory");
	*pids = pid;
	*ret_pids = pids;
	*ret_count = 1;
	return 0;
}

static void candidate_line(size_t number, const json_t *process, size_t width)
{
	_cleanup_(text_done) struct text command = {}, line = {};
	const char *version = field_string(json_object_get(process, "python"), "version");

	process_list_command(&command, process);
	text_printf(&line, "%4zu  %7ld  %-8.8s  ", number, (long)field_int_or(process, "pid", 0),
		    version ? version : "?");
	format_clean(&line, command.data);
	if (line.data)
		fprintf(stderr, "%.*s\n", (int)(width ? format_fit(line.data, width) : line.size),
			line.data);
}

/* A number from the terminal; 0 when there is none to be had. */
static size_t ask_number(size_t count)
{
	char line[32];
	char *end;
	unsigned long number;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return 0;
	fprintf(stderr, "Which one (1-%zu)? ", count);
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	number = strtoul(line, &end, 10);
	return end != line && (*end == '\n' || !*end) && number <= count ? number : 0;
}

static int choose(const json_t *list, pid_t **ret_pids, size_t *ret_count)
{
	size_t width = format_terminal(STDERR_FILENO), number;
	json_t *process;
	size_t i;

	fprintf(stderr, "%4s  %7s  %-8s  %s\n", "", "PID", "PYTHON", "COMMAND");
	json_array_foreach(list, i, process) candidate_line(i + 1, process, width);
	number = ask_number(json_array_size(list));
	if (!number)
		return failure_say(API_AMBIGUOUS, "%zu", json_array_size(list));
	return pid_one((pid_t)field_int_or(json_array_get(list, number - 1), "pid", 0), ret_pids,
		       ret_count);
}

static int none(const json_t *processes, const struct options *options)
{
	_cleanup_(text_done) struct text selectors = {};
	struct failure failure;
	const json_t *first = json_array_get(processes, 0);
	const char *reason = field_string(first, "reason");

	query_describe(&selectors, options);
	failure_set(&failure, API_NO_MATCH, "%s", selectors.data ? selectors.data : "");
	if (first && json_is_false(json_object_get(first, "supported")))
		failure_set(&failure, API_UNSUPPORTED, "process %ld: %s",
			    (long)field_int_or(first, "pid", 0), reason ? reason : "unsupported");
	else if (!selectors.size)
		snprintf(failure.message, sizeof(failure.message), "no Python process to be seen");
	return failure_print(&failure);
}

int select_from(const json_t *processes, const struct options *options, pid_t **ret_pids,
		size_t *ret_count)
{
	_cleanup_json_ json_t *list = candidates(processes);
	bool selected = options->given & OPTIONS_SELECT;

	if (!json_array_size(list))
		return none(processes, options);
	if (selected || json_array_size(list) == 1)
		return pids_of(list, ret_pids, ret_count);
	return choose(list, ret_pids, ret_count);
}

static int copy_pids(const struct options *options, pid_t **ret_pids, size_t *ret_count)
{
	pid_t *pids = calloc(options->npids, sizeof(*pids));

	if (!pids)
		return failure_say(API_INTERNAL, "out of memory");
	memcpy(pids, options->pids, options->npids * sizeof(*pids));
	*ret_pids = pids;
	*ret_count = options->npids;
	return 0;
}

int select_pids(struct client *client, const struct options *options, pid_t **ret_pids,
		size_t *ret_count)
{
	_cleanup_json_ json_t *document = NULL;
	_cleanup_(text_done) struct text path = {};
	struct failure failure;

	if ((options->given & OPTIONS_SELECT) == OPTION_BIT(PID))
		return copy_pids(options, ret_pids, ret_count);
	text_puts(&path, API_ROUTE_PROCESSES);
	query_select(&path, options);
	if (path.failed)
		return failure_say(API_INTERNAL, "out of memory");
	if (client_json(client, "GET", path.data, &document, &failure))
		return failure_print(&failure);
	return select_from(json_object_get(document, "processes"), options, ret_pids, ret_count);
}

int select_query(struct client *client, const struct options *options, struct text *path)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t count;
	int r;

	if (options->given & OPTIONS_SELECT) {
		query_select(path, options);
		return 0;
	}
	r = select_pids(client, options, &pids, &count);
	for (size_t i = 0; !r && i < count; i++)
		query_number(path, "pid", pids[i]);
	return r;
}
