/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * First look: whoever sleeps is read while it provably sleeps (still.h); most threads of most
 * processes do. Then, for at most RETRY_NS, those that run: the reader moves to a runner's CPU,
 * where the two take turns, and reads it in its own turn. What never came to a proof (a real-time
 * thread, one that changes CPUs faster than it can be followed) is walked several times; only the
 * outer frames that were the same each time are kept, and `error` says so. Equal walks of a running
 * thread are no proof: it can call the same functions at the same addresses again.
 */
#include "daemon/target/dump_prove.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/target/pygil.h"
#include "daemon/target/pysettle.h"
#include "daemon/target/still.h"

#define RETRY_NS 20000000ull /* for threads that run; one slice of the scheduler is 3–4 ms */
#define PAUSE_NS 300000      /* between turns */
#define ASIDE_NS 1000000     /* to see who runs */
#define WALKS 3              /* of a thread that never came to a proof */
#define WALK_TRIES 12

#define ERROR_OUTER                                                                                \
	"the thread kept running while it was read: only the outer frames did not change"
#define ERROR_RUNNING                                                                              \
	"the thread kept running while it was read: no part of its stack stayed the same"
#define ERROR_STOPPED "the thread was stopped in the middle of a call or return"
#define ERROR_UNREADABLE "the stack holds an address that is not mapped"
#define ERROR_ENDED "the thread ended while it was read"
#define ERROR_TOO_BIG "the dump became too large"
#define ERROR_TOO_LONG "the dump took too long"

static void job_ended(struct job *job)
{
	dump_thread_clear(&job->out);
	job->out.state = "dead";
	job->out.syscall = job->out.wait_cause = job->out.gil = NULL;
	dump_jobs_finish(job, job->has_python ? ERROR_ENDED : NULL);
}

