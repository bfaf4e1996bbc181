/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which event sources run beside the sampler: those that are always on while there are Python
 * processes, and those that someone asks for, for as long as they do.
 */
#ifndef PYPROF_DAEMON_SOURCES_H
#define PYPROF_DAEMON_SOURCES_H

#include "daemon/probe/probe.h"
#include "daemon/profile/process.h"

struct sources;

struct sources *sources_new(struct probe *probe, struct processes *processes);
void sources_free(struct sources *sources);
/* Once a second. */
void sources_tick(struct sources *sources);
/* Runs the source until it is given back as often as it was demanded. 0, or -errno: it cannot run.
 */
int sources_demand(struct sources *sources, enum source_id source);
void sources_release(struct sources *sources, enum source_id source);
/* MODE_*, counted like demands. */
void sources_mode_demand(struct sources *sources, uint32_t mode);
void sources_mode_release(struct sources *sources, uint32_t mode);

#endif
