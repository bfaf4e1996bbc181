/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which event sources run beside the sampler: those that someone asks for, for as long as they do.
 * Each costs every process of the host (bpf/counters.h), so none runs by itself.
 */
#ifndef PYPROF_DAEMON_SOURCES_H
#define PYPROF_DAEMON_SOURCES_H

#include "daemon/probe/probe.h"

struct sources;

struct sources *sources_new(struct probe *probe);
void sources_free(struct sources *sources);
/* Runs the source until it is given back as often as it was demanded. 0, or -errno: it cannot run.
 */
int sources_demand(struct sources *sources, enum source_id source);
void sources_release(struct sources *sources, enum source_id source);
/* All that samples of these RESOURCE_BIT()s need; nothing is demanded when it fails. */
int sources_want(struct sources *sources, uint32_t resources);
void sources_drop(struct sources *sources, uint32_t resources);
/* MODE_*, counted like demands. */
void sources_mode_demand(struct sources *sources, uint32_t mode);
void sources_mode_release(struct sources *sources, uint32_t mode);

#endif
