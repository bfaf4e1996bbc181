/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Threads of a process → [dump] → stacks that existed.
 *
 * First look: whoever sleeps is read while it provably sleeps (still.h); most threads of most
 * processes do. Then, for at most RETRY_NS, those that run: the reader moves to a runner's CPU,
 * where the two take turns, and reads it in its own turn. What never came to a proof (a real-time
 * thread, one that changes CPUs faster than it can be followed) is walked several times; only the
 * outer frames that were the same each time are kept, and `error` says so. Equal walks of a running
 * thread are no proof: it can call the same functions at the same addresses again.
 */
#include "daemon/target/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/target/dump_thread.h"
#include "daemon/target/pygil.h"
#include "daemon/target/pynames.h"
#include "daemon/target/still.h"

#define RETRY_NS 20000000ull /* for threads that run; one slice of the scheduler is 3–4 ms */
#define PAUSE_NS 300000      /* between looks when no CPU can be shared */
#define WALKS 3              /* of a thread that never came to a proof */
#define WALK_TRIES 12

#define ERROR_OUTER                                                                                \
	"the thread kept running while it was read: only the outer frames did not change"
#define ERROR_RUNNING                                                                              \
	"the thread kept running while it was read: no part of its stack stayed the same"
#define ERROR_UNREADABLE "the stack holds an address that is not mapped"
#define ERROR_ENDED "the thread ended while it was read"
#define ERROR_NO_THREAD "no live Linux thread was found for this thread state"
#define ERROR_TOO_BIG "the dump became too large"

struct job {
	struct dump_thread out;
	bool has_python;
	struct pythread python;
	struct procthread_stat stat;
	struct procthread_runs first; /* as the dump began */
	bool done;
};

struct take {
	pid_t pid;
	struct dump_reader reader;
	struct job *jobs;
	size_t njobs, room;
	pid_t *tids, *own_ids;
	size_t ntids;
};

static void take_done(struct take *take)
{
	for (size_t i = 0; i < take->njobs; i++) {
		dump_thread_clear(&take->jobs[i].out);
		free(take->jobs[i].out.python_name);
	}
	free(take->jobs);
	free(take->tids);
	free(take->own_ids);
	pystack_done(&take->reader.stack);
	mem_free(take->reader.reader.mem);
}

void dump_done(struct dump *dump)
{
	for (size_t i = 0; i < dump->nthreads; i++) {
		dump_thread_clear(&dump->threads[i]);
		free(dump->threads[i].python_name);
	}
	free(dump->threads);
	*dump = (struct dump){0};
}

static void job_finish(struct job *job, const char *error)
{
	job->out.error = error;
	job->done = true;
}

static void job_ended(struct job *job)
{
	dump_thread_clear(&job->out);
	job->out.state = "dead";
	job->out.syscall = job->out.wait_cause = job->out.gil = NULL;
	job_finish(job, job->has_python ? ERROR_ENDED : NULL);
}

/* True: the thread is there. */
static bool job_look(const struct take *take, struct job *job)
{
	if (procthread_stat(take->pid, job->out.tid, &job->stat) == 0 && job->stat.letter != 'Z' &&
	    job->stat.letter != 'X')
		return true;
	job_ended(job);
	return false;
}

static bool job_ran(const struct job *job, const struct procthread_runs *now)
{
	return now->count != job->first.count || now->run_ns != job->first.run_ns;
}

/* A thread without Python has only a state. */
static void job_native(const struct take *take, struct job *job)
{
	struct procthread_call call = {.running = true, .number = -1};
	struct procthread_runs now = job->first;

	if (!job_look(take, job))
		return;
	procthread_call(take->pid, job->out.tid, &call);
	procthread_runs(take->pid, job->out.tid, &now);
	dump_thread_set_state(&job->out, take->pid, job->stat.letter, &call, job_ran(job, &now));
	job_finish(job, NULL);
}

/* What a read of a still thread came to. One that was preempted may be in the middle of a call, so
 * that its frames lead nowhere for a moment: it is read again. */
static void job_settle(struct job *job, int r, bool asleep)
{
	if (r == 0)
		job_finish(job, NULL);
	else if (r == -E2BIG)
		job_finish(job, ERROR_TOO_BIG);
	else if (asleep)
		job_finish(job, ERROR_UNREADABLE);
}

/* The letter was read before the thread was found asleep. */
static char still_letter(const struct still *still, char letter)
{
	return letter == 'R' && !still->call.running ? 'S' : letter;
}

/* cpu: where the reader rides, or -1. 0 (job->done says whether it was read) or -ENOMEM. */
static int job_try(struct take *take, struct job *job, int cpu)
{
	struct still still;
	struct pygil gil;
	int r;

	if (!job_look(take, job) || !still_begin(&still, take->pid, job->out.tid, cpu))
		return 0;
	mem_forget(take->reader.reader.mem);
	r = dump_thread_read(&take->reader, &job->python, &job->out);
	if (r == -ENOMEM)
		return r;
	gil = pygil_look(&take->reader.reader, &job->python, &still.call);
	if (!still_holds(&still))
		return 0;
	job->out.gil = gil.state;
	dump_thread_set_state(&job->out, take->pid, still_letter(&still, job->stat.letter),
			      &still.call, job_ran(job, &still.runs));
	if (gil.waits)
		job->out.wait_cause = "gil";
	job_settle(job, r, !still.call.running);
	return 0;
}

