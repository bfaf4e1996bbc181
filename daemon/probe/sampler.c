/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/probe/sampler.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

/* A tick may be late by the time that interrupts are off; after this long without one the event is
 * dead. */
#define DEAD_AFTER_NS 1500000000ull

struct cpu_event {
	int fd; /* -1: none */
	uint64_t ran, ran_seen_ns;
	struct cpu_ticks before; /* of earlier openings */
};

struct sampler {
	struct probe *probe;
	unsigned hz, cpus;
	struct cpu_event *events;
};

struct session {
	struct probe *probe;
	unsigned hz;
	int *fds;
	size_t nfds, room;
};

/* cpu-clock with a fixed period: in frequency mode the kernel changes it, and counts stop being
 * time. */
static int event_open(const struct probe *probe, unsigned hz, pid_t tid, int cpu,
		      enum sample_source source)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attr),
	    .config = PERF_COUNT_SW_CPU_CLOCK,
	    .sample_period = 1000000000ull / hz,
	    .disabled = 1,
	    .inherit = tid >= 0,
	};
	_cleanup_close_ int fd =
	    (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, probe_program(probe, source)) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static bool cpu_online(unsigned cpu)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	int c;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	f = fopen(path, "re");
	if (!f) { /* CPU 0 has no such file where it cannot go offline */
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
		return access(path, F_OK) == 0;
	}
	c = fgetc(f);
	return c == '1';
}

/* Opens the CPU's event and starts its counters anew. */
static int cpu_start(struct sampler *sampler, unsigned cpu)
{
	struct cpu_event *e = &sampler->events[cpu];
	int fd;

	probe_ticks_clear(sampler->probe, cpu);
	fd = event_open(sampler->probe, sampler->hz, -1, (int)cpu, SOURCE_ALWAYS);
	if (fd < 0)
		return fd;
	e->fd = fd;
	e->ran = 0;
	e->ran_seen_ns = loop_now_ns();
	return 0;
}

static void ticks_add(struct cpu_ticks *to, const struct cpu_ticks *from)
{
	to->due += from->due;
	to->ran += from->ran;
	for (unsigned i = 0; i < TICK_KINDS; i++)
		to->kind[i] += from->kind[i];
	for (unsigned i = 0; i < LOSS_MAX; i++)
		to->lost[i] += from->lost[i];
}

/* What the kernel counted, with the ticks it skipped. */
static int ticks_now(struct sampler *sampler, unsigned cpu, struct cpu_ticks *ret_ticks)
{
	int r = probe_ticks(sampler->probe, cpu, ret_ticks);

	if (r)
		return r;
	ret_ticks->due = MAX(ret_ticks->due, ret_ticks->ran);
	ret_ticks->lost[LOSS_SKIPPED] = ret_ticks->due - ret_ticks->ran;
	return 0;
}

static void cpu_stop(struct sampler *sampler, unsigned cpu)
{
	struct cpu_event *e = &sampler->events[cpu];
	struct cpu_ticks ticks;

	if (e->fd < 0)
		return;
	close(e->fd);
	e->fd = -1;
	if (ticks_now(sampler, cpu, &ticks) == 0)
		ticks_add(&e->before, &ticks);
	probe_ticks_clear(sampler->probe, cpu);
}

int sampler_new(struct probe *probe, unsigned hz, struct sampler **ret_sampler)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	int r = 0;

	if (!sampler)
		return -ENOMEM;
	sampler->probe = probe;
	sampler->hz = hz;
	sampler->cpus = probe_cpus(probe);
	sampler->events = calloc(sampler->cpus, sizeof(*sampler->events));
	if (!sampler->events) {
		free(sampler);
		return -ENOMEM;
	}
	for (unsigned cpu = 0; cpu < sampler->cpus; cpu++)
		sampler->events[cpu].fd = -1;
	for (unsigned cpu = 0; cpu < sampler->cpus && !r; cpu++)
		if (cpu_online(cpu))
			r = cpu_start(sampler, cpu);
	if (r) {
		sampler_free(sampler);
		return r;
	}
	*ret_sampler = sampler;
	return 0;
}

void sampler_free(struct sampler *sampler)
{
	if (!sampler)
		return;
	for (unsigned cpu = 0; cpu < sampler->cpus; cpu++)
		if (sampler->events[cpu].fd >= 0)
			close(sampler->events[cpu].fd);
	free(sampler->events);
	free(sampler);
}

/* Idle is sampled too, so an event that stands still is dead. */
static bool cpu_dead(struct sampler *sampler, unsigned cpu)
{
	struct cpu_event *e = &sampler->events[cpu];
	uint64_t now = loop_now_ns(), patience = MAX(DEAD_AFTER_NS, 3000000000ull / sampler->hz);
	struct cpu_ticks ticks;

	if (probe_ticks(sampler->probe, cpu, &ticks))
		return false;
	if (ticks.ran != e->ran) {
		e->ran = ticks.ran;
		e->ran_seen_ns = now;
	}
	return now - e->ran_seen_ns > patience;
}

void sampler_check(struct sampler *sampler)
{
	for (unsigned cpu = 0; cpu < sampler->cpus; cpu++) {
		struct cpu_event *e = &sampler->events[cpu];

		if (e->fd >= 0 && cpu_dead(sampler, cpu))
			cpu_stop(sampler, cpu);
		if (e->fd < 0 && cpu_online(cpu))
			cpu_start(sampler, cpu);
	}
}

int sampler_ticks(struct sampler *sampler, unsigned cpu, struct cpu_ticks *ret_ticks)
{
	struct cpu_ticks ticks = {0};
	int r = 0;

	if (cpu >= sampler->cpus)
		return -EINVAL;
	if (sampler->events[cpu].fd >= 0)
		r = ticks_now(sampler, cpu, &ticks);
	if (r)
		return r;
	ticks_add(&ticks, &sampler->events[cpu].before);
	*ret_ticks = ticks;
	return 0;
}

unsigned sampler_cpus_sampled(const struct sampler *sampler)
{
	unsigned n = 0;

	for (unsigned cpu = 0; cpu < sampler->cpus; cpu++)
		n += sampler->events[cpu].fd >= 0;
	return n;
}

int session_new(struct probe *probe, unsigned hz, struct session **ret_session)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->probe = probe;
	session->hz = hz;
	*ret_session = session;
	return 0;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->nfds; i++)
		close(session->fds[i]);
	free(session->fds);
	free(session);
}

static int session_add_thread(struct session *session, pid_t tid)
{
	int fd;

	if (session->nfds == session->room) {
		size_t room = session->room ? 2 * session->room : 16;
		int *fds = realloc(session->fds, room * sizeof(*fds));

		if (!fds)
			return -ENOMEM;
		session->fds = fds;
		session->room = room;
	}
	fd = event_open(session->probe, session->hz, tid, -1, SOURCE_SESSION);
	if (fd < 0)
		return fd;
	session->fds[session->nfds++] = fd;
	return 0;
}

int session_add(struct session *session, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int r = -ESRCH;
	size_t before = session->nfds;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	/* A thread that starts meanwhile is its creator's child: inherited, or listed. */
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = session_add_thread(session, (pid_t)strtol(entry->d_name, NULL, 10));
	closedir(dir);
	return session->nfds > before ? 0 : r;
}
