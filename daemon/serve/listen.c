/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A lock beside the socket decides who serves it: the kernel drops it with the process, also at
 * kill -9, and two daemons that start at once cannot both see a "dead" socket. */
#include "daemon/serve/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

#define BACKLOG 64

static int address_of(const char *path, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	strcpy(ret_address->sun_path, path);
	return 0;
}

static int folder_make(const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	char *end = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return -ENOMEM;
	if (!end || end == folder)
		return 0;
	*end = '\0';
	return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int lock_take(const char *path)
{
	_cleanup_close_ int fd = -1;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];

	snprintf(name, sizeof(name), "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	return TAKE_FD(fd);
}

/* Someone else's program may listen there too. */
static int stale_remove(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat at;

	if (fd < 0)
		return -errno;
	if (lstat(address->sun_path, &at) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(at.st_mode))
		return -EEXIST;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* The umask is what gives a socket its mode: there is no moment in which it is another. */
static int bind_public(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0111);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(before);
	return r;
}

int listen_open(const char *path, int *ret_fd, int *ret_lock)
{
	_cleanup_close_ int fd = -1, lock = -1;
	struct sockaddr_un address;
	int r;

	if ((r = address_of(path, &address)) < 0 || (r = folder_make(path)) < 0)
		return r;
	lock = lock_take(path);
	if (lock < 0)
		return lock;
	r = stale_remove(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_public(fd, &address);
	if (r < 0)
		return r;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	*ret_lock = TAKE_FD(lock);
	return 0;
}

void listen_close(const char *path, int fd, int lock)
{
	unlink(path);
	if (fd >= 0)
		close(fd);
	close(lock);
}
