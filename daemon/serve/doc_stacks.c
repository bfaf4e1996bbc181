/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/processes/{pid}/stacks: all threads now, read from outside. */
#include "daemon/serve/doc.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/selector.h"
#include "daemon/target/dump.h"

static int dump_error(struct request *request, int r, const struct python *python)
{
	struct error *error = &request->error;

	switch (r) {
	case -ESRCH:
		return error_set(error, API_NO_SUCH_PID, "%lu", request->id);
	case -ENODATA:
		return error_set(error, API_NOT_PYTHON, "%lu", request->id);
	case -EPROTONOSUPPORT:
		return error_set(error, API_UNSUPPORTED, "process %lu: %s", request->id,
				 python && python->image.reason[0] ? python->image.reason
								   : "this Python is not known");
	case -EPERM:
	case -EACCES:
		return error_set(error, API_NO_PERMISSION, "the memory of process %lu",
				 request->id);
	default:
		return error_set(error, API_INTERNAL, "cannot read process %lu: %s", request->id,
				 strerror(-r));
	}
}

/* The table may not know a process yet that has just become Python, so the reader decides what it
 * is; who may see it is decided first. */
static int rights_check(struct request *request, bool locals)
{
	pid_t pid = (pid_t)request->id;
	struct selector selector = {.pids = &pid, .npids = 1};
	_cleanup_(selection_done) struct selection selection = {0};
	int r;

	if (request->id < 1 || request->id > INT32_MAX)
		return error_set(&request->error, API_NO_SUCH_PID, "%lu", request->id);
	r = selector_resolve(&selector, request->serving->config.processes, request->peer,
			     SELECT_ALL, false, &selection, &request->error);
	if (r < 0 && request->error.code != API_NOT_PYTHON)
		return r;
	if (locals && !peer_may_read(request->peer, pid))
		return error_set(&request->error, API_NO_PERMISSION,
				 "local variables of process %d, which its owner and root may see",
				 (int)pid);
	return 0;
}

int doc_stacks(struct request *request)
{
	struct process *process =
	    processes_by_pid(request->serving->config.processes, (pid_t)request->id);
	struct dump_options options = {0};
	struct dump dump;
	struct json json;
	int r;

	if ((r = query_flag(&request->query, "locals", &options.locals, &request->error)) < 0 ||
	    (r = rights_check(request, options.locals)) < 0)
		return r;
	r = dump_take((pid_t)request->id, &options, &dump);
	if (r < 0)
		return dump_error(request, r, process ? &process->python : NULL);
	request_begin(request, &json);
	json_array(&json, "processes");
	dump_write(&dump, &json);
	json_end(&json);
	json_end(&json);
	dump_done(&dump);
	return 0;
}
