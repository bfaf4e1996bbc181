/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Process → its interpreter → its threads → [dump] → stacks that existed, with names. */
#include "daemon/target/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/target/dump_jobs.h"
#include "daemon/target/dump_prove.h"
#include "daemon/target/pynames.h"

/* A process with thousands of threads takes a fraction of it; one that is built to keep its reader
 * busy gets no more. */
#define DUMP_NS_MAX 2000000000ull

void dump_done(struct dump *dump)
{
	for (size_t i = 0; i < dump->nthreads; i++) {
		dump_thread_clear(&dump->threads[i]);
		free(dump->threads[i].python_name);
	}
	free(dump->threads);
	*dump = (struct dump){0};
}

static void jobs_name(void *data, uint64_t ident, pid_t own_id, const char *name)
{
	struct jobs *jobs = data;

	(void)own_id;
	for (size_t i = 0; i < jobs->njobs; i++) {
		struct dump_thread *thread = &jobs->jobs[i].out;

		if (thread->ident == ident && !thread->python_name)
			thread->python_name = strdup(name);
	}
}

static int jobs_open(struct jobs *jobs, const struct python *python)
{
	jobs->pid = python->pid;
	jobs->reader.end_ns = loop_now_ns() + DUMP_NS_MAX;
	jobs->reader.reader = (struct pyreader){
	    .mem = mem_new(python->pid),
	    .python = python,
	    .layout = &python->image.layout,
	    .objects = &python->image.objects,
	};
	return jobs->reader.reader.mem ? 0 : -ENOMEM;
}

/* An interpreter that the thread once ran code of, and does not now. */
static bool job_idle_extra(const struct jobs *jobs, size_t at)
{
	const struct dump_thread *thread = &jobs->jobs[at].out;

	return at >= jobs->ntids && thread->tid && !thread->nframes && !thread->error;
}

static int jobs_move(struct jobs *jobs, struct dump *dump)
{
	dump->threads = calloc(jobs->njobs, sizeof(*dump->threads));
	if (!dump->threads)
		return -ENOMEM;
	for (size_t i = 0; i < jobs->njobs; i++) {
		if (job_idle_extra(jobs, i))
			continue;
		dump->threads[dump->nthreads++] = jobs->jobs[i].out;
		jobs->jobs[i].out = (struct dump_thread){0};
	}
	return 0;
}

static int find_python(pid_t pid, struct python *ret_python)
{
	int r = python_find(pid, ret_python);

	if (r < 0)
		return r == -EACCES ? -EPERM : r;
	return ret_python->image.state == PY_SUPPORTED ? 0 : -EPROTONOSUPPORT;
}

static bool jobs_all_dead(const struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->njobs; i++)
		if (jobs->jobs[i].out.tid && strcmp(jobs->jobs[i].out.state, "dead"))
			return false;
	return true;
}

static int jobs_do(struct jobs *jobs)
{
	int r = dump_jobs_list(jobs);

	if (r == -EFAULT) /* the interpreter's data are gone: exec() */
		return -ENODATA;
	if (r == 0)
		r = dump_prove(jobs);
	if (r < 0)
		return r;
	if (jobs_all_dead(jobs))
		return -ESRCH;
	mem_forget(jobs->reader.reader.mem);
	pynames_each(&jobs->reader.reader, jobs_name, jobs); /* names are an extra: best effort */
	return 0;
}

int dump_take(pid_t pid, const struct dump_options *options, struct dump *ret_dump)
{
	_cleanup_(dump_jobs_done) struct jobs jobs = {.reader.locals = options && options->locals};
	struct dump dump = {0};
	int r = find_python(pid, &dump.python);

	if (r == 0)
		r = jobs_open(&jobs, &dump.python);
	if (r == 0)
		r = jobs_do(&jobs);
	if (r == 0)
		r = jobs_move(&jobs, &dump);
	if (r < 0)
		return r;
	*ret_dump = dump;
	return 0;
}
