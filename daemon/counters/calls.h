/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of Python processes, counted exactly: the kernel's maps → [calls] → serve. Holds the
 * sums since each process was first counted; what ended stays for ten minutes, as in the process
 * table. Threads that ended are summed up under thread 0.
 */
#ifndef PYPROF_DAEMON_COUNTERS_CALLS_H
#define PYPROF_DAEMON_COUNTERS_CALLS_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/counters.h"
#include "daemon/probe/probe.h"
#include "daemon/profile/process.h"

struct calls;

/* Of a process, or the difference of two moments. */
struct calls_total {
	uint64_t calls, errors, read_bytes, write_bytes;
};

struct calls *calls_new(struct probe *probe, struct processes *processes);
void calls_free(struct calls *calls);

/* Reads the kernel's maps now, and forgets what ended long ago. About once a second while they
 * count, and before each answer. */
void calls_read(struct calls *calls);

/* Every (generation, thread, number) that is known, in no order; sums only grow. */
const struct syscall_counts *calls_next(const struct calls *calls, size_t *at,
					const struct syscall_key **ret_key);
/* Every (generation, number, errno). */
const uint64_t *calls_next_error(const struct calls *calls, size_t *at,
				 const struct error_key **ret_key);
/* Durations by (generation, number); NULL: none was timed. */
const struct time_histogram *calls_times(const struct calls *calls, uint64_t generation,
					 uint32_t number);
/* All calls of a process. */
void calls_total(const struct calls *calls, uint64_t generation, struct calls_total *ret_total);
size_t calls_bytes(const struct calls *calls);

#endif
