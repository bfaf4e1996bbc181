/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Executable mappings of all processes as they are made (PERF_RECORD_MMAP2 of a dummy software
 * event per CPU): how a shared libpython is seen within a millisecond, at no cost to any syscall.
 */
#ifndef PYPROF_DAEMON_PROBE_MAPPINGS_H
#define PYPROF_DAEMON_PROBE_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct mappings;

/* A file's identity as these events report it. */
struct mapping_key {
	uint64_t dev, ino, generation;
};

struct mapping {
	pid_t pid;
	uint64_t address, size, offset;
	struct mapping_key key;
	const char *path; /* as the process sees it; during the call only */
};

typedef void (*mapping_fn)(void *data, const struct mapping *mapping);

/* Watches all online CPUs of 0 … cpus-1 in the loop. 0 or -errno. */
int mappings_new(struct loop *loop, unsigned cpus, mapping_fn fn, void *data,
		 struct mappings **ret_mappings);
void mappings_free(struct mappings *mappings);
/* Events that the kernel dropped since the last call: the caller looks at /proc again. */
uint64_t mappings_lost(struct mappings *mappings);
/* Opens a CPU's stream anew: when it came (back) online, its old event is dead. */
void mappings_restart(struct mappings *mappings, unsigned cpu);

#endif
