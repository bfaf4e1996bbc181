/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each message, as a service manager receives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"

/* Listens as a manager does and names the place in $NOTIFY_SOCKET; '@' stands for the NUL. */
static int manager_open(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_told(int fd, const char *expected)
{
	char state[1024] = "";
	ssize_t size = recv(fd, state, sizeof(state) - 1, 0);

	assert_true(size >= 0);
	assert_string_equal(state, expected);
}

static void tell_all(int fd)
{
	char state[128] = "";
	unsigned long long usec = 0;

	assert_int_equal(notify_ready(), 0);
	assert_told(fd, "READY=1");
	assert_int_equal(notify_stopping(), 0);
	assert_told(fd, "STOPPING=1");
	assert_int_equal(notify_watchdog(), 0);
	assert_told(fd, "WATCHDOG=1");
	assert_int_equal(notify_status("%d processes\nREADY=1", 3), 0);
	assert_told(fd, "STATUS=3 processes");
	assert_int_equal(notify_reloading(), 0);
	assert_true(recv(fd, state, sizeof(state) - 1, 0) > 0);
	assert_int_equal(sscanf(state, "RELOADING=1\nMONOTONIC_USEC=%llu", &usec), 1);
	assert_true(usec > 0);
}

static void test_path(void **state)
{
	char name[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "/tmp/pyprof-notify-%d", getpid());
	fd = manager_open(name);
	tell_all(fd);
	close(fd);
	assert_int_equal(notify_ready(), -ECONNREFUSED);
	unlink(name);
	assert_int_equal(notify_ready(), -ENOENT);
}

static void test_abstract(void **state)
{
	char name[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@pyprof-notify-%d", getpid());
	fd = manager_open(name);
	tell_all(fd);
	close(fd);
}

/* A manager that does not read costs a message, not the daemon's time. */
static void test_full(void **state)
{
	char name[64];
	int fd, r = 0;

	(void)state;
	snprintf(name, sizeof(name), "@pyprof-notify-%d", getpid());
	fd = manager_open(name);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = notify_watchdog();
	assert_int_equal(r, -EAGAIN);
	close(fd);
}

static void test_none(void **state)
{
	char name[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_ready(), 0);
	assert_int_equal(notify_status("x"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_ready(), -EINVAL);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_ready(), -EINVAL);
	memset(name, 'a', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_ready(), -ENAMETOOLONG);
}

static void test_watchdog_interval(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_interval_ns(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_interval_ns(), 15000000000);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_interval_ns(), 15000000000);
	setenv("WATCHDOG_PID", "1", 1); /* another process is watched */
	assert_int_equal(notify_watchdog_interval_ns(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "30s", 1);
	assert_int_equal(notify_watchdog_interval_ns(), 0);
	setenv("WATCHDOG_USEC", "18446744073709551615", 1);
	assert_int_equal(notify_watchdog_interval_ns(), 0);
	unsetenv("WATCHDOG_USEC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_path),
	    cmocka_unit_test(test_abstract),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_watchdog_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
