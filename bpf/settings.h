/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the daemon sets for every program; defined in maps.bpf.c. The constants between open and
 * load. */
#ifndef PYPROF_BPF_SETTINGS_H
#define PYPROF_BPF_SETTINGS_H

#include <linux/types.h>

extern const volatile __u32 cpus; /* of the per-CPU parts: highest present CPU + 1 */
extern const volatile __u32 cpus_per_ring;
extern const volatile __u32 ring_wake_bytes; /* below, the daemon's timer drains */

/* What is counted at the moment; the daemon changes it while programs run. */
#define MODE_TARGETS 1 /* I/O by file, socket and pipe */
extern volatile __u32 modes;

#endif
