/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Asks which Python runs in a process: pid → worker → [finder] → struct python. A process whose
 * files lie on a file system that does not answer is asked again after a second, then after twice
 * as long each time. Used by discover.
 */
#ifndef PYPROF_DAEMON_FINDER_H
#define PYPROF_DAEMON_FINDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/target/python.h"

#define FINDER_DEFERRED_MAX 1024      /* more wait for the next look at all of /proc */
#define FINDER_FIRST_NS 1000000000ull /* to the first new try */
#define FINDER_LAST_NS 64000000000ull /* from one to the next, in the end */

struct finder;

/* found: a Python, supported or not; within finder_look() or later, from the event loop. */
struct finder *finder_new(void (*found)(void *data, const struct python *python), void *data);
void finder_free(struct finder *finder);

void finder_look(struct finder *finder, pid_t pid);
/* Its file system does not answer: later. */
void finder_defer(struct finder *finder, pid_t pid);
/* About once a second. */
void finder_tick(struct finder *finder, uint64_t now_ns);
/* Whether the process's program is the file of this inode; false when that cannot be told now. */
bool finder_is_program(pid_t pid, uint64_t inode);

#endif
