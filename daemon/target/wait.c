/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table from system call to cause; reads and writes depend on what their descriptor is. */
#include "daemon/target/wait.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "daemon/base/cleanup.h"

enum rule {
	FIXED,
	BY_FD,   /* argument `arg` is a descriptor */
	IF_ZERO, /* "sleep" when argument `arg` is 0: a poll of nothing; Python ≤ 3.10 sleeps in
		    select() */
};

static const struct wait_rule {
	long number;
	enum rule rule;
	const char *cause;
	unsigned arg;
} rules[] = {
    {SYS_futex, FIXED, "lock", 0},
    {SYS_futex_waitv, FIXED, "lock", 0},
    {455 /* futex_wait, 6.7 */, FIXED, "lock", 0},
    {SYS_flock, FIXED, "lock", 0},
    {SYS_fcntl, FIXED, "lock", 0},
    {SYS_semop, FIXED, "lock", 0},
    {SYS_semtimedop, FIXED, "lock", 0},
    {SYS_nanosleep, FIXED, "sleep", 0},
    {SYS_clock_nanosleep, FIXED, "sleep", 0},
    {SYS_select, IF_ZERO, "poll", 0},
    {SYS_pselect6, IF_ZERO, "poll", 0},
    {SYS_poll, IF_ZERO, "poll", 1},
    {SYS_ppoll, IF_ZERO, "poll", 1},
    {SYS_epoll_wait, FIXED, "poll", 0},
    {SYS_epoll_pwait, FIXED, "poll", 0},
    {SYS_epoll_pwait2, FIXED, "poll", 0},
    {SYS_wait4, FIXED, "child", 0},
    {SYS_waitid, FIXED, "child", 0},
    {SYS_vfork, FIXED, "child", 0},
    {SYS_clone, FIXED, "child", 0},  /* asleep in it: CLONE_VFORK, */
    {SYS_clone3, FIXED, "child", 0}, /* until the child calls exec */
    {SYS_accept, FIXED, "network", 0},
    {SYS_accept4, FIXED, "network", 0},
    {SYS_connect, FIXED, "network", 0},
    {SYS_recvfrom, FIXED, "network", 0},
    {SYS_recvmsg, FIXED, "network", 0},
    {SYS_recvmmsg, FIXED, "network", 0},
    {SYS_sendto, FIXED, "network", 0},
    {SYS_sendmsg, FIXED, "network", 0},
    {SYS_sendmmsg, FIXED, "network", 0},
    {SYS_read, BY_FD, NULL, 0},
    {SYS_write, BY_FD, NULL, 0},
    {SYS_readv, BY_FD, NULL, 0},
    {SYS_writev, BY_FD, NULL, 0},
    {SYS_pread64, BY_FD, NULL, 0},
    {SYS_pwrite64, BY_FD, NULL, 0},
    {SYS_preadv, BY_FD, NULL, 0},
    {SYS_pwritev, BY_FD, NULL, 0},
    {SYS_preadv2, BY_FD, NULL, 0},
    {SYS_pwritev2, BY_FD, NULL, 0},
    {SYS_sendfile, BY_FD, NULL, 0},
    {SYS_splice, BY_FD, NULL, 0},
    {SYS_close, BY_FD, NULL, 0},
    {SYS_fsync, FIXED, "disk", 0},
    {SYS_fdatasync, FIXED, "disk", 0},
    {SYS_sync, FIXED, "disk", 0},
    {SYS_syncfs, FIXED, "disk", 0},
    {SYS_sync_file_range, FIXED, "disk", 0},
    {SYS_msync, FIXED, "disk", 0},
    {SYS_open, FIXED, "disk", 0},
    {SYS_openat, FIXED, "disk", 0},
    {SYS_stat, FIXED, "disk", 0},
    {SYS_lstat, FIXED, "disk", 0},
    {SYS_fstat, FIXED, "disk", 0},
    {SYS_newfstatat, FIXED, "disk", 0},
    {SYS_statx, FIXED, "disk", 0},
    {SYS_getdents64, FIXED, "disk", 0},
    {SYS_rename, FIXED, "disk", 0},
    {SYS_renameat2, FIXED, "disk", 0},
    {SYS_unlink, FIXED, "disk", 0},
    {SYS_unlinkat, FIXED, "disk", 0},
    {SYS_mkdir, FIXED, "disk", 0},
    {SYS_rmdir, FIXED, "disk", 0},
    {SYS_ftruncate, FIXED, "disk", 0},
    {SYS_fallocate, FIXED, "disk", 0},
    {SYS_copy_file_range, FIXED, "disk", 0},
    {SYS_execve, FIXED, "disk", 0},
};

/* statx() without asking the server: the target may hang on that very file system. */
static const char *descriptor_cause(pid_t pid, uint64_t fd)
{
	struct statx statx_buffer;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &statx_buffer) < 0)
		return "other";
	switch (statx_buffer.stx_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
	case S_IFDIR:
		return "disk";
	case S_IFSOCK:
		return "network";
	case S_IFIFO:
		return "pipe";
	default:
		return "other";
	}
}

const char *wait_cause(pid_t pid, const struct procthread_call *call)
{
	if (call->number < 0)
		return "page-in";
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct wait_rule *rule = &rules[i];

		if (rule->number != call->number)
			continue;
		if (rule->rule == BY_FD)
			return descriptor_cause(pid, call->args[rule->arg]);
		if (rule->rule == IF_ZERO && !call->args[rule->arg])
			return "sleep";
		return rule->cause;
	}
	return "other";
}
