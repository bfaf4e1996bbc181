/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The process table: pid reuse, exec, expiry, bounds. Pids from GONE on do not exist, so /proc says
 * nothing of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/profile/process.h"
#include "daemon/target/procfs.h"

#define GONE 0x40000000 /* above PID_MAX_LIMIT */
#define S 1000000000ull

static int table_make(void **state)
{
	*state = processes_new();
	return *state ? 0 : -1;
}

static int table_drop(void **state)
{
	processes_free(*state);
	return 0;
}

static void fills_from_proc(void **state)
{
	struct processes *table = *state;
	struct process *self = processes_add(table, 5, getpid());

	assert_non_null(self);
	assert_int_equal(self->generation, 5);
	assert_int_equal(self->family, 5);
	assert_int_equal(self->ppid, getppid());
	assert_int_equal(self->uid, geteuid());
	assert_true(self->ns_pid > 0);
	assert_true(self->cmdline_size > 1);
	assert_in_range(self->start_time_ns, loop_wall_ns() - 60 * S, loop_wall_ns());
	assert_ptr_equal(processes_find(table, 5), self);
	assert_ptr_equal(processes_by_pid(table, getpid()), self);
	assert_ptr_equal(processes_add(table, 5, getpid()), self);
	assert_int_equal(processes_count(table), 1);
	assert_null(processes_find(table, 6));
	assert_null(processes_by_pid(table, GONE));
}

static void same_pid_again_ends_the_first(void **state)
{
	struct processes *table = *state;
	struct process *first = processes_add(table, 1, GONE);
	struct process *second = processes_add(table, 2, GONE);

	assert_ptr_not_equal(first, second);
	assert_true(first->ended_time_ns != 0);
	assert_ptr_equal(processes_by_pid(table, GONE), second);
	assert_ptr_equal(processes_find(table, 1), first);
	/* The end of the first, told late, must not unname the second. */
	processes_ended(table, first, loop_wall_ns());
	assert_ptr_equal(processes_by_pid(table, GONE), second);
	processes_ended(table, second, loop_wall_ns());
	assert_null(processes_by_pid(table, GONE));
}

static unsigned dropped;
static uint64_t dropped_last;

static void count_dropped(void *data, struct process *process)
{
	(void)data;
	dropped++;
	dropped_last = process->generation;
}

static void ended_ones_expire(void **state)
{
	struct processes *table = *state;
	uint64_t now = loop_wall_ns();

	dropped = 0;
	for (uint64_t i = 1; i <= 3; i++) {
		struct process *process = processes_add(table, i, (pid_t)(GONE + i));

		if (i < 3)
			processes_ended(table, process, now + i * S);
	}
	processes_expire(table, now + PROCESS_KEEP_NS, count_dropped, NULL);
	assert_int_equal(dropped, 0);
	processes_expire(table, now + PROCESS_KEEP_NS + S + 1, count_dropped, NULL);
	assert_int_equal(dropped, 1);
	assert_int_equal(dropped_last, 1);
	processes_expire(table, now + 9 * PROCESS_KEEP_NS, count_dropped, NULL);
	assert_int_equal(dropped, 2);
	/* It lives. */
	assert_non_null(processes_find(table, 3));
	assert_int_equal(processes_count(table), 1);
}

static void many_ended_go_after_a_minute(void **state)
{
	struct processes *table = *state;
	uint64_t now = loop_wall_ns();

	dropped = 0;
	for (uint64_t i = 1; i <= 2000; i++)
		processes_ended(table, processes_add(table, i, (pid_t)(GONE + i)), now);
	processes_expire(table, now + 60 * S, count_dropped, NULL);
	assert_int_equal(dropped, 0);
	processes_expire(table, now + 66 * S, count_dropped, NULL);
	assert_int_equal(processes_count(table), 512);
	assert_int_equal(dropped, 2000 - 512);
	assert_null(processes_find(table, 1));
	assert_non_null(processes_find(table, 2000));
}

static void full_table_drops_the_longest_ended(void **state)
{
	struct processes *table = *state;

	dropped = 0;
	processes_expire(table, 0, count_dropped, NULL);
	processes_ended(table, processes_add(table, 1, GONE + 1), 1);
	processes_ended(table, processes_add(table, 2, GONE + 2), 2);
	for (uint64_t i = 3; i <= PROCESSES_MAX + 1; i++)
		assert_non_null(processes_add(table, i, (pid_t)(GONE + i)));
	assert_int_equal(dropped, 1);
	assert_int_equal(dropped_last, 1);
	assert_non_null(processes_add(table, PROCESSES_MAX + 2, GONE + PROCESSES_MAX + 2));
	assert_int_equal(dropped_last, 2);
	/* Only living ones are left. */
	assert_null(processes_add(table, PROCESSES_MAX + 3, GONE + PROCESSES_MAX + 3));
	assert_int_equal(processes_count(table), PROCESSES_MAX);
}

static void iterates_all(void **state)
{
	struct processes *table = *state;
	struct process *process;
	uint64_t sum = 0;

	for (uint64_t i = 1; i <= 100; i++)
		processes_add(table, i, (pid_t)(GONE + i % 50)); /* half of them ended */
	for (size_t at = 0; (process = processes_next(table, &at));)
		sum += process->generation;
	assert_int_equal(sum, 5050);
}

