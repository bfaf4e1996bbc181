/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/counters/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/io_calls.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/counters/harvest.h"

#define SWEEP_LOOKS 5

struct calls {
	struct probe *probe;
	struct processes *processes;
	struct map *counts; /* syscall_key → struct known */
	struct map *errors; /* error_key → uint64_t */
	struct map *times;  /* times_key → time_histogram */
	struct map *totals; /* generation → struct calls_total */
	unsigned looks;
	bool sweep; /* this look asks who is gone: /proc is dear */
};

/* The kernel's entry of a thread may go and come again (its tid is used again): base is what it
 * held before. */
struct known {
	struct syscall_counts sum;
	struct syscall_counts seen; /* the kernel's entry at the last look */
};

struct calls *calls_new(struct probe *probe, struct processes *processes)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return NULL;
	calls->probe = probe;
	calls->processes = processes;
	calls->counts = map_new(sizeof(struct syscall_key), sizeof(struct known));
	calls->errors = map_new(sizeof(struct error_key), sizeof(uint64_t));
	calls->times = map_new(sizeof(struct times_key), sizeof(struct time_histogram));
	calls->totals = map_new(sizeof(uint64_t), sizeof(struct calls_total));
	if (calls->counts && calls->errors && calls->times && calls->totals)
		return calls;
	calls_free(calls);
	return NULL;
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	map_free(calls->counts);
	map_free(calls->errors);
	map_free(calls->times);
	map_free(calls->totals);
	free(calls);
}

static void counts_add(struct syscall_counts *sum, const struct syscall_counts *more)
{
	sum->calls += more->calls;
	sum->errors += more->errors;
	sum->bytes += more->bytes;
	sum->blocked_ns += more->blocked_ns;
	if (more->timed && (!sum->timed || more->min_ns < sum->min_ns))
		sum->min_ns = more->min_ns;
	sum->max_ns = MAX(sum->max_ns, more->max_ns);
	sum->timed += more->timed;
	sum->wall_ns += more->wall_ns;
	sum->waiting_ns += more->waiting_ns;
}

/* What came since the last look. */
static struct syscall_counts counts_since(const struct syscall_counts *now,
					  const struct syscall_counts *seen)
{
	struct syscall_counts since = *now;

	since.calls -= seen->calls;
	since.errors -= seen->errors;
	since.bytes -= seen->bytes;
	since.blocked_ns -= seen->blocked_ns;
	since.timed -= seen->timed;
	since.wall_ns -= seen->wall_ns;
	since.waiting_ns -= seen->waiting_ns;
	return since;
}

static void total_add(struct calls *calls, const struct syscall_key *key,
		      const struct syscall_counts *more)
{
	struct calls_total *total = map_put(calls->totals, &key->generation, NULL);
	unsigned io = key->number < IO_CALLS_MAX ? io_calls[key->number] : 0;

	if (!total)
		return;
	total->calls += more->calls;
	total->errors += more->errors;
	if (io & 3)
		total->read_bytes += more->bytes;
	if (io >> 2)
		total->write_bytes += more->bytes;
}

static bool lives(const struct calls *calls, uint64_t generation, uint32_t tid)
{
	struct process *process = processes_find(calls->processes, generation);
	char path[64];

	if (!process || process->ended_time_ns)
		return false;
	if (!tid)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/task/%u", (int)process->pid, tid);
	return access(path, F_OK) == 0;
}

/* A thread that ended joins thread 0 of its process. */
static void thread_join(struct calls *calls, const struct syscall_key *key)
{
	struct syscall_key joined = *key;
	struct syscall_counts counts = ((struct known *)map_get(calls->counts, key))->sum;
	struct known *known;

	if (!key->tid)
		return;
	joined.tid = 0;
	known = map_put(calls->counts, &joined, NULL);
	if (!known)
		return;
	counts_add(&known->sum, &counts);
	map_remove(calls->counts, key);
}

static bool count_seen(void *data, const void *key, const void *value)
{
	struct calls *calls = data;
	const struct syscall_key *call = key;
	struct known *known = map_put(calls->counts, key, NULL);
	struct syscall_counts since;

	if (!known)
		return false;
	since = counts_since(value, &known->seen);
	counts_add(&known->sum, &since);
	known->seen = *(const struct syscall_counts *)value;
	total_add(calls, call, &since);
	if (since.calls || !calls->sweep || lives(calls, call->generation, call->tid))
		return false;
	thread_join(calls, call);
	return true;
}

static bool error_seen(void *data, const void *key, const void *value)
{
	struct calls *calls = data;
	const struct error_key *error = key;
	uint64_t *count = map_put(calls->errors, key, NULL);

	if (count)
		*count = *(const uint64_t *)value;
	return count && calls->sweep && !lives(calls, error->generation, 0);
}

static bool times_seen(void *data, const void *key, const void *value)
{
	struct calls *calls = data;
	const struct times_key *times = key;
	struct time_histogram *known = map_put(calls->times, key, NULL);

	if (known)
		*known = *(const struct time_histogram *)value;
	return known && calls->sweep && !lives(calls, times->generation, 0);
}

/* All keys begin with the generation. */
static void forget(const struct calls *calls, struct map *map)
{
	const void *key;

	for (size_t at = 0; map_next(map, &at, &key);)
		if (!processes_find(calls->processes, *(const uint64_t *)key))
			map_remove(map, key);
}

void calls_read(struct calls *calls)
{
	const struct {
		enum probe_counters which;
		size_t key_size, value_size;
		harvest_fn fn;
	} maps[] = {
	    {COUNT_CALLS, sizeof(struct syscall_key), sizeof(struct syscall_counts), count_seen},
	    {COUNT_ERRORS, sizeof(struct error_key), sizeof(uint64_t), error_seen},
	    {COUNT_TIMES, sizeof(struct times_key), sizeof(struct time_histogram), times_seen},
	};

	calls->sweep = calls->looks++ % SWEEP_LOOKS == SWEEP_LOOKS - 1;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		harvest_each(probe_counters_fd(calls->probe, maps[i].which), maps[i].key_size,
			     maps[i].value_size, maps[i].fn, calls);
	if (!calls->sweep)
		return;
	forget(calls, calls->counts);
	forget(calls, calls->errors);
	forget(calls, calls->times);
	forget(calls, calls->totals);
}

const struct syscall_counts *calls_next(const struct calls *calls, size_t *at,
					const struct syscall_key **ret_key)
{
	const void *key;
	const struct known *known = map_next(calls->counts, at, &key);

	if (!known)
		return NULL;
	*ret_key = key;
	return &known->sum;
}

const uint64_t *calls_next_error(const struct calls *calls, size_t *at,
				 const struct error_key **ret_key)
{
	const void *key;
	const uint64_t *count = map_next(calls->errors, at, &key);

	if (count)
		*ret_key = key;
	return count;
}

const struct time_histogram *calls_times(const struct calls *calls, uint64_t generation,
					 uint32_t number)
{
	struct times_key key = {.generation = generation, .number = number};

	return map_get(calls->times, &key);
}

void calls_total(const struct calls *calls, uint64_t generation, struct calls_total *ret_total)
{
	const struct calls_total *total = map_get(calls->totals, &generation);

	*ret_total = total ? *total : (struct calls_total){0};
}

size_t calls_bytes(const struct calls *calls)
{
	return map_bytes(calls->counts) + map_bytes(calls->errors) + map_bytes(calls->times) +
	       map_bytes(calls->totals);
}
