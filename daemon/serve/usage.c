/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A ring of counter snapshots per process and one of the host; a figure is the difference between
 * now and the snapshot that fits the asked window best. */
#include "daemon/serve/usage.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/base/map.h"
#include "daemon/target/procfs.h"

#define NS_PER_S 1000000000ull
#define SNAPSHOTS 62             /* seconds that a figure can look back: the longest window */
#define IDLE_TURNS 10            /* seconds between snapshots while nobody asks */
#define ASKED_TURNS 15           /* seconds after a question until that */
#define MIN_SPAN_NS 400000000ull /* the counters step by 10 ms: 2.5 % of this */

struct snapshot {
	uint64_t at_ns, cpu_ns, idle_ns;
};

struct series {
	struct snapshot snapshots[SNAPSHOTS];
	unsigned next, count;
};

struct usage {
	struct loop *loop;
	struct loop_source *timer;
	struct processes *processes;
	struct map *series; /* generation → struct series */
	struct series host;
	unsigned turn, asked_turn;
	bool asked;
};

static void series_add(struct series *series, const struct snapshot *snapshot)
{
	series->snapshots[series->next] = *snapshot;
	series->next = (series->next + 1) % SNAPSHOTS;
	if (series->count < SNAPSHOTS)
		series->count++;
}

/* The oldest within the window (plus half a second of slack), else the newest that is old enough
 * to divide by; NULL when none is. */
static const struct snapshot *series_base(const struct series *series, uint64_t now,
					  uint64_t window_ns)
{
	const struct snapshot *best = NULL;

	/* From the newest to the oldest. */
	for (unsigned i = 1; i <= series->count; i++) {
		const struct snapshot *s =
		    &series->snapshots[(series->next + SNAPSHOTS - i) % SNAPSHOTS];
		uint64_t age = now - s->at_ns;

		if (age < MIN_SPAN_NS)
			continue;
		if (best && age > window_ns + NS_PER_S / 2)
			break;
		best = s;
	}
	return best;
}

/* Servers name their workers and change their user a moment after the start, seldom later. */
static bool refresh_due(const struct usage *usage, const struct process *process)
{
	return usage->turn % IDLE_TURNS == 0 ||
	       process->start_time_ns + IDLE_TURNS * NS_PER_S > loop_wall_ns();
}

static void processes_snapshot(struct usage *usage)
{
	struct process *process;
	struct procfs_stat stat;

	for (size_t at = 0; (process = processes_next(usage->processes, &at));) {
		struct series *series;

		if (process->ended_time_ns || procfs_stat(process->pid, &stat) < 0)
			continue;
		if (refresh_due(usage, process))
			process_refresh(process);
		series = map_put(usage->series, &process->generation, NULL);
		if (series)
			series_add(series, &(struct snapshot){.at_ns = loop_now_ns(),
							      .cpu_ns = stat.cpu_ns});
	}
}

static void host_snapshot(struct usage *usage)
{
	struct procfs_cpus cpus;

	if (procfs_cpus(&cpus) == 0)
		series_add(&usage->host, &(struct snapshot){.at_ns = loop_now_ns(),
							    .cpu_ns = cpus.total_ns,
							    .idle_ns = cpus.idle_ns});
}

static void series_forget(struct usage *usage)
{
	const void *key;

	for (size_t at = 0; map_next(usage->series, &at, &key);) {
		const struct process *process =
		    processes_find(usage->processes, *(const uint64_t *)key);

		if (!process || process->ended_time_ns)
			map_remove(usage->series, key);
	}
}

static void snapshot_take(struct usage *usage)
{
	series_forget(usage);
	processes_snapshot(usage);
	host_snapshot(usage);
}

static void usage_turn(void *data, uint64_t expirations)
{
	struct usage *usage = data;

	(void)expirations;
	usage->turn++;
	if (usage->asked && usage->turn - usage->asked_turn > ASKED_TURNS)
		usage->asked = false;
	if (usage->asked || usage->turn % IDLE_TURNS == 0)
		snapshot_take(usage);
}

struct usage *usage_new(struct loop *loop, struct processes *processes)
{
	struct usage *usage = calloc(1, sizeof(*usage));

	if (!usage)
		return NULL;
	usage->loop = loop;
	usage->processes = processes;
	usage->series = map_new(sizeof(uint64_t), sizeof(struct series));
	usage->timer = loop_add_timer(loop, NS_PER_S, NS_PER_S, usage_turn, usage);
	if (!usage->series || !usage->timer) {
		usage_free(usage);
		return NULL;
	}
	snapshot_take(usage);
	return usage;
}

void usage_free(struct usage *usage)
{
	if (!usage)
		return;
	loop_remove(usage->loop, usage->timer);
	map_free(usage->series);
	free(usage);
}

void usage_asked(struct usage *usage)
{
	/* The first question after a pause: the next one has a snapshot to start from. */
	if (!usage->asked)
		snapshot_take(usage);
	usage->asked = true;
	usage->asked_turn = usage->turn;
}

static double percent(uint64_t part_ns, uint64_t span_ns)
{
	return span_ns ? 100.0 * (double)part_ns / (double)span_ns : NAN;
}

/* A process without a snapshot is young: its whole life is the window. */
static double lifetime_percent(const struct process *process, uint64_t cpu_ns)
{
	uint64_t wall = loop_wall_ns();
	uint64_t age = wall > process->start_time_ns ? wall - process->start_time_ns : 0;

	return process->start_time_ns && age > MIN_SPAN_NS / 8 ? percent(cpu_ns, age) : NAN;
}

int usage_of_process(struct usage *usage, const struct process *process, uint64_t window_ns,
		     struct usage_process *ret_usage)
{
	const struct series *series = map_get(usage->series, &process->generation);
	const struct snapshot *base;
	struct procfs_stat stat;
	uint64_t now;

	if (process->ended_time_ns || procfs_stat(process->pid, &stat) < 0)
		return -ESRCH;
	now = loop_now_ns();
	base = series ? series_base(series, now, window_ns) : NULL;
	ret_usage->rss_bytes = stat.rss_bytes;
	ret_usage->threads = stat.threads;
	if (base && stat.cpu_ns >= base->cpu_ns)
		ret_usage->cpu_percent = percent(stat.cpu_ns - base->cpu_ns, now - base->at_ns);
	else
		ret_usage->cpu_percent = lifetime_percent(process, stat.cpu_ns);
	return 0;
}

int usage_of_host(struct usage *usage, uint64_t window_ns, struct usage_host *ret_usage)
{
	const struct snapshot *base;
	struct procfs_cpus cpus;
	uint64_t total, idle;
	int r = procfs_cpus(&cpus);

	if (r < 0)
		return r;
	base = series_base(&usage->host, loop_now_ns(), window_ns);
	ret_usage->cores = cpus.cores;
	ret_usage->idle_percent = ret_usage->busy_percent = NAN;
	if (!base || cpus.total_ns <= base->cpu_ns)
		return 0;
	total = cpus.total_ns - base->cpu_ns;
	/* The kernel's idle counter may step back. */
	idle = cpus.idle_ns > base->idle_ns ? cpus.idle_ns - base->idle_ns : 0;
	if (idle > total)
		idle = total;
	ret_usage->idle_percent = percent(idle, total) * cpus.cores;
	ret_usage->busy_percent = percent(total - idle, total) * cpus.cores;
	return 0;
}
