/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the daemon sets for every program; defined in maps.bpf.c. The constants between open and
 * load. */
#ifndef PYPROF_BPF_SETTINGS_H
#define PYPROF_BPF_SETTINGS_H

#include "bpf/config.h"

extern const volatile __u32 cpus; /* of the per-CPU parts: highest present CPU + 1 */
extern const volatile __u32 cpus_per_ring;
extern const volatile __u32 ring_wake_bytes; /* below, the daemon's timer drains */

/* Rises each time a source is attached, from 1: sums of before do not count. */
extern volatile __u32 source_epochs[SRC_COUNT];

#endif
