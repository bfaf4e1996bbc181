/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opens one perf event that runs the sampler. */
#ifndef PYPROF_DAEMON_PROBE_PERF_EVENT_H
#define PYPROF_DAEMON_PROBE_PERF_EVENT_H

#include <sys/types.h>

#include "daemon/probe/probe.h"

/* Of a CPU (tid -1), or of a thread and those that it starts (cpu -1). A descriptor or -errno. */
int perf_event_start(const struct probe *probe, unsigned hz, pid_t tid, int cpu,
		     enum sample_source source);
/* Whether events of threads stay within their process (5.13+), or follow its children too. */
bool perf_event_within_process(void);

#endif