/* Walks a running thread once; tries again where the walk hits what is being changed. */
static int job_walk(struct take *take, const struct job *job, struct pystack *stack)
{
	int r = -EFAULT;

	for (unsigned i = 0; i < WALK_TRIES && r < 0 && r != -ENOMEM; i++) {
		mem_forget(take->reader.reader.mem);
		r = pythreads_same(&take->reader.reader, &job->python)
			? pystack_walk(&take->reader.reader, job->python.state, stack)
			: -EBADMSG;
	}
	return r;
}

static void pause_ns(uint64_t ns)
{
	struct timespec pause = {.tv_nsec = (long)ns};

	nanosleep(&pause, NULL);
}

/* The outer frames that were the same in every walk; *stack is the last walk. */
static int job_outer(struct take *take, const struct job *job, struct pystack *stack,
		     size_t *ret_outer)
{
	_cleanup_(pystack_done) struct pystack first = {0};
	int r = job_walk(take, job, &first);
	size_t outer = first.nframes;

	for (unsigned i = 1; r == 0 && i < WALKS; i++) {
		pause_ns(PAUSE_NS);
		r = job_walk(take, job, stack);
		outer = MIN(outer, pystack_common(&first, stack));
	}
	if (first.truncated || stack->truncated) /* the outermost frame was not reached */
		outer = 0;
	if (r == 0)
		*ret_outer = outer;
	return r;
}

/* For a thread that never was still. */
static int job_guess(struct take *take, struct job *job)
{
	_cleanup_(pystack_done) struct pystack stack = {0};
	const struct procthread_call call = {.running = true, .number = -1};
	size_t outer = 0;
	int r;

	dump_thread_clear(&job->out);
	r = job_outer(take, job, &stack, &outer);
	if (r == 0 && outer)
		r = dump_thread_frames(&take->reader, &stack, stack.nframes - outer, &job->out);
	if (r == -ENOMEM)
		return r;
	if (!job_look(take, job))
		return 0;
	dump_thread_set_state(&job->out, take->pid, job->stat.letter, &call, true);
	job->out.truncated = true;
	job_finish(job, job->out.nframes ? ERROR_OUTER : ERROR_RUNNING);
	return 0;
}

