/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The protocol of sd_notify(3) by hand: one datagram of KEY=value lines to $NOTIFY_SOCKET. */
#include "daemon/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

static int address_parse(const char *path, struct sockaddr_un *ret_address, socklen_t *ret_size)
{
	size_t length = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || length < 2)
		return -EINVAL;
	if (length >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_address->sun_path, path, length);
	if (path[0] == '@') /* the abstract namespace */
		ret_address->sun_path[0] = '\0';
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static int send_state(const char *state)
{
	_cleanup_close_ int fd = -1;
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t size;
	int r;

	if (!path)
		return 0;
	r = address_parse(path, &address, &size);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Never waits: a manager with a full queue must not stop the sampler's reader. */
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&address, size) < 0)
		return -errno;
	return 0;
}

int notify_ready(void)
{
	return send_state("READY=1");
}

int notify_reloading(void)
{
	char state[64];

	/* Type=notify-reload (systemd 253) insists on the time. */
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)(loop_now_ns() / 1000));
	return send_state(state);
}

int notify_stopping(void)
{
	return send_state("STOPPING=1");
}

int notify_status(const char *format, ...)
{
	char state[512] = "STATUS=";
	size_t head = strlen(state);
	va_list args;

	va_start(args, format);
	vsnprintf(state + head, sizeof(state) - head, format, args);
	va_end(args);
	/* A newline would begin another assignment. */
	state[strcspn(state, "\n")] = '\0';
	return send_state(state);
}

int notify_watchdog(void)
{
	return send_state("WATCHDOG=1");
}

uint64_t notify_watchdog_interval_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long limit;
	char *end;

	if (!usec || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()))
		return 0;
	errno = 0;
	limit = strtoull(usec, &end, 10);
	if (errno || end == usec || *end || limit > UINT64_MAX / 1000)
		return 0;
	return limit * 1000 / 2;
}
