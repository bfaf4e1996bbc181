/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /proc → figures: reads small files whole, then parses. Comm and cmdline are the target's own
 * bytes: any value but NUL. */
#include "daemon/target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

#define NS_PER_S 1000000000ull

static ssize_t file_read(const char *path, char *buffer, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (used < size - 1) {
		ssize_t n = read(fd, buffer + used, size - 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	buffer[used] = '\0';
	return (ssize_t)used;
}

ssize_t procfs_read(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return file_read(path, buffer, size);
}

static uint64_t ticks_ns(uint64_t ticks)
{
	static uint64_t tick_ns;

	if (!tick_ns)
		tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	return ticks * tick_ns;
}

/* Fields 3 to 24 of proc(5) "stat"; comm may hold spaces and parentheses, so it ends at the last
 * one. */
int procfs_stat_parse(const char *text, struct procfs_stat *ret_stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct procfs_stat stat = {0};
	uint64_t utime, stime, start, rss, threads;
	int ppid;

	if (!open || !close || close < open)
		return -EBADMSG;
	memcpy(stat.comm, open + 1, MIN((size_t)(close - open - 1), sizeof(stat.comm) - 1));
	if (sscanf(close + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
		   " %*d %*d %*d %*d %" SCNu64 " %*d %" SCNu64 " %*u %" SCNu64,
		   &stat.state, &ppid, &utime, &stime, &threads, &start, &rss) != 7)
		return -EBADMSG;
	stat.ppid = ppid;
	stat.threads = (unsigned)threads;
	stat.cpu_ns = ticks_ns(utime + stime);
	stat.start_boot_ns = ticks_ns(start);
	stat.rss_bytes = rss * (uint64_t)sysconf(_SC_PAGESIZE);
	*ret_stat = stat;
	return 0;
}

int procfs_stat(pid_t pid, struct procfs_stat *ret_stat)
{
	char text[1024];
	ssize_t n = procfs_read(pid, "stat", text, sizeof(text));

	return n < 0 ? (int)n : procfs_stat_parse(text, ret_stat);
}

/* The numbers after "\nKEY:" in a status file, at most `max`; their count, 0 when the key lacks. */
static unsigned status_numbers(const char *text, const char *key, uint32_t *out, unsigned max)
{
	const char *at = strstr(text, key);
	unsigned n = 0;

	if (!at)
		return 0;
	at += strlen(key);
	while (n < max) {
		char *end;
		unsigned long value;

		while (*at == ' ' || *at == '\t')
			at++;
		value = strtoul(at, &end, 10);
		if (end == at)
			break;
		out[n++] = (uint32_t)value;
		at = end;
	}
	return n;
}

int procfs_status_parse(const char *text, struct procfs_status *ret_status)
{
	struct procfs_status status = {0};
	uint32_t pids[32];
	unsigned npids = status_numbers(text, "\nNSpid:", pids, ARRAY_SIZE(pids));

	if (status_numbers(text, "\nUid:", status.uid, 4) != 4 ||
	    status_numbers(text, "\nGid:", status.gid, 4) != 4)
		return -EBADMSG;
	status.ngroups = status_numbers(text, "\nGroups:", status.groups, PROCFS_GROUPS_MAX);
	status.ns_pid = npids ? (pid_t)pids[npids - 1] : 0;
	*ret_status = status;
	return 0;
}

int procfs_status(pid_t pid, struct procfs_status *ret_status)
{
	char text[4096];
	ssize_t n = procfs_read(pid, "status", text, sizeof(text));

	return n < 0 ? (int)n : procfs_status_parse(text, ret_status);
}

int procfs_cmdline(pid_t pid, char **ret_cmdline, size_t *ret_size)
{
	char text[PROCFS_CMDLINE_MAX + 1];
	ssize_t n = procfs_read(pid, "cmdline", text, sizeof(text));
	char *copy;

	if (n < 0)
		return (int)n;
	copy = malloc((size_t)n + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, (size_t)n + 1);
	*ret_cmdline = copy;
	*ret_size = (size_t)n;
	return 0;
}

int procfs_cpus_parse(const char *text, struct procfs_cpus *ret_cpus)
{
	struct procfs_cpus cpus = {0};
	uint64_t v[8];

	/* user nice system idle iowait irq softirq steal; guest times are within user and nice */
	if (sscanf(text,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return -EBADMSG;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++)
		cpus.total_ns += ticks_ns(v[i]);
	cpus.idle_ns = ticks_ns(v[3] + v[4]);
	for (const char *at = text; (at = strstr(at, "\ncpu")); at++)
		cpus.cores++;
	*ret_cpus = cpus;
	return 0;
}

int procfs_cpus(struct procfs_cpus *ret_cpus)
{
	size_t size = 256 * 1024; /* 1,024 lines of CPUs come first; interrupts follow, unread */
	_cleanup_free_ char *text = malloc(size);
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = file_read("/proc/stat", text, size);
	return n < 0 ? (int)n : procfs_cpus_parse(text, ret_cpus);
}

/* Sum of the kB of all lines that start so. */
static uint64_t rollup_bytes(const char *text, const char *key)
{
	uint64_t sum = 0;

	for (const char *at = text; (at = strstr(at, key)); at += strlen(key))
		sum += strtoull(at + strlen(key), NULL, 10) * 1024;
	return sum;
}

int procfs_memory(pid_t pid, struct procfs_memory *ret_memory)
{
	char text[4096];
	ssize_t n = procfs_read(pid, "smaps_rollup", text, sizeof(text));

	if (n < 0)
		return (int)n;
	ret_memory->rss_bytes = rollup_bytes(text, "\nRss:");
	ret_memory->private_bytes =
	    rollup_bytes(text, "\nPrivate_Clean:") + rollup_bytes(text, "\nPrivate_Dirty:");
	return 0;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t procfs_boot_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}
