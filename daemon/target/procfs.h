/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures of processes and of the host as /proc tells them. Pids are those of the daemon's own pid
 * namespace. */
#ifndef PYPROF_DAEMON_TARGET_PROCFS_H
#define PYPROF_DAEMON_TARGET_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCFS_CMDLINE_MAX 4096
#define PROCFS_GROUPS_MAX 64

struct procfs_stat {
	char comm[16];
	char state; /* R S D T t Z X I */
	pid_t ppid;
	unsigned threads;
	uint64_t cpu_ns;        /* user + system, of all threads, ended ones included */
	uint64_t start_boot_ns; /* CLOCK_BOOTTIME, to 10 ms */
	uint64_t rss_bytes;
};

struct procfs_status {
	uid_t uid[4]; /* real, effective, saved, file system */
	gid_t gid[4];
	gid_t groups[PROCFS_GROUPS_MAX];
	unsigned ngroups;
	pid_t ns_pid; /* pid in the innermost pid namespace */
};

struct procfs_cpus {
	unsigned cores;    /* online */
	uint64_t total_ns; /* of all cores */
	uint64_t idle_ns;  /* idle + waiting for disk, of all cores */
};

struct procfs_memory {
	uint64_t rss_bytes, private_bytes;
};

/* All return 0 or -errno: -ESRCH when the process is gone, -EBADMSG for text that is not as
 * proc(5) says. */
int procfs_stat(pid_t pid, struct procfs_stat *ret_stat);
int procfs_status(pid_t pid, struct procfs_status *ret_status);
/* NUL-separated arguments, cut at PROCFS_CMDLINE_MAX; the caller frees. */
int procfs_cmdline(pid_t pid, char **ret_cmdline, size_t *ret_size);
int procfs_cpus(struct procfs_cpus *ret_cpus);
int procfs_memory(pid_t pid, struct procfs_memory *ret_memory);
/* A small file of /proc/PID, NUL-terminated in buffer; its length or -errno. */
ssize_t procfs_read(pid_t pid, const char *name, char *buffer, size_t size);

/* CLOCK_REALTIME − CLOCK_BOOTTIME now: turns start times into Unix time. */
uint64_t procfs_boot_wall_ns(void);

/* The parsers, for tests. */
int procfs_stat_parse(const char *text, struct procfs_stat *ret_stat);
int procfs_status_parse(const char *text, struct procfs_status *ret_status);
int procfs_cpus_parse(const char *text, struct procfs_cpus *ret_cpus);

#endif
