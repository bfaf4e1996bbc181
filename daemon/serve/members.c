/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Process → does the recording take it; counters at its begin and end. */
#include "daemon/serve/members.h"

#include "daemon/base/map.h"
#include "daemon/target/procfs.h"

#define NS_PER_S 1000000000ull
#define ANCESTORS_MAX 64

/* The pid was named, and still is the process that had it then: exec keeps the start time. */
static bool pid_named(const struct active *active, const struct process *process)
{
	for (size_t i = 0; i < active->recording.npids; i++) {
		uint64_t start = procfs_boot_wall_ns() + active->starts[i];
		uint64_t told = process->start_time_ns;

		if (active->recording.pids[i] != process->pid)
			continue;
		/* Start times are told in 10 ms; no pid comes round within a second. */
		if (!active->starts[i] || !told ||
		    (told > start ? told - start : start - told) < NS_PER_S)
			return true;
	}
	return false;
}

static bool in_family(const struct active *active, pid_t pid)
{
	uint32_t key = (uint32_t)pid;

	return map_get(active->family, &key) != NULL;
}

void members_adopt(struct active *active, pid_t pid)
{
	uint32_t key = (uint32_t)pid;

	map_put(active->family, &key, NULL);
}

/* Parents may be no Python processes: a shell between two. */
static bool descends(const struct active *active, const struct process *process)
{
	pid_t pid = process->ppid;

	for (unsigned i = 0; pid > 1 && i < ANCESTORS_MAX; i++) {
		const struct process *parent = processes_by_pid(active->config->processes, pid);
		struct procfs_stat stat;

		if (in_family(active, pid))
			return true;
		if (parent)
			pid = parent->ppid;
		else
			pid = procfs_stat(pid, &stat) == 0 ? stat.ppid : 0;
	}
	return false;
}

static bool belongs(const struct active *active, const struct process *process)
{
	if (!peer_may_see(&active->peer, process))
		return false;
	if (active->selector.npids ? pid_named(active, process)
				   : selector_matches(&active->selector, process))
		return true;
	return active->recording.children && descends(active, process);
}

static void member_read(struct active *active, struct process *process, struct member *member)
{
	const struct server_hooks *hooks = &active->config->hooks;
	struct process_ticks ticks;

	if (hooks->ticks(hooks->data, process, active->recording.source, &ticks) == 0)
		member->last = ticks;
}

static struct member *member_new(struct active *active, struct process *process)
{
	bool in = belongs(active, process);
	struct member *member = map_put(active->members, &process->generation, NULL);

	if (!member)
		return NULL;
	member->in = in;
	if (!in)
		return member;
	/* What the process did before the recording is not the recording's. */
	if (process->start_time_ns < active->recording.started_wall_ns) {
		member_read(active, process, member);
		member->base = member->last;
	}
	if (active->recording.children)
		members_adopt(active, process->pid);
	return member;
}

struct member *members_find(struct active *active, struct process *process)
{
	struct member *member = map_get(active->members, &process->generation);

	return member ? member : member_new(active, process);
}

void members_begin(struct active *active)
{
	struct process *process;

	for (size_t at = 0; (process = processes_next(active->config->processes, &at));)
		if (!process->ended_time_ns)
			members_find(active, process);
}

void members_read(struct active *active)
{
	struct member *member;
	const void *key;

	for (size_t at = 0; (member = map_next(active->members, &at, &key));) {
		struct process *process =
		    processes_find(active->config->processes, *(const uint64_t *)key);

		/* A late sample brings an ended one back, whose counters are in already. */
		if (member->in && process && !process->ended_time_ns)
			member_read(active, process, member);
	}
}

static uint64_t grown(uint64_t last, uint64_t base)
{
	return last > base ? last - base : 0;
}

static void ticks_fold(struct process_ticks *sum, const struct member *member)
{
	sum->events += grown(member->last.events, member->base.events);
	sum->samples += grown(member->last.samples, member->base.samples);
	sum->native += grown(member->last.native, member->base.native);
	for (unsigned i = 0; i < LOSS_MAX; i++)
		sum->lost[i] += grown(member->last.lost[i], member->base.lost[i]);
}

/* Recordings may run for hours: nothing is kept of a process that ended but its counters. */
void members_ended(struct active *active, struct process *process)
{
	struct member *member = map_get(active->members, &process->generation);

	if (!member)
		return;
	if (member->in) {
		member_read(active, process, member);
		ticks_fold(&active->past, member);
	}
	map_remove(active->members, &process->generation);
}

bool members_live(const struct active *active)
{
	const struct member *member;
	const void *key;

	for (size_t at = 0; (member = map_next(active->members, &at, &key));) {
		const struct process *process =
		    processes_find(active->config->processes, *(const uint64_t *)key);

		if (member->in && process && !process->ended_time_ns)
			return true;
	}
	return false;
}

bool members_has(const struct active *active, const struct process *process)
{
	const struct member *member = map_get(active->members, &process->generation);

	return member && member->in;
}

void members_ticks(struct active *active, struct process_ticks *ret_ticks)
{
	struct process_ticks sum = active->past;
	const struct member *member;

	if (active->running)
		members_read(active);
	for (size_t at = 0; (member = map_next(active->members, &at, NULL));)
		ticks_fold(&sum, member);
	*ret_ticks = sum;
}
