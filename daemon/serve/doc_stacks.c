/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * /v1/processes/{pid}/stacks: all threads now, read from outside.
 *
 * A worker reads and writes them down: that takes a millisecond of most processes, a second of one
 * that is built so, and for ever of one whose memory lies on a file system that hangs.
 */
#include "daemon/serve/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/worker.h"
#include "daemon/serve/selector.h"
#include "daemon/target/dump.h"

/* More than a dump allows itself (daemon/target/dump.c). */
#define ANSWER_NS 3000000000ull

struct taking {
	/* The worker's, until it has ended. */
	pid_t pid;
	struct dump_options options;
	int result;
	struct text body;
	/* The loop's. */
	struct request *request; /* NULL: nobody waits any more */
	struct loop_source *timer;
	bool ended;
};

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
	case -EAGAIN:
	case -EBUSY:
		return error_set(error, API_BUSY,
				 "process %lu: its file system does not answer, or too many "
				 "processes are being read",
				 request->id);
	case -ETIME:
		return error_set(error, API_BUSY, "process %lu: its memory does not answer",
				 request->id);
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

static void taking_run(void *data)
{
	struct taking *taking = data;
	struct dump dump;
	struct json json;

	taking->result = dump_take(taking->pid, &taking->options, &dump);
	if (taking->result < 0)
		return;
	request_begin_body(&taking->body, &json);
	json_array(&json, "processes");
	dump_write(&dump, &json);
	json_end(&json);
	json_end(&json);
	dump_done(&dump);
}

static void taking_free(struct taking *taking)
{
	text_done(&taking->body);
	free(taking);
}

/* The request ends: what still runs is freed as it ends. */
static void taking_leave(void *data)
{
	struct taking *taking = data;

	loop_remove(taking->request->serving->config.loop, taking->timer);
	taking->request = NULL;
	if (taking->ended)
		taking_free(taking);
}

static void taking_done(void *data, bool called)
{
	struct taking *taking = data;

	(void)called;
	taking->ended = true;
	if (taking->request)
		request_wake(taking->request);
	else
		taking_free(taking);
}

static void taking_late(void *data, uint64_t expirations)
{
	struct taking *taking = data;

	(void)expirations;
	request_wake(taking->request);
}

static int taking_resume(struct request *request)
{
	struct process *process =
	    processes_by_pid(request->serving->config.processes, (pid_t)request->id);
	struct taking *taking = request->work;
	int r = taking->ended ? taking->result : -ETIME;

	loop_remove(request->serving->config.loop, TAKE_PTR(taking->timer));
	if (!taking->ended) {
		request->work_free = NULL;
		taking_leave(TAKE_PTR(request->work));
	}
	if (r < 0)
		return dump_error(request, r, process ? process->python : NULL);
	request->body = taking->body;
	taking->body = (struct text){0};
	return 0;
}

/* A user's processes that hang leave room for those of others. */
static struct worker_job taking_job(const struct request *request, struct taking *taking)
{
	struct process *process =
	    processes_by_pid(request->serving->config.processes, (pid_t)request->id);

	return (struct worker_job){
	    .run = taking_run,
	    .done = taking_done,
	    .data = taking,
	    .owner = worker_owner(WORKER_PROCESS, request->id),
	    .group = worker_owner(WORKER_USER, process ? process->uid : UINT32_MAX),
	};
}

static int taking_start(struct request *request, const struct dump_options *options)
{
	struct taking *taking = calloc(1, sizeof(*taking));
	struct worker_job job = taking_job(request, taking);
	int r;

	if (!taking)
		return -ENOMEM;
	taking->request = request;
	taking->pid = (pid_t)request->id;
	taking->options = *options;
	taking->timer =
	    loop_add_timer(request->serving->config.loop, ANSWER_NS, 0, taking_late, taking);
	r = worker_start(&job);
	if (r < 0) {
		loop_remove(request->serving->config.loop, taking->timer);
		taking_free(taking);
		return -EBUSY;
	}
	request->resume = taking_resume;
	request->work = taking;
	request->work_free = taking_leave;
	return 0;
}

int doc_stacks(struct request *request)
{
	struct dump_options options = {0};
	int r;

	if ((r = query_flag(&request->query, "locals", &options.locals, &request->error)) < 0 ||
	    (r = rights_check(request, options.locals)) < 0)
		return r;
	r = taking_start(request, &options);
	return r < 0 ? dump_error(request, r, NULL) : REQUEST_WAITS;
}