/* True: the thread is there. */
static bool job_look(const struct jobs *jobs, struct job *job)
{
	if (procthread_stat(jobs->pid, job->out.tid, &job->stat) == 0 && job->stat.letter != 'Z' &&
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
static void job_native(const struct jobs *jobs, struct job *job)
{
	struct procthread_call call = {.running = true, .number = -1};
	struct procthread_runs now = job->first;

	if (!job_look(jobs, job))
		return;
	procthread_call(jobs->pid, job->out.tid, &call);
	procthread_runs(jobs->pid, job->out.tid, &now);
	dump_thread_set_state(&job->out, jobs->pid, job->stat.letter, &call, job_ran(job, &now));
	dump_jobs_finish(job, NULL);
}

/* It was interrupted at any instruction (preempted, stopped, waiting for a page), perhaps in the
 * middle of a call or return: its frames may lead nowhere for a moment. A system call is made from
 * whole ones. */
static bool still_anywhere(const struct still *still)
{
	return still->call.running || still->call.number < 0;
}

/* What a read of a still thread came to; not done: read it again. */
static void job_settle(struct job *job, int r, bool anywhere)
{
	if (r == 0)
		dump_jobs_finish(job, NULL);
	else if (r == -E2BIG)
		dump_jobs_finish(job, ERROR_TOO_BIG);
	else if (r == -ETIME)
		dump_jobs_finish(job, ERROR_TOO_LONG);
	else if (!anywhere)
		dump_jobs_finish(job, ERROR_UNREADABLE);
	job->out.truncated |= r < 0;
}

/* The letter was read before the thread was found asleep. */
static char still_letter(const struct still *still, char letter)
{
	return letter == 'R' && !still->call.running ? 'S' : letter;
}

/* cpu: where the reader rides, or -1. 0 (job->done says whether it was read) or -ENOMEM. */
static int job_try(struct jobs *jobs, struct job *job, int cpu)
{
	struct still still;
	struct pygil gil;
	int r;

	if (!job_look(jobs, job) || !still_begin(&still, jobs->pid, job->out.tid, cpu))
		return 0;
	mem_forget(jobs->reader.reader.mem);
	r = dump_thread_read(&jobs->reader, &job->python, &job->out);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && still_anywhere(&still) &&
	    !pysettle_check(&jobs->reader.reader, job->python.state))
		r = -EAGAIN;
	gil = pygil_look(&jobs->reader.reader, &job->python, &still.call);
	if (!still_holds(&still))
		return 0;
	job->out.gil = gil.state;
	dump_thread_set_state(&job->out, jobs->pid, still_letter(&still, job->stat.letter),
			      &still.call, job_ran(job, &still.runs));
	if (gil.waits)
		job->out.wait_cause = "gil";
	job_settle(job, r, still_anywhere(&still));
	return 0;
}

/* Walks a running thread once; tries again where the walk hits what is being changed. */
static int job_walk(struct jobs *jobs, const struct job *job, struct pystack *stack)
{
	int r = -EFAULT;

	for (unsigned i = 0; i < WALK_TRIES && r < 0 && r != -ENOMEM; i++) {
		mem_forget(jobs->reader.reader.mem);
		r = pythreads_same(&jobs->reader.reader, &job->python)
			? pystack_walk(&jobs->reader.reader, job->python.state, stack)
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
static int job_outer(struct jobs *jobs, const struct job *job, struct pystack *stack,
		     size_t *ret_outer)
{
	_cleanup_(pystack_done) struct pystack first = {0};
	int r = job_walk(jobs, job, &first);
	size_t outer = first.nframes;

	for (unsigned i = 1; r == 0 && i < WALKS; i++) {
		pause_ns(PAUSE_NS);
		r = job_walk(jobs, job, stack);
		outer = MIN(outer, pystack_common(&first, stack));
	}
	if (first.truncated || stack->truncated) /* the outermost frame was not reached */
		outer = 0;
	if (r == 0)
		*ret_outer = outer;
	return r;
}

/* For a thread that never was still. */
static int job_guess(struct jobs *jobs, struct job *job)
{
	_cleanup_(pystack_done) struct pystack stack = {0};
	const struct procthread_call call = {.running = true, .number = -1};
	const char *error = ERROR_RUNNING;
	size_t outer = 0;
	int r;

	dump_thread_clear(&job->out);
	r = loop_now_ns() < jobs->reader.end_ns ? job_outer(jobs, job, &stack, &outer) : -ETIME;
	if (job->stat.letter == 'T' || job->stat.letter == 't') {
		outer = 0;
		error = ERROR_STOPPED;
	}
	if (r == 0 && outer)
		r = dump_thread_frames(&jobs->reader, &stack, stack.nframes - outer, &job->out);
	if (r == -ENOMEM)
		return r;
	if (!job_look(jobs, job))
		return 0;
	dump_thread_set_state(&job->out, jobs->pid, job->stat.letter, &call, true);
	job->out.truncated = true;
	dump_jobs_finish(job, job->out.nframes ? ERROR_OUTER : error);
	return 0;
}

static int jobs_pass(struct jobs *jobs, int cpu)
{
	for (size_t i = 0; i < jobs->njobs; i++) {
		int r = jobs->jobs[i].done ? 0 : job_try(jobs, &jobs->jobs[i], cpu);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The turn-th of the jobs that are not done yet; NULL: all are. */
static struct job *jobs_pending(struct jobs *jobs, unsigned turn)
{
	struct job *pending = NULL;
	size_t npending = 0;

	for (size_t i = 0; i < jobs->njobs; i++)
		npending += !jobs->jobs[i].done;
	if (!npending)
		return NULL;
	turn %= npending;
	for (size_t i = 0; i < jobs->njobs; i++) {
		if (jobs->jobs[i].done)
			continue;
		pending = &jobs->jobs[i];
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

/* What never is still may be still a moment later: turn by turn, until the time is up. A pause
 * between the turns leaves the CPU to the threads that are waited for. */
static int jobs_retry(struct jobs *jobs)
{
	uint64_t end = loop_now_ns() + RETRY_NS;
	struct still_seat seat = {.cpu = -1};
	struct job *job;
	int r = 0;

	for (unsigned turn = 0; r == 0 && loop_now_ns() < end; turn++) {
		job = jobs_pending(jobs, turn);
		if (!job)
			break;
		if (job_look(jobs, job) && job_shares(job))
			still_ride(&seat, job->stat.cpu);
		r = jobs_pass(jobs, seat.cpu);
		if (!job->done)
			pause_ns(PAUSE_NS);
	}
	still_leave(&seat);
	return r;
}

/* The reader may have taken the CPU that a runnable thread had: out of its way for a moment, such a
 * thread runs, and others that wait for a CPU do not. */
static void jobs_let_run(const struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->njobs; i++) {
		if (jobs->jobs[i].stat.letter == 'R') {
			pause_ns(ASIDE_NS);
			return;
		}
	}
}

int dump_prove(struct jobs *jobs)
{
	int r;

	jobs_let_run(jobs);
	for (size_t i = 0; i < jobs->njobs; i++)
		if (!jobs->jobs[i].has_python && !jobs->jobs[i].done)
			job_native(jobs, &jobs->jobs[i]);
	r = jobs_pass(jobs, -1);
	if (r == 0)
		r = jobs_retry(jobs);
	for (size_t i = 0; r == 0 && i < jobs->njobs; i++)
		if (!jobs->jobs[i].done)
			r = job_guess(jobs, &jobs->jobs[i]);
	return r;
}
