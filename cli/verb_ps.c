/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `ps`: the Python processes, or those that ended lately. */
#include <stdio.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/process_list.h"
#include "cli/query.h"
#include "cli/verb.h"

/* The daemon may answer with the living beside the ended; a list shows one kind. */
static json_t *only(const json_t *processes, bool ended)
{
	json_t *list = json_array(), *process;
	size_t i;

	json_array_foreach(processes, i, process)
	{
		int64_t time;

		if (field_int(process, "ended_time_ns", &time) == ended)
			json_array_append(list, process);
	}
	return list;
}

static int ps_print(const json_t *document, const struct options *options)
{
	_cleanup_json_ json_t *list = only(json_object_get(document, "processes"), options->exited);
	bool colored = format_colored(STDOUT_FILENO, options->color);

	if (!json_array_size(list))
		failure_note(options->exited ? "no Python process ended in the last ten minutes"
					     : "no Python process to be seen");
	return output_end(options->exited ? process_list_print_ended(list, stdout, colored)
					  : process_list_print(list, stdout, colored));
}

int verb_ps(const struct options *options)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	_cleanup_json_ json_t *document = NULL;
	_cleanup_(text_done) struct text path = {};
	struct failure failure;

	text_puts(&path, API_ROUTE_PROCESSES);
	query_select(&path, options);
	if (options->exited)
		query_add(&path, "exited", "1");
	if (!client || path.failed)
		return failure_say(API_INTERNAL, "out of memory");
	if (options->json)
		return output_answer(client, path.data);
	if (client_json(client, "GET", path.data, &document, &failure))
		return failure_print(&failure);
	return ps_print(document, options);
}