static void records_fill_what_proc_lacks(void **state)
{
	struct processes *table = *state;
	struct process *process = processes_add(table, 1, GONE);

	process_started(process, 5 * S);
	assert_in_range(process->start_time_ns, procfs_boot_wall_ns() + 4 * S,
			procfs_boot_wall_ns() + 6 * S);
	process_argv(process, "a\0b c\0", 6);
	assert_memory_equal(process->cmdline, "a\0b c\0", 6);
	assert_int_equal(process->cmdline_size, 6);
}

/* The record is of the process's own time, /proc may tell of the next program already. */
static void records_beat_proc(void **state)
{
	struct processes *table = *state;
	struct process *self = processes_add(table, 1, getpid());
	char argv[ARGV_MAX + 10];

	process_argv(self, "before\0exec\0", 12);
	assert_int_equal(self->cmdline_size, 12);
	assert_memory_equal(self->cmdline, "before\0exec\0", 12);
	process_argv(self, "", 0); /* unreadable: what is known stays */
	assert_int_equal(self->cmdline_size, 12);
	process_argv(self, "before", 6); /* whole, and another */
	assert_int_equal(self->cmdline_size, 6);
	/* One that was cut, and /proc has more of it. */
	memset(argv, 'a', sizeof(argv));
	process_argv(self, argv, sizeof(argv));
	process_argv(self, argv, ARGV_MAX);
	assert_int_equal(self->cmdline_size, sizeof(argv));
}

static bool runs;

static bool ask(void *data, const struct process *process)
{
	assert_ptr_equal(data, &runs);
	assert_int_equal(process->pid, getpid());
	return runs;
}

/* /proc of a pid that has become another program is not taken. */
static void refresh_asks_after_reading(void **state)
{
	struct processes *table = *state;
	struct process *self = processes_add(table, 1, getpid());

	processes_ask(table, ask, &runs);
	process_argv(self, "before\0", 7);
	strcpy(self->comm, "before");
	runs = false;
	process_refresh(self);
	assert_string_equal(self->comm, "before");
	assert_int_equal(self->cmdline_size, 7);
	runs = true;
	process_refresh(self);
	assert_string_not_equal(self->comm, "before");
	assert_memory_not_equal(self->cmdline, "before", 7);
}

/* Of thousands of short processes what they have in common is kept once. */
static void ended_ones_share(void **state)
{
	struct processes *table = *state;
	struct process *all[3];

	for (int i = 0; i < 3; i++) {
		all[i] = processes_add(table, (uint64_t)i + 1, GONE + i);
		process_argv(all[i], "python3\0job.py\0", 15);
		all[i]->python->pid = GONE + i;
		all[i]->python->at.interp_head = 0x1000u + (unsigned)i;
		strcpy(all[i]->python->executable, i < 2 ? "/usr/bin/python3" : "/other");
		processes_ended(table, all[i], loop_wall_ns());
	}
	assert_ptr_equal(all[0]->python, all[1]->python);
	assert_ptr_not_equal(all[0]->python, all[2]->python);
	assert_string_equal(all[0]->python->executable, "/usr/bin/python3");
	assert_string_equal(all[2]->python->executable, "/other");
	assert_ptr_equal(all[0]->cmdline, all[2]->cmdline);
}

static void other_owner_of_the_pid_is_forgotten(void **state)
{
	struct processes *table = *state;
	struct process *self = processes_add(table, 1, getpid());
	uint64_t boot = self->start_time_ns - procfs_boot_wall_ns();

	process_started(self, boot);
	assert_non_null(self->cmdline);
	process_started(self, boot - S);
	assert_null(self->cmdline);
	assert_string_equal(self->comm, "");
	assert_int_equal(self->uid, UINT32_MAX);
}

static void threads_are_bounded(void **state)
{
	struct processes *table = *state;
	struct process *process = processes_add(table, 1, GONE);
	struct thread *thread = process_thread(process, 1);

	assert_non_null(thread);
	thread->python_name = strdup("MainThread");
	thread->seen_ns = loop_now_ns();
	for (pid_t tid = 2; tid < 100000; tid++)
		assert_non_null(process_thread(process, tid)); /* seen_ns 0: long ago */
	assert_in_range(map_count(process->threads), 1, 512);
	thread = process_thread(process, 1);
	assert_string_equal(thread->python_name, "MainThread");
	/* All of them alive: a limit holds. */
	for (pid_t tid = 1; tid < 10000; tid++) {
		thread = process_thread(process, tid);
		if (thread)
			thread->seen_ns = loop_now_ns();
	}
	assert_int_equal(map_count(process->threads), 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, table_make, table_drop)
	    TEST(fills_from_proc),
	    TEST(same_pid_again_ends_the_first),
	    TEST(ended_ones_expire),
	    TEST(many_ended_go_after_a_minute),
	    TEST(full_table_drops_the_longest_ended),
	    TEST(iterates_all),
	    TEST(records_fill_what_proc_lacks),
	    TEST(records_beat_proc),
	    TEST(refresh_asks_after_reading),
	    TEST(ended_ones_share),
	    TEST(other_owner_of_the_pid_is_forgotten),
	    TEST(threads_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
