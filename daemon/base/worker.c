/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread a job: jobs are rare, and a thread costs some 50 µs. The table is static, so that a
 * thread that outlives worker_done() finds its row still there.
 */
#include "daemon/base/worker.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

/* What hangs anew each time costs a wait each time: at most this much of a second is waited. */
#define WAITS_NS_MAX 100000000ull
#define NS_PER_S 1000000000ull
#define PATIENT_WAIT_NS 100000000ull
#define LATE_MAX 4    /* calls of one owner that were waited for in vain */
#define KIND_SHIFT 56 /* of an owner: its kind above, its id below */

struct worker {
	struct worker_job job;
	uint64_t owner; /* who is to blame now */
	uint64_t since_ns;
	bool used, called, ended;
	bool late; /* a call has stopped waiting for it */
};

static struct {
	struct loop *loop; /* NULL: jobs run in the caller */
	struct loop_source *watch;
	pthread_mutex_t lock; /* of the next three */
	pthread_cond_t ended;
	int event; /* -1: nobody listens */
	struct worker workers[WORKERS_MAX];
	bool hurried;
	uint64_t second, waited_ns; /* waited for what did not end in time, in this second */
} w = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER, .event = -1};

static __thread struct worker *self; /* NULL: no worker's thread */

uint64_t worker_owner(enum worker_owner kind, uint64_t id)
{
	return (uint64_t)kind << KIND_SHIFT | (id & ((1ull << KIND_SHIFT) - 1));
}

static void *worker_thread(void *data)
{
	struct worker *worker = data;

	self = worker;
	worker->job.run(worker->job.data);
	pthread_mutex_lock(&w.lock);
	worker->ended = true;
	pthread_cond_broadcast(&w.ended);
	if (w.event >= 0)
		eventfd_write(w.event, 1);
	pthread_mutex_unlock(&w.lock);
	return NULL;
}

/* Frees the row of a job that has ended; false: it runs. */
static bool worker_take(struct worker *worker, struct worker_job *ret_job)
{
	bool ended;

	pthread_mutex_lock(&w.lock);
	ended = worker->used && worker->ended;
	*ret_job = worker->job;
	if (ended)
		worker->used = false;
	pthread_mutex_unlock(&w.lock);
	return ended;
}

static void on_ended(void *data, int fd, uint32_t events)
{
	struct worker_job job;
	eventfd_t count;

	(void)data;
	(void)events;
	eventfd_read(fd, &count);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (worker_take(&w.workers[i], &job) && job.done)
			job.done(job.data, false);
}

int worker_init(struct loop *loop)
{
	_cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (event < 0)
		return -errno;
	/* An arena a thread would keep what each of them once needed. */
	mallopt(M_ARENA_MAX, 1);
	w.watch = loop_add_fd(loop, event, EPOLLIN, on_ended, NULL);
	if (!w.watch)
		return -errno;
	w.loop = loop;
	w.hurried = false;
	pthread_mutex_lock(&w.lock);
	w.event = TAKE_FD(event);
	pthread_mutex_unlock(&w.lock);
	return 0;
}

void worker_hurry(void)
{
	w.hurried = true;
}

void worker_done(void)
{
	if (!w.loop)
		return;
	loop_remove(w.loop, w.watch);
	pthread_mutex_lock(&w.lock);
	close(w.event);
	w.event = -1;
	for (size_t i = 0; i < WORKERS_MAX; i++)
		w.workers[i].job.done = NULL;
	pthread_mutex_unlock(&w.lock);
	w.loop = NULL;
}

static bool worker_hangs(const struct worker *worker, uint64_t now_ns)
{
	bool files = worker->owner >> KIND_SHIFT == WORKER_FILES;

	return now_ns - worker->since_ns > (files ? WORKER_FILES_NS : WORKER_LATE_NS);
}

/* One that hangs is enough. Calls give a file system up sooner, before it has taken all rows, and
 * come again; whoever waits for a started job would be told. */
