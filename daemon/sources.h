/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which event sources run beside the sampler: those that someone asks for, for as long as they do.
 * Each costs every process of the host, so none runs by itself.
 */
#ifndef PYPROF_DAEMON_SOURCES_H
#define PYPROF_DAEMON_SOURCES_H

#include "daemon/probe/probe.h"

struct sources;

struct sources *sources_new(struct probe *probe);
void sources_free(struct sources *sources);
/* Runs all that samples of these RESOURCE_BIT()s need until they are dropped as often. 0, or
 * -errno: nothing is wanted then. */
int sources_want(struct sources *sources, uint32_t resources);
void sources_drop(struct sources *sources, uint32_t resources);

#endif
