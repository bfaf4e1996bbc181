/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Becomes the target's equal, then reads. The order matters: what needs rights (opening /proc/PID)
 * comes first; after rights_drop() every path is the target's word. The child holds a copy
 * of the daemon's memory, so it must never be traceable by the target's user, and must not open
 * files of /proc, which may stand for itself.
 */
#include "daemon/serve/source_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/procfs.h"

enum { FD_PIPE = 3, FD_CWD, FD_ROOT, FD_KEPT };

struct target {
	int root, cwd;
	struct procfs_status status;
};

static int target_open(pid_t pid, uint64_t start_time_ns, struct target *target)
{
	char path[32];
	struct procfs_stat stat;
	uint64_t start;
	int dir;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir = open(path, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return -errno;
	target->root = openat(dir, "root", O_PATH | O_DIRECTORY);
	target->cwd = openat(dir, "cwd", O_PATH | O_DIRECTORY);
	if (target->root < 0 || target->cwd < 0)
		return -errno;
	if (procfs_status(pid, &target->status) < 0 || procfs_stat(pid, &stat) < 0)
		return -ESRCH;
	/* Another process may have the pid by now. */
	start = procfs_boot_wall_ns() + stat.start_boot_ns;
	if ((start > start_time_ns ? start - start_time_ns : start_time_ns - start) > 1000000000ull)
		return -ESRCH;
	return 0;
}

/* Fixed places for the three descriptors that are needed; all others go. */
static int descriptors_keep(struct target *target, int pipe)
{
	int high[3] = {fcntl(pipe, F_DUPFD, 64), fcntl(target->cwd, F_DUPFD, 64),
		       fcntl(target->root, F_DUPFD, 64)};

	for (int i = 0; i < 3; i++)
		if (high[i] < 0 || dup2(high[i], FD_PIPE + i) < 0)
			return -EMFILE;
	target->cwd = FD_CWD;
	target->root = FD_ROOT;
	return syscall(SYS_close_range, FD_KEPT, ~0u, 0) < 0 ? -errno : 0;
}

static int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int rights_drop(const struct procfs_status *status)
{
	uid_t uid = status->uid[1], now[3];
	gid_t gid = status->gid[1];
	bool same = geteuid() == uid && geteuid() != 0;

	/* An unprivileged daemon may look at its own user's files as they are. */
	if (!same && (setgroups(status->ngroups, status->groups) < 0 ||
		      setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		return -errno;
	if (capabilities_drop() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		return -EPERM;
	if (getresuid(&now[0], &now[1], &now[2]) < 0 || now[0] != uid || now[1] != uid ||
	    now[2] != uid)
		return -EPERM;
	return 0;
}

static void limits_set(void)
{
	setrlimit(RLIMIT_CPU, &(struct rlimit){1, 1});
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0});
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* A regular file of a file system that holds files. Links of the target end in its root
 * (RESOLVE_IN_ROOT, Linux 5.6, which takes no right that chroot(2) would); those of /proc lead
 * nowhere. */
static int file_open(const struct target *target, const char *path, struct stat *ret_stat)
{
	bool absolute = path[0] == '/';
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			       .resolve = RESOLVE_NO_MAGICLINKS |
					  (absolute ? RESOLVE_IN_ROOT : RESOLVE_BENEATH)};
	struct statfs fs;
	int fd = (int)syscall(SYS_openat2, absolute ? target->root : target->cwd, path, &how,
			      sizeof(how));

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_stat) < 0 || fstatfs(fd, &fs) < 0 || !S_ISREG(ret_stat->st_mode) ||
	    fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	    ret_stat->st_size > SOURCE_FILE_MAX) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static ssize_t file_read(int fd, char *buffer, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, buffer + used, size - used);

		if (n <= 0)
			return n < 0 ? -errno : (ssize_t)used;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

static void send_all(const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(FD_PIPE, at, size);

		if (n <= 0)
			_exit(1);
		at += n;
		size -= (size_t)n;
	}
}

/* Calls fn for each wanted line that the text has. */
static uint32_t lines_each(const struct source_file *file, const char *text, size_t size,
			   void (*fn)(uint32_t index, const char *line, size_t size))
{
	unsigned line = 1;
	uint32_t found = 0;

	for (size_t i = 0, at = 0; i < file->nlines && at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length = (end ? (size_t)(end - text) : size) - at;

		if (line == file->lines[i].line) {
			if (length && text[at + length - 1] == '\r')
				length--;
			if (fn)
				fn((uint32_t)i, text + at, MIN(length, SOURCE_LINE_MAX));
			found++;
			i++;
		} else {
			at = end ? (size_t)(end - text) + 1 : size;
			line++;
		}
	}
	return found;
}

static void line_send(uint32_t index, const char *line, size_t size)
{
	struct source_item item = {.line = index, .size = (uint32_t)size};

	send_all(&item, sizeof(item));
	send_all(line, size);
}

static void file_send(uint32_t index, const struct source_file *file, const struct target *target,
		      char *buffer)
{
	struct source_head head = {.file = index};
	struct stat stat;
	ssize_t size;
	int fd = file_open(target, file->path, &stat);

	if (fd < 0)
		return;
	size = file_read(fd, buffer, SOURCE_FILE_MAX);
	close(fd);
	if (size < 0)
		return;
	head.mtime_ns =
	    (uint64_t)stat.st_mtim.tv_sec * 1000000000ull + (uint64_t)stat.st_mtim.tv_nsec;
	head.nlines = lines_each(file, buffer, (size_t)size, NULL);
	send_all(&head, sizeof(head));
	lines_each(file, buffer, (size_t)size, line_send);
}

void source_child(pid_t pid, uint64_t start_time_ns, const struct source_file *files, size_t nfiles,
		  int pipe)
{
	struct target target = {0};
	char *buffer;

	prctl(PR_SET_DUMPABLE, 0);
	if (target_open(pid, start_time_ns, &target) < 0 || descriptors_keep(&target, pipe) < 0 ||
	    rights_drop(&target.status) < 0)
		_exit(1);
	limits_set();
	buffer = malloc(SOURCE_FILE_MAX);
	for (size_t i = 0; buffer && i < nfiles; i++)
		file_send((uint32_t)i, &files[i], &target, buffer);
	_exit(0);
}
