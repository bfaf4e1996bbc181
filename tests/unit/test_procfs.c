/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parsers of /proc with hostile text, and the files of this process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/procfs.h"

static void stat_parses_hostile_comm(void **state)
{
	struct procfs_stat stat;

	(void)state;
	assert_int_equal(
	    procfs_stat_parse("7 (a) R 1 (b)) S 42 7 7 0 -1 4194304 1 2 3 4 150 50 9 9 20 0 3 0 "
			      "1234 999 25 18446744073709551615 1 1",
			      &stat),
	    0);
	assert_string_equal(stat.comm, "a) R 1 (b)");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 42);
	assert_int_equal(stat.threads, 3);
	assert_int_equal(stat.cpu_ns, 2000000000ull * 100 / (uint64_t)sysconf(_SC_CLK_TCK));
	assert_int_equal(stat.rss_bytes, 25 * sysconf(_SC_PAGESIZE));
}

static void stat_refuses(void **state)
{
	static const char *const bad[] = {"",      "7",       "7 (a", "7 a)",
					  "7 (a)", "7 (a) S", ")(",   "7 (a) S x 1 2 3"};
	struct procfs_stat stat;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(procfs_stat_parse(bad[i], &stat), -EBADMSG);
}

static void stat_cuts_long_comm(void **state)
{
	struct procfs_stat stat;

	(void)state;
	/* Kernel threads of workqueues have longer names than 15. */
	assert_int_equal(procfs_stat_parse("7 (kworker/u256:0-events_unbound) I 2 0 0 0 -1 0 0 0 0 "
					   "0 0 0 0 0 20 0 1 0 5 0 0 0",
					   &stat),
			 0);
	assert_string_equal(stat.comm, "kworker/u256:0-");
}

static void status_parses(void **state)
{
	struct procfs_status status;

	(void)state;
	assert_int_equal(procfs_status_parse("Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"
					     "FDSize:\t64\nGroups:\t9 10 \nNSpid:\t700\t7\t1\n",
					     &status),
			 0);
	assert_int_equal(status.uid[1], 2);
	assert_int_equal(status.gid[3], 8);
	assert_int_equal(status.ngroups, 2);
	assert_int_equal(status.groups[1], 10);
	assert_int_equal(status.ns_pid, 1);
}

static void status_refuses(void **state)
{
	struct procfs_status status;

	(void)state;
	assert_int_equal(procfs_status_parse("", &status), -EBADMSG);
	assert_int_equal(procfs_status_parse("\nUid:\t1\t2\n", &status), -EBADMSG);
	assert_int_equal(procfs_status_parse("\nUid:\t1 2 3 4\n", &status), -EBADMSG);
}

static void cpus_parse(void **state)
{
	struct procfs_cpus cpus;
	uint64_t tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);

	(void)state;
	assert_int_equal(
	    procfs_cpus_parse("cpu  1 2 3 4 5 6 7 8 1 1\ncpu0 1 2\ncpu1 1 2\nintr 5\n", &cpus), 0);
	assert_int_equal(cpus.cores, 2);
	assert_int_equal(cpus.total_ns, 36 * tick);
	assert_int_equal(cpus.idle_ns, 9 * tick);
	assert_int_equal(procfs_cpus_parse("cpu 1 2", &cpus), -EBADMSG);
}

static void own_process(void **state)
{
	struct procfs_stat stat;
	struct procfs_status status;
	struct procfs_memory memory;
	struct procfs_cpus cpus;
	_cleanup_free_ char *cmdline = NULL;
	size_t size;
	uint64_t now = (uint64_t)time(NULL) * 1000000000ull, start;

	(void)state;
	prctl(PR_SET_NAME, "a (b) c");
	assert_int_equal(procfs_stat(getpid(), &stat), 0);
	assert_string_equal(stat.comm, "a (b) c");
	assert_int_equal(stat.ppid, getppid());
	assert_int_equal(stat.threads, 1);
	start = procfs_boot_wall_ns() + stat.start_boot_ns;
	assert_in_range(start, now - 60000000000ull, now + 2000000000ull);
	assert_int_equal(procfs_status(getpid(), &status), 0);
	assert_int_equal(status.uid[0], getuid());
	assert_int_equal(status.gid[1], getegid());
	assert_int_equal(procfs_cmdline(getpid(), &cmdline, &size), 0);
	assert_true(size > 1 && cmdline[size - 1] == '\0');
	assert_int_equal(procfs_memory(getpid(), &memory), 0);
	assert_true(memory.private_bytes > 0 && memory.private_bytes <= memory.rss_bytes);
	assert_int_equal(procfs_cpus(&cpus), 0);
	assert_int_equal(cpus.cores, sysconf(_SC_NPROCESSORS_ONLN));
}

static void missing_process(void **state)
{
	struct procfs_stat stat = {.ppid = 77};
	struct procfs_status status;

	(void)state;
	assert_int_equal(procfs_stat(0x7ffffff0, &stat), -ESRCH);
	assert_int_equal(stat.ppid, 77);
	assert_int_equal(procfs_status(0x7ffffff0, &status), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stat_parses_hostile_comm),
	    cmocka_unit_test(stat_refuses),
	    cmocka_unit_test(stat_cuts_long_comm),
	    cmocka_unit_test(status_parses),
	    cmocka_unit_test(status_refuses),
	    cmocka_unit_test(cpus_parse),
	    cmocka_unit_test(own_process),
	    cmocka_unit_test(missing_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
