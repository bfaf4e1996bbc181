/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* System calls by number, and what a thread that sleeps in one waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/syscall.h"
#include "daemon/target/wait.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(syscall_name(SYS_read), "read");
	assert_string_equal(syscall_name(SYS_futex), "futex");
	assert_string_equal(syscall_name(SYS_clone3), "clone3");
	assert_string_equal(syscall_name(SYS_futex_waitv), "futex_waitv");
	assert_string_equal(syscall_name(462), "mseal");
	assert_null(syscall_name(-1));
	assert_null(syscall_name(400)); /* never given out on x86-64 */
	assert_null(syscall_name(100000));
}

static const char *cause(long number, uint64_t first, uint64_t second)
{
	struct procthread_call call = {.number = number, .args = {first, second}};

	return wait_cause(getpid(), &call);
}

static void test_causes(void **state)
{
	(void)state;
	assert_string_equal(cause(SYS_futex, 0x1000, 0), "lock");
	assert_string_equal(cause(SYS_clock_nanosleep, 0, 0), "sleep");
	assert_string_equal(cause(SYS_select, 0, 0), "sleep");
	assert_string_equal(cause(SYS_select, 5, 0), "poll");
	assert_string_equal(cause(SYS_poll, 0x1000, 0), "sleep");
	assert_string_equal(cause(SYS_poll, 0x1000, 1), "poll");
	assert_string_equal(cause(SYS_epoll_wait, 5, 0x1000), "poll");
	assert_string_equal(cause(SYS_wait4, 5, 0), "child");
	assert_string_equal(cause(SYS_recvfrom, 5, 0), "network");
	assert_string_equal(cause(SYS_fsync, 5, 0), "disk");
	assert_string_equal(cause(SYS_pause, 0, 0), "other");
	assert_string_equal(cause(99999, 0, 0), "other");
	assert_string_equal(cause(-1, 0, 0), "page-in");
}

static void test_descriptors(void **state)
{
	int ends[2], sockets[2];
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	assert_string_equal(cause(SYS_read, (uint64_t)ends[0], 0), "pipe");
	assert_string_equal(cause(SYS_write, (uint64_t)ends[1], 0), "pipe");
	assert_string_equal(cause(SYS_read, (uint64_t)sockets[0], 0), "network");
	assert_string_equal(cause(SYS_pread64, (uint64_t)file, 0), "disk");
	assert_string_equal(cause(SYS_read, (uint64_t)event, 0), "other");
	assert_string_equal(cause(SYS_read, 999999, 0), "other");
	assert_string_equal(cause(SYS_read, UINT64_MAX, 0), "other");
	close(ends[0]);
	close(ends[1]);
	close(sockets[0]);
	close(sockets[1]);
	close(file);
	close(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_causes),
	    cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
