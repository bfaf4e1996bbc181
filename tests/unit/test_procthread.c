/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What /proc says of threads, live and as text, hostile names included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/procthread.h"

static const char tail[] =
    " 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 1000 20 18446744073709551615 1 2 3 4 5 0 0 "
    "0 0 0 0 0 17 13 0 2 0 0 0\n";

static void test_stat(void **state)
{
	struct procthread_stat stat;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "12 (a) R (b) c) S%s", tail);
	assert_int_equal(procthread_stat_parse(text, &stat), 0);
	assert_string_equal(stat.name, "a) R (b) c");
	assert_int_equal(stat.letter, 'S');
	assert_int_equal(stat.cpu, 13);
	assert_int_equal(stat.policy, 2);
}

static void test_damaged_stat(void **state)
{
	static const char *const damaged[] = {"",      "12",     "12 (",           ") 12 (",
					      "12 ()", "12 () ", "12 (a) S 1 2 3", "12 (a) S"};
	struct procthread_stat stat = {.cpu = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++)
		assert_int_equal(procthread_stat_parse(damaged[i], &stat), -EBADMSG);
	assert_int_equal(stat.cpu, 77);
}

static void test_call(void **state)
{
	struct procthread_call call;

	(void)state;
	assert_int_equal(procthread_call_parse("running\n", &call), 0);
	assert_true(call.running);
	assert_int_equal(procthread_call_parse("-1 0x7ffe 0x7f00\n", &call), 0);
	assert_false(call.running);
	assert_int_equal(call.number, -1);
	assert_int_equal(procthread_call_parse(
			     "202 0x10 0x80 0x0 0xffffffffffffffff 0x0 0x1 0x7ffe 0x7f00\n", &call),
			 0);
	assert_int_equal(call.number, 202);
	assert_int_equal(call.args[0], 0x10);
	assert_int_equal(call.args[3], UINT64_MAX);
	assert_int_equal(call.args[5], 1);
	assert_int_equal(procthread_call_parse("", &call), -EBADMSG);
	assert_int_equal(procthread_call_parse("walking", &call), -EBADMSG);
	assert_int_equal(procthread_call_parse("202 0x10", &call), -EBADMSG);
}

static void *park(void *data)
{
	prctl(PR_SET_NAME, "a b) R 1");
	*(pid_t *)data = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

static void test_live(void **state)
{
	volatile pid_t tid = 0;
	struct procthread_stat stat;
	struct procthread_runs runs;
	struct procthread_call call;
	pid_t *tids, own[8];
	pthread_t thread;
	size_t n;

	(void)state;
	pthread_create(&thread, NULL, park, (void *)&tid);
	while (!tid)
		sched_yield();
	usleep(50000);
	assert_int_equal(procthread_list(getpid(), &tids, &n), 0);
	assert_true(n >= 2 && n <= 8);
	assert_int_equal(tids[0], getpid());
	assert_int_equal(procthread_own_ids(getpid(), tids, n, own), 0);
	assert_int_equal(own[0], syscall(SYS_getpid));
	free(tids);
	assert_int_equal(procthread_stat(getpid(), tid, &stat), 0);
	assert_string_equal(stat.name, "a b) R 1");
	assert_int_equal(stat.letter, 'S');
	assert_int_equal(procthread_runs(getpid(), tid, &runs), 0);
	assert_true(runs.count > 0);
	assert_int_equal(procthread_call(getpid(), tid, &call), 0);
	assert_int_equal(call.number, SYS_pause);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	assert_int_equal(procthread_stat(getpid(), tid, &stat), -ESRCH);
	assert_int_equal(procthread_runs(getpid(), tid, &runs), -ESRCH);
	assert_int_equal(procthread_call(getpid(), tid, &call), -ESRCH);
	assert_int_equal(procthread_list(1 << 22, &tids, &n), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stat),
	    cmocka_unit_test(test_damaged_stat),
	    cmocka_unit_test(test_call),
	    cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
