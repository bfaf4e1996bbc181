/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The id of a cgroup2 directory is its kernfs id, and kernfs takes that id as a file handle
 * (FILEID_KERNFS, fs/kernfs/mount.c since 5.5). So a path is had without walking the tree, also
 * when no process is left in it.
 */
#include "daemon/target/cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

#define HANDLE_KERNFS 0xfe /* FILEID_KERNFS, include/linux/exportfs.h */

/* mountinfo(5): "32 31 0:29 ROOT MOUNTPOINT options… - cgroup2 …"; \040 escapes are left alone, as
 * no distribution mounts it on such a path. */
static bool mount_line(char *line, char *point, size_t size)
{
	char *end = strstr(line, " - cgroup2 ");
	char mount[4096];

	if (!end || sscanf(line, "%*s %*s %*s %*s %4095s", mount) != 1 || strlen(mount) >= size)
		return false;
	strcpy(point, mount);
	return true;
}

static int mount_open(char *point, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (!f)
		return -errno;
	while (getline(&line, &room, f) > 0) {
		int fd;

		if (!mount_line(line, point, size))
			continue;
		fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}

/* The mount is looked for once; kept open for the daemon's life. */
static int mount_fd(const char **ret_point)
{
	static char point[4096];
	static int fd = -1;

	if (fd < 0)
		fd = mount_open(point, sizeof(point));
	*ret_point = point;
	return fd;
}

static int handle_open(int mount, uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} at = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};
	int fd;

	memcpy(at.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount, &at.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ESTALE ? -ENOENT : -errno;
	return fd;
}

int cgroupfs_path(uint64_t id, char *path, size_t size)
{
	char link[64], target[4096];
	_cleanup_close_ int fd = -1;
	const char *point, *rest;
	ssize_t n;
	int mount = mount_fd(&point);

	if (mount < 0)
		return mount;
	fd = handle_open(mount, id);
	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	rest = strncmp(target, point, strlen(point)) == 0 ? target + strlen(point) : target;
	if (strlen(rest) >= size)
		return -ENAMETOOLONG;
	strcpy(path, *rest ? rest : "/");
	return 0;
}
