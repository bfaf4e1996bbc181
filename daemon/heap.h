/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The heap follows what is in it: malloc would keep the peak. */
#ifndef PYPROF_DAEMON_HEAP_H
#define PYPROF_DAEMON_HEAP_H

#include <stdint.h>

void heap_init(void);
/* About once a second: gives pages that have become free back to the kernel, every ten seconds. */
void heap_tick(uint64_t now_ns);

#endif
