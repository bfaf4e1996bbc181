/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/detach.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

static int ready_fd = -1;

/* A byte means ready; end of file that the child died on the way. */
static int child_await(pid_t child, int fd)
{
	int status;
	char byte;

	if (read(fd, &byte, 1) == 1)
		return 0;
	if (waitpid(child, &status, 0) != child)
		return EXIT_FAILURE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

void detach_begin(void)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	child = fork();
	if (child > 0) {
		close(fds[1]);
		_exit(child_await(child, fds[0]));
	}
	close(fds[0]);
	if (child < 0) { /* stay in the foreground */
		close(fds[1]);
		return;
	}
	setsid();
	ready_fd = fds[1];
}

void detach_ready(void)
{
	_cleanup_close_ int null = -1;

	if (ready_fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (write(ready_fd, "", 1) != 1) {
		/* the parent is gone: nobody waits */
	}
	close(ready_fd);
	ready_fd = -1;
}