static bool owner_hangs(uint64_t owner, bool called)
{
	uint64_t now_ns = loop_now_ns();
	unsigned late = 0;

	for (size_t i = 0; i < WORKERS_MAX; i++) {
		const struct worker *worker = &w.workers[i];

		if (!worker->used || worker->ended || worker == self || worker->owner != owner)
			continue;
		if (worker_hangs(worker, now_ns))
			return true;
		late += worker->late;
	}
	return called && late >= LATE_MAX;
}

/* A free row, NULL when the job is refused. */
static struct worker *worker_admit(const struct worker_job *job, bool called)
{
	unsigned started = 0, of_group = 0;
	struct worker *row = NULL;

	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *worker = &w.workers[i];

		if (!worker->used)
			row = worker;
		started += worker->used && !worker->called;
		of_group += worker->used && job->group && worker->job.group == job->group;
	}
	if (owner_hangs(job->owner, called) || of_group >= WORKERS_GROUP_MAX ||
	    (!called && started >= WORKERS_STARTED_MAX))
		return NULL;
	return row;
}

/* Signals are the loop's. */
static int thread_start(struct worker *worker)
{
	sigset_t all, before;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, NULL, worker_thread, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return -EAGAIN;
	pthread_detach(thread);
	return 0;
}

static int job_begin(const struct worker_job *job, bool called, struct worker **ret_worker)
{
	struct worker *worker;
	int r = -EBUSY;

	pthread_mutex_lock(&w.lock);
	worker = worker_admit(job, called);
	if (worker) {
		*worker = (struct worker){.job = *job,
					  .owner = job->owner,
					  .since_ns = loop_now_ns(),
					  .used = true,
					  .called = called};
		r = thread_start(worker);
		worker->used = r == 0;
	}
	pthread_mutex_unlock(&w.lock);
	*ret_worker = worker;
	return r;
}

int worker_start(const struct worker_job *job)
{
	struct worker *worker;

	return w.loop ? job_begin(job, false, &worker) : -EAGAIN;
}

/* How long a call may wait: what was lost by waiting is bounded. */
static uint64_t wait_allowed(uint64_t now_ns)
{
	if (!w.hurried)
		return PATIENT_WAIT_NS;
	if (now_ns / NS_PER_S != w.second) {
		w.second = now_ns / NS_PER_S;
		w.waited_ns = 0;
	}
	return MIN(WORKER_WAIT_NS, WAITS_NS_MAX - MIN(w.waited_ns, WAITS_NS_MAX));
}

/* True: it has ended. */
static bool worker_wait(struct worker *worker, uint64_t until_ns)
{
	struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
	bool ended;
	int r = 0;

	pthread_mutex_lock(&w.lock);
	while (!worker->ended && r == 0)
		r = pthread_cond_clockwait(&w.ended, &w.lock, CLOCK_MONOTONIC, &until);
	ended = worker->ended;
	worker->late = !ended;
	pthread_mutex_unlock(&w.lock);
	return ended;
}

int worker_call(const struct worker_job *job)
{
	uint64_t now_ns = loop_now_ns(), allowed;
	struct worker_job ended;
	struct worker *worker;
	int r;

	if (!w.loop) {
		job->run(job->data);
		job->done(job->data, true);
		return 0;
	}
	r = job_begin(job, true, &worker);
	if (r < 0)
		return r;
	allowed = wait_allowed(now_ns);
	if (worker_wait(worker, now_ns + allowed) && worker_take(worker, &ended)) {
		ended.done(ended.data, true);
		return 0;
	}
	w.waited_ns += allowed;
	return -ETIME;
}

bool worker_touch(uint64_t owner)
{
	bool hangs;

	if (!self)
		return true;
	pthread_mutex_lock(&w.lock);
	hangs = owner_hangs(owner, self->called);
	if (!hangs) {
		self->owner = owner;
		self->since_ns = loop_now_ns();
	}
	pthread_mutex_unlock(&w.lock);
	return !hangs;
}

void worker_touched(void)
{
	if (!self)
		return;
	pthread_mutex_lock(&w.lock);
	self->owner = self->job.owner;
	self->since_ns = loop_now_ns();
	pthread_mutex_unlock(&w.lock);
}
