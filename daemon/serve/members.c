/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Process → does the recording take it; counters at its begin and end. */
#include "daemon/serve/members.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/target/procfs.h"

#define NS_PER_S 1000000000ull
#define ANCESTORS_MAX 64
#define LATE_NS (2 * NS_PER_S) /* after its process ended no record of it is in a ring any more */

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

/* The counters are of CPU ticks: for a recording of other resources they stay 0. */
static void member_read(struct active *active, struct process *process, struct member *member)
{
	const struct server_hooks *hooks = &active->config->hooks;
	struct process_ticks ticks;

	if (!(active->recording.resources & RESOURCE_BIT(RESOURCE_CPU)))
		return;
	if (hooks->ticks(hooks->data, process, active->recording.source, &ticks) == 0)
		member->last = ticks;
}

/* Records that the kernel sent, as far as it has counted them. */
static uint64_t ticks_sent(const struct process_ticks *ticks)
{
	return ticks->samples + ticks->native + ticks->kept;
}

static uint64_t grown(uint64_t last, uint64_t base)
{
	return last > base ? last - base : 0;
}

/* Records that the profile is to get. */
static uint64_t member_due(const struct member *member)
{
	return grown(ticks_sent(&member->last), ticks_sent(&member->base));
}

/* What the process did before it joined is not the recording's. The kernel counts a record after it
 * has sent it: one may have been delivered already that is counted a moment later. */
static void member_join(const struct active *active, const struct process *process,
			struct member *member)
{
	uint64_t delivered = process->delivered[active->recording.source], sent;

	member->base = member->last;
	sent = ticks_sent(&member->base);
	member->base.samples += grown(delivered, sent);
	member->skip = grown(sent, delivered);
}

static struct member *member_new(struct active *active, struct process *process)
{
	/* One that ended while the recording ran is a member already, or was one. */
	bool in = !process->ended_time_ns && belongs(active, process);
	struct member *member = map_put(active->members, &process->generation, NULL);

	if (!member)
		return NULL;
	member->in = in;
	if (!in)
		return member;
	/* The counters of a new process start at 0, and its first records may be on their way. */
	if (process->generation < active->recording.started_ns)
		member_read(active, process, member);
	member_join(active, process, member);
	if (active->recording.children)
		members_adopt(active, process->pid);
	return member;
}

struct member *members_find(struct active *active, struct process *process)
{
	struct member *member = map_get(active->members, &process->generation);

	return member || active->closing ? member : member_new(active, process);
}

bool members_take(struct member *member)
{
	if (!member->in)
		return false;
	if (member->skip) {
		member->skip--;
		return false;
	}
	if (member->closed && member->taken >= member_due(member))
		return false;
	member->taken++;
	return true;
}

/* for (size_t at = 0; (m = member_next(active, &at, &process));) over those that are in; process:
 * NULL = no longer known. */
static struct member *member_next(const struct active *active, size_t *at,
				  struct process **ret_process)
{
	struct member *member;
	const void *key;

	while ((member = map_next(active->members, at, &key))) {
		*ret_process = processes_find(active->config->processes, *(const uint64_t *)key);
		if (member->in)
			return member;
	}
	return NULL;
}

static void settle(const struct active *active)
{
	const struct server_hooks *hooks = &active->config->hooks;

	if (hooks->settle)
		hooks->settle(hooks->data);
}

void members_begin(struct active *active)
{
	unsigned source = active->recording.source;
	struct process *process;
	struct member *member;

	for (size_t at = 0; (process = processes_next(active->config->processes, &at));)
		if (!process->ended_time_ns)
			members_find(active, process);
	settle(active);
	for (size_t at = 0; (member = member_next(active, &at, &process));) {
		if (!process)
			continue;
		/* All that was counted before has come; what has not was dropped on its way. */
		process->delivered[source] =
		    MAX(process->delivered[source], ticks_sent(&member->last));
		member_read(active, process, member);
		member_join(active, process, member);
	}
}

static void member_close(struct active *active, struct process *process, struct member *member)
{
	if (member->closed)
		return;
	member_read(active, process, member);
	member->closed = true;
	/* Delivered, and counted a moment later. */
	member->last.samples += grown(member->taken, member_due(member));
}

void members_close(struct active *active)
{
	struct process *process;
	struct member *member;

	settle(active); /* processes that began a moment ago */
	active->closing = true;
	for (size_t at = 0; (member = member_next(active, &at, &process));)
		if (process)
			member_close(active, process, member);
	settle(active);
}

/* final: what has not come will not. */
static void ticks_fold(struct process_ticks *sum, const struct member *member, bool final)
{
	uint64_t samples = grown(member->last.samples + member->last.native,
				 member->base.samples + member->base.native);
	uint64_t missing = final ? grown(member_due(member), member->taken) : 0;

	missing = MIN(missing, samples);
	sum->samples += samples - missing;
	sum->lost[LOSS_STALE] += missing;
	for (unsigned i = 0; i < LOSS_MAX; i++)
		sum->lost[i] += grown(member->last.lost[i], member->base.lost[i]);
}

void members_ended(struct active *active, struct process *process)
{
	struct member *member = members_find(active, process);

	if (member && member->in)
		member_close(active, process, member);
}

/* Recordings may run for hours: nothing is kept of a process that ended but its counters. */
void members_sweep(struct active *active)
{
	uint64_t now = loop_wall_ns();
	struct member *member;
	const void *key;

	for (size_t at = 0; (member = map_next(active->members, &at, &key));) {
		const struct process *process =
		    processes_find(active->config->processes, *(const uint64_t *)key);

		if (process && (!process->ended_time_ns || process->ended_time_ns + LATE_NS > now))
			continue;
		if (member->in)
			ticks_fold(&active->past, member, true);
		map_remove(active->members, key);
	}
}

bool members_live(const struct active *active)
{
	struct process *process;

	for (size_t at = 0; member_next(active, &at, &process);)
		if (process && !process->ended_time_ns)
			return true;
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
	struct process *process;
	struct member *member;
	uint64_t stale;

	for (size_t at = 0; (member = member_next(active, &at, &process));) {
		if (process && !member->closed)
			member_read(active, process, member);
		ticks_fold(&sum, member, !active->running);
	}
	stale = MIN(active->stale, sum.samples);
	sum.samples -= stale;
	sum.lost[LOSS_STALE] += stale;
	sum.events = sum.samples;
	for (unsigned i = 0; i < LOSS_MAX; i++)
		sum.events += sum.lost[i];
	*ret_ticks = sum;
}
