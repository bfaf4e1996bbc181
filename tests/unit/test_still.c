/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Stillness is proven of threads that stand still, and of no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/target/still.h"

static int wake[2]; /* the child reads it */

static pid_t sleeper(void)
{
	pid_t child = fork();
	char byte;

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(wake[1]);
	while (read(wake[0], &byte, 1) == 1)
		;
	_exit(0);
}

static pid_t spinner(int cpu)
{
	pid_t child = fork();
	cpu_set_t only;

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails ends no child */
	CPU_ZERO(&only);
	CPU_SET((unsigned)cpu, &only);
	sched_setaffinity(0, sizeof(only), &only);
	for (volatile unsigned n = 0;; n++)
		;
}

/* On a busy machine a child may take long to come to its read. */
static void await_sleep(pid_t child)
{
	char path[64], state = '?';

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	for (unsigned ms = 0; ms < 10000 && state != 'S'; ms++) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
		usleep(1000);
	}
	assert_int_equal(state, 'S');
}

/* It has run: the byte is gone. */
static void await_read(void)
{
	int left = 1;

	assert_int_equal(write(wake[1], "x", 1), 1);
	for (unsigned ms = 0; ms < 10000 && left; ms++) {
		usleep(1000);
		assert_int_equal(ioctl(wake[0], FIONREAD, &left), 0);
	}
	assert_int_equal(left, 0);
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_a_sleeper(void **state)
{
	struct still still;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(wake), 0);
	child = sleeper();
	await_sleep(child);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(still_begin(&still, child, child, -1));
		assert_true(still_holds(&still));
	}
	assert_false(still.call.running);
	assert_int_equal(still.call.number, 0); /* read */
	/* it runs for some microseconds and sleeps in the same call again */
	for (unsigned i = 0; i < 100; i++) {
		assert_true(still_begin(&still, child, child, -1));
		await_read();
		assert_false(still_holds(&still));
		await_sleep(child);
	}
	end(child);
	assert_false(still_begin(&still, child, child, -1));
	assert_false(still_holds(&still));
	close(wake[0]);
	close(wake[1]);
}

/* Without the kernel's count of runs, its count of switches does. */
static void test_without_schedstat(void **state)
{
	struct still still;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(wake), 0);
	child = sleeper();
	await_sleep(child);
	assert_true(still_begin(&still, child, child, -1));
	still.runs.at_switch_in = false;
	assert_false(still_holds(&still)); /* counts of two kinds are not compared */
	end(child);
	close(wake[0]);
	close(wake[1]);
}

static void test_a_spinner(void **state)
{
	struct still_seat seat = {.cpu = -1};
	cpu_set_t before, after;
	struct still still;
	unsigned held = 0;
	int cpu, nice_before = getpriority(PRIO_PROCESS, 0);
	pid_t child;

	(void)state;
	sched_getaffinity(0, sizeof(before), &before);
	for (cpu = CPU_SETSIZE - 1; !CPU_ISSET((unsigned)cpu, &before); cpu--)
		;
	child = spinner(cpu);
	usleep(50000);
	assert_false(still_begin(&still, child, child, -1));
	assert_int_equal(still_ride(&seat, cpu), cpu);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(still_begin(&still, child, child, cpu));
		assert_true(still.call.running);
		held += still_holds(&still);
	}
	assert_true(held > 10); /* the scheduler may give it a turn in between, and then it shows */
	assert_true(still_begin(&still, child, child, cpu));
	usleep(50000); /* the spinner's turn */
	assert_false(still_holds(&still));
	still_leave(&seat);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), nice_before);
	sched_getaffinity(0, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
	end(child);
}

static void test_seats(void **state)
{
	struct still_seat seat = {.cpu = -1};

	(void)state;
	assert_int_equal(still_ride(&seat, -1), -1);
	assert_int_equal(still_ride(&seat, 1 << 20), -1);
	assert_int_equal(seat.cpu, -1);
	still_leave(&seat);
	still_leave(&seat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_sleeper),
	    cmocka_unit_test(test_without_schedstat),
	    cmocka_unit_test(test_a_spinner),
	    cmocka_unit_test(test_seats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
