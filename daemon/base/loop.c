/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };

struct loop_source {
	enum source_kind kind;
	int fd;
	bool removed; /* freed at the end of the round: the current epoll batch may still name it */
	union {
		loop_fd_fn fd;
		loop_timer_fn timer;
		loop_signal_fn signal;
	} fn;
	void *data;
	struct loop_source *next;
};

struct loop {
	int epoll;
	bool stopped;
	struct loop_source *sources;
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

static void source_free(struct loop_source *source)
{
	if (source->kind != SOURCE_FD && source->fd >= 0)
		close(source->fd);
	free(source);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources) {
		struct loop_source *next = loop->sources->next;

		source_free(loop->sources);
		loop->sources = next;
	}
	close(loop->epoll);
	free(loop);
}

static struct loop_source *source_add(struct loop *loop, enum source_kind kind, int fd,
				      uint32_t events)
{
	_cleanup_free_ struct loop_source *source = calloc(1, sizeof(*source));
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (!source)
		return NULL;
	source->kind = kind;
	source->fd = fd;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return NULL;
	source->next = loop->sources;
	loop->sources = source;
	return TAKE_PTR(source);
}

struct loop_source *loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn,
				void *data)
{
	struct loop_source *source = source_add(loop, SOURCE_FD, fd, events);

	if (!source)
		return NULL;
	source->fn.fd = fn;
	source->data = data;
	return source;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = ns / 1000000000ull, .tv_nsec = ns % 1000000000ull};
}

struct loop_source *loop_add_timer(struct loop *loop, uint64_t first_ns, uint64_t interval_ns,
				   loop_timer_fn fn, void *data)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec spec = {.it_value = timespec_of(first_ns ? first_ns : 1),
				  .it_interval = timespec_of(interval_ns)};
	struct loop_source *source;

	if (fd < 0 || timerfd_settime(fd, 0, &spec, NULL) < 0)
		return NULL;
	source = source_add(loop, SOURCE_TIMER, fd, EPOLLIN);
	if (!source)
		return NULL;
	source->fn.timer = fn;
	source->data = data;
	TAKE_FD(fd);
	return source;
}

struct loop_source *loop_add_signal(struct loop *loop, int signal, loop_signal_fn fn, void *data)
{
	_cleanup_close_ int fd = -1;
	struct loop_source *source;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return NULL;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return NULL;
	source = source_add(loop, SOURCE_SIGNAL, fd, EPOLLIN);
	if (!source)
		return NULL;
	source->fn.signal = fn;
	source->data = data;
	TAKE_FD(fd);
	return source;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (!source || source->removed)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->removed = true;
}

static void source_call(struct loop_source *source, uint32_t events)
{
	struct signalfd_siginfo info;
	uint64_t expirations;

	switch (source->kind) {
	case SOURCE_FD:
		source->fn.fd(source->data, source->fd, events);
		break;
	case SOURCE_TIMER:
		if (read(source->fd, &expirations, sizeof(expirations)) == sizeof(expirations))
			source->fn.timer(source->data, expirations);
		break;
	case SOURCE_SIGNAL:
		if (read(source->fd, &info, sizeof(info)) == sizeof(info))
			source->fn.signal(source->data, (int)info.ssi_signo);
		break;
	}
}

static void removed_free(struct loop *loop)
{
	struct loop_source **at = &loop->sources;

	while (*at) {
		struct loop_source *source = *at;

		if (source->removed) {
			*at = source->next;
			source_free(source);
		} else {
			at = &source->next;
		}
	}
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[64];

	loop->stopped = false;
	while (!loop->stopped) {
		int n = epoll_wait(loop->epoll, events, ARRAY_SIZE(events), -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			struct loop_source *source = events[i].data.ptr;

			if (!source->removed)
				source_call(source, events[i].events);
		}
		removed_free(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

uint64_t loop_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t loop_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}