static int take_pass(struct take *take, int cpu)
{
	for (size_t i = 0; i < take->njobs; i++) {
		int r = take->jobs[i].done ? 0 : job_try(take, &take->jobs[i], cpu);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The turn-th of the jobs that are not done yet; NULL: all are. */
static struct job *take_pending(struct take *take, unsigned turn)
{
	struct job *pending = NULL;
	size_t npending = 0;

	for (size_t i = 0; i < take->njobs; i++)
		npending += !take->jobs[i].done;
	if (!npending)
		return NULL;
	turn %= npending;
	for (size_t i = 0; i < take->njobs; i++) {
		if (take->jobs[i].done)
			continue;
		pending = &take->jobs[i];
		if (!turn--)
			break;
	}
	return pending;
}

/* A real-time thread would not let the reader have its turn. */
static bool job_shares(const struct job *job)
{
	int policy = job->stat.policy;

	return job->stat.letter == 'R' &&
	       (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE);
}

static int take_retry(struct take *take)
{
	uint64_t end = loop_now_ns() + RETRY_NS;
	struct still_seat seat = {.cpu = -1};
	struct job *job;
	int r = 0;

	for (unsigned turn = 0; r == 0 && loop_now_ns() < end; turn++) {
		job = take_pending(take, turn);
		if (!job)
			break;
		if (!job_look(take, job))
			continue;
		if (!job_shares(job) || still_ride(&seat, job->stat.cpu) < 0)
			pause_ns(PAUSE_NS);
		r = take_pass(take, seat.cpu);
	}
	still_leave(&seat);
	return r;
}

static int take_threads(struct take *take)
{
	int r = take_pass(take, -1);

	if (r == 0)
		r = take_retry(take);
	for (size_t i = 0; r == 0 && i < take->njobs; i++)
		if (!take->jobs[i].done)
			r = job_guess(take, &take->jobs[i]);
	return r;
}

static struct job *take_add(struct take *take, pid_t tid)
{
	size_t room = take->room ? take->room * 2 : 64;
	struct job *jobs = take->jobs;

	if (take->njobs == take->room) {
		jobs = realloc(take->jobs, room * sizeof(*jobs));
		if (!jobs)
			return NULL;
		take->jobs = jobs;
		take->room = room;
	}
	jobs = &take->jobs[take->njobs++];
	*jobs = (struct job){.out.tid = tid};
	return jobs;
}

/* One job a Linux thread. */
static int take_list(struct take *take)
{
	int r = procthread_list(take->pid, &take->tids, &take->ntids);

	if (r < 0)
		return r;
	take->own_ids = calloc(take->ntids, sizeof(*take->own_ids));
	if (!take->own_ids)
		return -ENOMEM;
	r = procthread_own_ids(take->pid, take->tids, take->ntids, take->own_ids);
	for (size_t i = 0; r == 0 && i < take->ntids; i++) {
		struct job *job = take_add(take, take->tids[i]);

		if (!job)
			return -ENOMEM;
		if (procthread_stat(take->pid, job->out.tid, &job->stat) == 0)
			memcpy(job->out.name, job->stat.name, sizeof(job->out.name));
		procthread_runs(take->pid, job->out.tid, &job->first);
	}
	return r;
}

static struct job *take_find(struct take *take, pid_t own_id)
{
	for (size_t i = 0; own_id && i < take->ntids; i++)
		if (take->own_ids[i] == own_id)
			return &take->jobs[i];
	return NULL;
}

/* A thread state that no live thread belongs to. Its frames may be anything by now. */
static int take_orphan(struct take *take, const struct pythread *thread)
{
	struct job *job = take_add(take, 0);

	if (!job)
		return -ENOMEM;
	job->out.ident = thread->ident;
	job->out.state = thread->own_id ? "dead" : NULL;
	job_finish(job, ERROR_NO_THREAD);
	return 0;
}

/*
 * Gives the thread state to its thread's job. 3.7–3.11: the state of a thread that is being started
 * carries its parent's identity for a moment; the parent's own comes later in the list. A thread
 * that runs code of several interpreters has a state in each: a job for each.
 */
static int take_match(struct take *take, const struct pythread *thread)
{
	struct job *job = take_find(take, thread->own_id);
	struct job *extra;

	if (!job)
		return take_orphan(take, thread);
	if (job->has_python && job->python.interp != thread->interp) {
		extra = take_add(take, job->out.tid); /* moves the jobs */
		if (!extra)
			return -ENOMEM;
		job = take_find(take, thread->own_id);
		memcpy(extra->out.name, job->out.name, sizeof(extra->out.name));
		extra->stat = job->stat;
		extra->first = job->first;
		job = extra;
	}
	job->has_python = true;
	job->python = *thread;
	job->out.ident = thread->ident;
	return 0;
}

static int take_python(struct take *take)
{
	_cleanup_free_ struct pythread *threads = NULL;
	size_t nthreads = 0;
	int r = pythreads_list(&take->reader.reader, &threads, &nthreads);

	for (size_t i = 0; r == 0 && i < nthreads; i++)
		r = take_match(take, &threads[i]);
	for (size_t i = 0; r == 0 && i < take->njobs; i++)
		if (!take->jobs[i].has_python && !take->jobs[i].done)
			job_native(take, &take->jobs[i]);
	return r;
}

static void take_name(void *data, uint64_t ident, pid_t own_id, const char *name)
{
	struct take *take = data;

	(void)own_id;
	for (size_t i = 0; i < take->njobs; i++) {
		struct dump_thread *thread = &take->jobs[i].out;

		if (thread->ident == ident && !thread->python_name)
			thread->python_name = strdup(name);
	}
}

static int take_open(struct take *take, const struct python *python)
{
	take->pid = python->pid;
	take->reader.reader = (struct pyreader){
	    .mem = mem_new(python->pid),
	    .python = python,
	    .layout = &python->image.layout,
	    .objects = &python->image.objects,
	};
	return take->reader.reader.mem ? 0 : -ENOMEM;
}

/* An interpreter that the thread once ran code of, and does not now. */
static bool job_idle_extra(const struct take *take, size_t at)
{
	const struct dump_thread *thread = &take->jobs[at].out;

	return at >= take->ntids && thread->tid && !thread->nframes && !thread->error;
}

static int take_move(struct take *take, struct dump *dump)
{
	dump->threads = calloc(take->njobs, sizeof(*dump->threads));
	if (!dump->threads)
		return -ENOMEM;
	for (size_t i = 0; i < take->njobs; i++) {
		if (job_idle_extra(take, i))
			continue;
		dump->threads[dump->nthreads++] = take->jobs[i].out;
		take->jobs[i].out = (struct dump_thread){0};
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

static int take_all(struct take *take)
{
	int r = take_list(take);

	if (r == 0)
		r = take_python(take);
	if (r == 0)
		r = take_threads(take);
	if (r < 0)
		return r;
	mem_forget(take->reader.reader.mem);
	pynames_each(&take->reader.reader, take_name, take); /* names are an extra: best effort */
	return 0;
}

int dump_take(pid_t pid, const struct dump_options *options, struct dump *ret_dump)
{
	_cleanup_(take_done) struct take take = {.reader.locals = options && options->locals};
	struct dump dump = {0};
	int r = find_python(pid, &dump.python);

	if (r == 0)
		r = take_open(&take, &dump.python);
	if (r == 0)
		r = take_all(&take);
	if (r == 0)
		r = take_move(&take, &dump);
	if (r < 0)
		return r;
	*ret_dump = dump;
	return 0;
}
