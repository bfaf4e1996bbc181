/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extra events for recordings above the daemon's rate: on the threads of the processes that they
 * record, and on no other. A process in several recordings has one set of events, which goes with
 * the last.
 */
#ifndef PYPROF_DAEMON_PROBE_SESSIONS_H
#define PYPROF_DAEMON_PROBE_SESSIONS_H

#include <sys/types.h>

#include "daemon/probe/probe.h"

struct sessions;

struct sessions *sessions_new(struct probe *probe);
void sessions_free(struct sessions *sessions);
/* Attaches a process for an owner (any unique pointer). 0, also when it is attached already, or
 * -errno. */
int sessions_add(struct sessions *sessions, const void *owner, pid_t pid, unsigned hz);
/* Detaches all that only this owner needed. */
void sessions_drop(struct sessions *sessions, const void *owner);
/* The process ended: its pid may be reused. */
void sessions_ended(struct sessions *sessions, pid_t pid);
size_t sessions_events(const struct sessions *sessions); /* open now */

#endif
