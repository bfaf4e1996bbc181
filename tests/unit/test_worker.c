/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Jobs that end, that hang for a while, and what they may cost the loop. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/loop.h"
#include "daemon/base/worker.h"

#define MS 1000000ull

struct stage {
	struct loop *loop;
	struct loop_source *end;
	unsigned done, called;
	bool refused; /* what worker_touch() said */
};

struct task {
	struct stage *stage;
	sem_t go; /* that it hangs on */
	bool hangs;
	uint64_t touches;
};

static void task_run(void *data)
{
	struct task *task = data;

	if (task->touches && !worker_touch(task->touches)) {
		task->stage->refused = true;
		return;
	}
	if (task->hangs)
		sem_wait(&task->go);
	if (task->touches)
		worker_touched();
}

static void task_done(void *data, bool called)
{
	struct task *task = data;

	task->stage->done++;
	task->stage->called += called;
}

static struct worker_job job_of(struct task *task, uint64_t owner)
{
	return (struct worker_job){task_run, task_done, task, owner, 0};
}

static void task_init(struct task *task, struct stage *stage, bool hangs)
{
	*task = (struct task){.stage = stage, .hangs = hangs};
	sem_init(&task->go, 0, 0);
}

static void on_end(void *data, uint64_t expirations)
{
	struct stage *stage = data;

	(void)expirations;
	loop_stop(stage->loop);
}

static void loop_for(struct stage *stage, uint64_t ns)
{
	struct loop_source *timer = loop_add_timer(stage->loop, ns, 0, on_end, stage);

	assert_non_null(timer);
	assert_int_equal(loop_run(stage->loop), 0);
	loop_remove(stage->loop, timer);
}

static void stage_init(struct stage *stage)
{
	*stage = (struct stage){.loop = loop_new()};
	assert_non_null(stage->loop);
	assert_int_equal(worker_init(stage->loop), 0);
	worker_hurry();
}

static void stage_done(struct stage *stage)
{
	worker_done();
	loop_free(stage->loop);
}

static void test_without_loop(void **state)
{
	struct stage stage = {0};
	struct task task;
	struct worker_job job = job_of(&task, 1);

	(void)state;
	task_init(&task, &stage, false);
	assert_int_equal(worker_call(&job), 0);
	assert_int_equal(worker_start(&job), -EAGAIN);
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.called, 1);
	assert_true(worker_touch(1));
}

static void test_ends(void **state)
{
	struct stage stage;
	struct task task;
	struct worker_job job = job_of(&task, 1);

	(void)state;
	stage_init(&stage);
	task_init(&task, &stage, false);
	for (unsigned i = 0; i < 3 * WORKERS_MAX; i++)
		assert_int_equal(worker_call(&job), 0);
	assert_int_equal(stage.called, 3 * WORKERS_MAX);
	assert_int_equal(worker_start(&job), 0);
	assert_int_equal(stage.done, 3 * WORKERS_MAX);
	loop_for(&stage, 200 * MS);
	assert_int_equal(stage.done, 3 * WORKERS_MAX + 1);
	assert_int_equal(stage.called, 3 * WORKERS_MAX);
	stage_done(&stage);
}

#define LATE 4 /* calls that are waited for in vain, until an owner is given up */

/* What hangs holds up the loop for a moment, its owner to the end, and others not at all. */
static void test_hangs(void **state)
{
	struct task tasks[LATE + 1], other;
	struct worker_job job;
	struct stage stage;
	uint64_t start;

	(void)state;
	stage_init(&stage);
	for (unsigned i = 0; i <= LATE; i++)
		task_init(&tasks[i], &stage, true);
	for (unsigned i = 0; i < LATE; i++) {
		job = job_of(&tasks[i], 1);
		start = loop_now_ns();
		assert_int_equal(worker_call(&job), -ETIME);
		assert_in_range(loop_now_ns() - start, WORKER_WAIT_NS, 10 * WORKER_WAIT_NS);
	}
	job = job_of(&tasks[LATE], 1);
	assert_int_equal(worker_call(&job), -EBUSY);
	task_init(&other, &stage, false);
	job = job_of(&other, 2);
	assert_int_equal(worker_call(&job), 0);
	/* a job of another owner that comes across what hangs leaves it alone */
	other.touches = 1;
	assert_int_equal(worker_call(&job), 0);
	assert_true(stage.refused);
	assert_int_equal(stage.done, 2);
	for (unsigned i = 0; i < LATE; i++)
		sem_post(&tasks[i].go);
	loop_for(&stage, 200 * MS);
	assert_int_equal(stage.done, 2 + LATE);
	assert_int_equal(stage.called, 2);
	sem_post(&tasks[LATE].go);
	job = job_of(&tasks[LATE], 1);
	assert_int_equal(worker_call(&job), 0);
	stage_done(&stage);
}

