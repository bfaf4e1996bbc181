/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The perf events that make the BPF sampler run: one per CPU at the daemon's rate, and, while a
 * recording asks for a higher rate, one per thread of the processes it records.
 */
#ifndef PYPROF_DAEMON_PROBE_SAMPLER_H
#define PYPROF_DAEMON_PROBE_SAMPLER_H

#include <stdint.h>
#include <sys/types.h>

#include "daemon/probe/probe.h"

struct sampler;

/* Opens and enables the events of all online CPUs. 0 or -errno. Start it last: the start of other
 * probes is no sample. */
int sampler_new(struct probe *probe, unsigned hz, struct sampler **ret_sampler);
void sampler_free(struct sampler *sampler);

/* Call about once a second: opens events of CPUs that came online, and reopens those of CPUs that
 * went and came back (their old event stays dead, seen by its tick count standing still). */
void sampler_check(struct sampler *sampler, void (*reopened)(void *data, unsigned cpu), void *data);

/* Counters of all openings of a CPU's event together; `due` is read from the event itself now. */
int sampler_ticks(struct sampler *sampler, unsigned cpu, struct cpu_ticks *ret_ticks);
unsigned sampler_cpus_sampled(const struct sampler *sampler);

#endif
