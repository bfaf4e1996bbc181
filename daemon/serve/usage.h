/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Exact CPU use of Python processes and of the host: differences of /proc's counters. A snapshot a
 * second while anyone asks, one in ten seconds otherwise, so that a first question has a figure.
 */
#ifndef PYPROF_DAEMON_SERVE_USAGE_H
#define PYPROF_DAEMON_SERVE_USAGE_H

#include <stdint.h>

#include "daemon/base/loop.h"
#include "daemon/profile/process.h"

struct usage;

struct usage_process {
	double cpu_percent; /* of one core; NAN: not known */
	uint64_t rss_bytes;
	unsigned threads;
};

struct usage_host {
	unsigned cores;
	double idle_percent, busy_percent; /* of one core, so up to 100 × cores; NAN: not known */
};

struct usage *usage_new(struct loop *loop, struct processes *processes);
void usage_free(struct usage *usage);
/* Someone asks: snapshots come every second for a while. */
void usage_asked(struct usage *usage);
/* Over about the last window_ns. -ESRCH: ended, or gone meanwhile. */
int usage_of_process(struct usage *usage, const struct process *process, uint64_t window_ns,
		     struct usage_process *ret_usage);
int usage_of_host(struct usage *usage, uint64_t window_ns, struct usage_host *ret_usage);

#endif
