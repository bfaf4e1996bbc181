/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/dump_jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define ERROR_NO_THREAD "no live Linux thread was found for this thread state"

void dump_jobs_done(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->njobs; i++) {
		dump_thread_clear(&jobs->jobs[i].out);
		free(jobs->jobs[i].out.python_name);
	}
	free(jobs->jobs);
	free(jobs->tids);
	free(jobs->own_ids);
	pystack_done(&jobs->reader.stack);
	mem_free(jobs->reader.reader.mem);
}

void dump_jobs_finish(struct job *job, const char *error)
{
	job->out.error = error;
	job->done = true;
}

static struct job *jobs_add(struct jobs *jobs, pid_t tid)
{
	size_t room = jobs->room ? jobs->room * 2 : 64;
	struct job *job;

	if (jobs->njobs == jobs->room) {
		job = realloc(jobs->jobs, room * sizeof(*job));
		if (!job)
			return NULL;
		jobs->jobs = job;
		jobs->room = room;
	}
	job = &jobs->jobs[jobs->njobs++];
	*job = (struct job){.out.tid = tid};
	return job;
}

/* One job a Linux thread. */
static int jobs_linux(struct jobs *jobs)
{
	int r = procthread_list(jobs->pid, &jobs->tids, &jobs->ntids);

	if (r < 0)
		return r;
	jobs->own_ids = calloc(jobs->ntids, sizeof(*jobs->own_ids));
	if (!jobs->own_ids)
		return -ENOMEM;
	r = procthread_own_ids(jobs->pid, jobs->tids, jobs->ntids, jobs->own_ids);
	for (size_t i = 0; r == 0 && i < jobs->ntids; i++) {
		struct job *job = jobs_add(jobs, jobs->tids[i]);

		if (!job)
			return -ENOMEM;
		if (procthread_stat(jobs->pid, job->out.tid, &job->stat) == 0)
			memcpy(job->out.name, job->stat.name, sizeof(job->out.name));
		procthread_runs(jobs->pid, job->out.tid, &job->first);
	}
	return r;
}

static struct job *jobs_find(struct jobs *jobs, pid_t own_id)
{
	for (size_t i = 0; own_id && i < jobs->ntids; i++)
		if (jobs->own_ids[i] == own_id)
			return &jobs->jobs[i];
	return NULL;
}

/* A thread state that no live thread belongs to. Its frames may be anything by now. */
static int jobs_orphan(struct jobs *jobs, const struct pythread *thread)
{
	struct job *job = jobs_add(jobs, 0);

	if (!job)
		return -ENOMEM;
	job->out.ident = thread->ident;
	job->out.state = thread->own_id ? "dead" : NULL;
	dump_jobs_finish(job, ERROR_NO_THREAD);
	return 0;
}

/* The thread has a state of another interpreter already. */
static struct job *jobs_second(struct jobs *jobs, const struct pythread *thread)
{
	const struct job *first = jobs_find(jobs, thread->own_id);
	struct job *job = jobs_add(jobs, first->out.tid);

	if (!job)
		return NULL;
	first = jobs_find(jobs, thread->own_id); /* adding moved the jobs */
	memcpy(job->out.name, first->out.name, sizeof(job->out.name));
	job->stat = first->stat;
	job->first = first->first;
	return job;
}

/*
 * Gives the thread state to its thread's job. 3.7–3.11: the state of a thread that is being started
 * carries its parent's identity for a moment; the parent's own comes later in the list. A thread
 * that runs code of several interpreters has a state in each: a job for each.
 */
static int jobs_match(struct jobs *jobs, const struct pythread *thread)
{
	struct job *job = jobs_find(jobs, thread->own_id);

	if (!job)
		return jobs_orphan(jobs, thread);
	if (job->has_python && job->python.interp != thread->interp)
		job = jobs_second(jobs, thread);
	if (!job)
		return -ENOMEM;
	job->has_python = true;
	job->python = *thread;
	job->out.ident = thread->ident;
	return 0;
}

int dump_jobs_list(struct jobs *jobs)
{
	_cleanup_free_ struct pythread *threads = NULL;
	size_t nthreads = 0;
	int r = jobs_linux(jobs);

	if (r == 0)
		r = pythreads_list(&jobs->reader.reader, &threads, &nthreads);
	for (size_t i = 0; r == 0 && i < nthreads; i++)
		r = jobs_match(jobs, &threads[i]);
	return r;
}