/* A file system that is slow keeps nobody from his answer; one that hangs does. */
static void test_started(void **state)
{
	const uint64_t files = worker_owner(WORKER_FILES, 7);
	struct task slow[LATE], asked;
	struct worker_job job;
	struct stage stage;

	(void)state;
	stage_init(&stage);
	for (unsigned i = 0; i < LATE; i++) {
		task_init(&slow[i], &stage, true);
		job = job_of(&slow[i], files);
		assert_int_equal(worker_call(&job), -ETIME);
	}
	task_init(&asked, &stage, false);
	asked.touches = files;
	job = job_of(&asked, worker_owner(WORKER_PROCESS, 8));
	assert_int_equal(worker_start(&job), 0);
	loop_for(&stage, 200 * MS);
	assert_int_equal(stage.done, 1);
	assert_false(stage.refused);
	loop_for(&stage, WORKER_FILES_NS);
	assert_int_equal(worker_start(&job), 0);
	loop_for(&stage, 200 * MS);
	assert_int_equal(stage.done, 2);
	assert_true(stage.refused);
	for (unsigned i = 0; i < LATE; i++)
		sem_post(&slow[i].go);
	loop_for(&stage, 200 * MS);
	assert_int_equal(stage.done, 2 + LATE);
	stage_done(&stage);
}

/* However many hang, the loop waits a bounded part of a second, and rows are left for calls. */
static void test_many_hang(void **state)
{
	struct task tasks[WORKERS_MAX + 1];
	uint64_t start, waited;
	struct worker_job job;
	struct stage stage;
	unsigned i;

	(void)state;
	stage_init(&stage);
	for (i = 0; i <= WORKERS_MAX; i++)
		task_init(&tasks[i], &stage, true);
	for (i = 0; i < WORKERS_STARTED_MAX; i++) {
		job = job_of(&tasks[i], i + 1);
		job.group = 1;
		assert_int_equal(worker_start(&job), i < WORKERS_GROUP_MAX ? 0 : -EBUSY);
		job.group = 2;
		if (i >= WORKERS_GROUP_MAX)
			assert_int_equal(worker_start(&job), 0);
	}
	job = job_of(&tasks[i], i + 1);
	assert_int_equal(worker_start(&job), -EBUSY);
	start = loop_now_ns();
	for (; i < WORKERS_MAX; i++) {
		job = job_of(&tasks[i], i + 1);
		assert_int_equal(worker_call(&job), -ETIME);
	}
	waited = loop_now_ns() - start;
	/* 100 ms of each second that it fell into; a busy machine adds to each wait */
	assert_in_range(waited, 0, 400 * MS);
	job = job_of(&tasks[i], i + 1);
	assert_int_equal(worker_call(&job), -EBUSY);
	for (i = 0; i < WORKERS_MAX; i++)
		sem_post(&tasks[i].go);
	loop_for(&stage, 300 * MS);
	assert_int_equal(stage.done, WORKERS_MAX);
	stage_done(&stage);
}

/* The job's own thread outlives the loop and harms nobody; its row serves again later. */
static void test_left_alone(void **state)
{
	static struct task left;
	struct worker_job job;
	struct stage stage;
	struct task task;

	(void)state;
	stage_init(&stage);
	task_init(&left, &stage, true);
	job = job_of(&left, 1);
	assert_int_equal(worker_start(&job), 0);
	stage_done(&stage);
	sem_post(&left.go);
	usleep(50000);
	stage_init(&stage);
	task_init(&task, &stage, false);
	job = job_of(&task, 1);
	assert_int_equal(worker_start(&job), 0);
	loop_for(&stage, 200 * MS);
	assert_int_equal(stage.done, 1);
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_without_loop), cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_hangs),        cmocka_unit_test(test_started),
	    cmocka_unit_test(test_many_hang),    cmocka_unit_test(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
