/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/probe/sampler.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/probe/perf_event.h"

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
	fd = perf_event_start(sampler->probe, sampler->hz, -1, (int)cpu, SOURCE_ALWAYS);
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

/* Ticks that the event's own clock says; the program's figure is as old as its last tick. */
static uint64_t ticks_due(const struct sampler *sampler, const struct cpu_event *e)
{
	uint64_t counter;

	if (read(e->fd, &counter, sizeof(counter)) != sizeof(counter))
		return 0;
	return counter / (1000000000ull / sampler->hz);
}

static uint64_t ticks_ended(const struct cpu_ticks *ticks)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TICK_KINDS; i++)
		sum += ticks->kind[i];
	for (unsigned i = 0; i < LOSS_MAX; i++)
		sum += ticks->lost[i];
	return sum;
}

/*
 * What the kernel counted, with the ticks it skipped. One whose walk is under way at this moment
 * (100 us and more for a deep stack) is of no kind yet: it falls due with the next answer.
 */
static int ticks_now(struct sampler *sampler, unsigned cpu, struct cpu_ticks *ret_ticks)
{
	uint64_t due = ticks_due(sampler, &sampler->events[cpu]), ended, under_way;
	int r = probe_ticks(sampler->probe, cpu, ret_ticks);

	if (r)
		return r;
	ret_ticks->lost[LOSS_SKIPPED] = 0; /* known here alone */
	ended = ticks_ended(ret_ticks);
	under_way = ret_ticks->ran > ended ? ret_ticks->ran - ended : 0;
	due = MAX(MAX(ret_ticks->due, due), ret_ticks->ran) - under_way;
	ret_ticks->due = MAX(due, ended);
	ret_ticks->ran = ended;
	ret_ticks->lost[LOSS_SKIPPED] = ret_ticks->due - ended;
	return 0;
}

static void cpu_stop(struct sampler *sampler, unsigned cpu)
{
	struct cpu_event *e = &sampler->events[cpu];
	struct cpu_ticks ticks;

	if (e->fd < 0)
		return;
	if (ticks_now(sampler, cpu, &ticks) == 0)
		ticks_add(&e->before, &ticks);
	close(e->fd);
	e->fd = -1;
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

void sampler_check(struct sampler *sampler, void (*reopened)(void *data, unsigned cpu), void *data)
{
	for (unsigned cpu = 0; cpu < sampler->cpus; cpu++) {
		struct cpu_event *e = &sampler->events[cpu];

		if (e->fd >= 0 && cpu_dead(sampler, cpu))
			cpu_stop(sampler, cpu);
		if (e->fd < 0 && cpu_online(cpu) && cpu_start(sampler, cpu) == 0)
			reopened(data, cpu);
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
