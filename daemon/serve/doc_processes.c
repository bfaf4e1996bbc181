/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/processes and /v1/processes/{pid}: who runs Python. */
#include "daemon/serve/doc.h"

#include "daemon/base/cleanup.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/selector.h"

#define CPU_WINDOW_NS 2000000000ull

static void write_selection(struct request *request, const struct selection *selection, bool ended)
{
	struct json json;

	usage_asked(request->serving->usage);
	request_begin(request, &json);
	json_array(&json, "processes");
	for (size_t i = 0; i < selection->nprocesses; i++) {
		struct process *process = selection->processes[i];

		if (ended != (process->ended_time_ns != 0))
			continue;
		json_object(&json, NULL);
		fields_process(&json, request->serving, process, CPU_WINDOW_NS);
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
}

/* With exited=1 those that ended, without it those that live. */
int doc_processes(struct request *request)
{
	_cleanup_(selector_done) struct selector selector = {0};
	_cleanup_(selection_done) struct selection selection = {0};
	bool exited;
	int r;

	if ((r = query_flag(&request->query, "exited", &exited, &request->error)) < 0 ||
	    (r = selector_parse(&request->query, &selector, &request->error)) < 0 ||
	    (r = selector_resolve(&selector, request->serving->config.processes, request->peer,
				  SELECT_ALL, exited, &selection, &request->error)) < 0)
		return r;
	write_selection(request, &selection, exited);
	return 0;
}

int doc_process(struct request *request)
{
	_cleanup_(selection_done) struct selection selection = {0};
	pid_t pid = (pid_t)request->id;
	struct selector selector = {.pids = &pid, .npids = 1};
	int r;

	if (request->id < 1 || request->id > INT32_MAX)
		return error_set(&request->error, API_NO_SUCH_PID, "%lu", request->id);
	r = selector_resolve(&selector, request->serving->config.processes, request->peer,
			     SELECT_ALL, true, &selection, &request->error);
	if (r < 0)
		return r;
	write_selection(request, &selection, selection.processes[0]->ended_time_ns != 0);
	return 0;
}
