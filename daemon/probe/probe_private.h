/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of the probe share. */
#ifndef PYPROF_DAEMON_PROBE_PROBE_PRIVATE_H
#define PYPROF_DAEMON_PROBE_PROBE_PRIVATE_H

#include "daemon/base/cleanup.h"
#include "daemon/probe/probe.h"
#include "pyprof.skel.h"

struct probe {
	struct pyprof *skeleton;
	struct pyprof *counting; /* the same object with the counting programs; NULL until one is
				    wanted */
	struct probe_options options;
	bool loop;
	bool draining;
	unsigned cpus, rings;
	int *ring_fds;
	struct ring_buffer *reader;
	struct py_layout *layouts; /* copies, to find equal ones */
	int nlayouts;
	uint64_t events_lost;
};

/* Before the load: sizes of maps and constants. */
void probe_maps_size(struct probe *probe, struct pyprof *skeleton);
/* One of the counting programs, which sources.c loads. */
bool source_is_program(const char *name);

#endif
