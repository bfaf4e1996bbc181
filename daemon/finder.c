/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/finder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/base/map.h"
#include "daemon/base/worker.h"

#define TICK_MAX 32 /* processes that are asked again in one tick */

struct deferred {
	uint64_t next_ns; /* UINT64_MAX: it is being asked */
	uint64_t wait_ns;
};

struct finder {
	struct map *deferred; /* pid_t → struct deferred */
	void (*found)(void *data, const struct python *python);
	void *data;
};

/* One process; the worker's until it has ended. */
struct question {
	struct finder *finder;
	pid_t pid;
	int result;
	struct python python;
};

struct finder *finder_new(void (*found)(void *data, const struct python *python), void *data)
{
	struct finder *finder = calloc(1, sizeof(*finder));

	if (!finder)
		return NULL;
	finder->found = found;
	finder->data = data;
	finder->deferred = map_new(sizeof(pid_t), sizeof(struct deferred));
	if (!finder->deferred) {
		free(finder);
		return NULL;
	}
	return finder;
}

void finder_free(struct finder *finder)
{
	if (!finder)
		return;
	map_free(finder->deferred);
	free(finder);
}

void finder_defer(struct finder *finder, pid_t pid)
{
	struct deferred *d = map_get(finder->deferred, &pid);

	if (!d && map_count(finder->deferred) < FINDER_DEFERRED_MAX)
		d = map_put(finder->deferred, &pid, NULL);
	if (!d)
		return;
	d->wait_ns = d->wait_ns ? MIN(2 * d->wait_ns, FINDER_LAST_NS) : FINDER_FIRST_NS;
	d->next_ns = loop_now_ns() + d->wait_ns;
}

static void question_run(void *data)
{
	struct question *question = data;

	question->result = python_find(question->pid, &question->python);
}

static void question_done(void *data, bool called)
{
	struct question *question = data;
	struct finder *finder = question->finder;

	(void)called;
	if (question->result == -EAGAIN)
		finder_defer(finder, question->pid);
	else
		map_remove(finder->deferred, &question->pid);
	if (question->result == 0)
		finder->found(finder->data, &question->python);
	free(question);
}

/* Kernel threads, most of /proc, have none: not worth a worker. */
static bool has_program(pid_t pid)
{
	char link[64], byte;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	return readlink(link, &byte, 1) > 0;
}

void finder_look(struct finder *finder, pid_t pid)
{
	struct question *question = has_program(pid) ? calloc(1, sizeof(*question)) : NULL;
	struct worker_job job = {question_run, question_done, question,
				 worker_owner(WORKER_PROCESS, (uint64_t)pid), 0};
	int r;

	if (!question) {
		map_remove(finder->deferred, &pid);
		return;
	}
	question->finder = finder;
	question->pid = pid;
	r = worker_call(&job);
	if (r != -EBUSY && r != -EAGAIN)
		return;
	free(question);
	finder_defer(finder, pid);
}

/* A process whose time has come; 0: none. */
static pid_t finder_due(struct finder *finder, uint64_t now_ns)
{
	struct deferred *d;
	const void *key;

	for (size_t at = 0; (d = map_next(finder->deferred, &at, &key));) {
		if (d->next_ns > now_ns)
			continue;
		d->next_ns = UINT64_MAX;
		return *(const pid_t *)key;
	}
	return 0;
}

void finder_tick(struct finder *finder, uint64_t now_ns)
{
	pid_t pid;

	for (unsigned i = 0; i < TICK_MAX && (pid = finder_due(finder, now_ns)); i++)
		finder_look(finder, pid);
}

/* The worker asks the file, which may hang. */
struct program {
	pid_t pid;
	uint64_t inode;
	bool *ret_same; /* the caller's while it waits */
	bool same;
};

static void program_run(void *data)
{
	struct program *program = data;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", program->pid);
	program->same = stat(path, &st) == 0 && st.st_ino == program->inode;
}

static void program_done(void *data, bool called)
{
	struct program *program = data;

	if (called)
		*program->ret_same = program->same;
	free(program);
}

bool finder_is_program(pid_t pid, uint64_t inode)
{
	bool same = false;
	struct program *program = calloc(1, sizeof(*program));
	struct worker_job job = {program_run, program_done, program,
				 worker_owner(WORKER_PROCESS, (uint64_t)pid), 0};
	int r;

	if (!program)
		return false;
	*program = (struct program){.pid = pid, .inode = inode, .ret_same = &same};
	r = worker_call(&job);
	if (r == -EBUSY || r == -EAGAIN)
		free(program);
	return same;
}
