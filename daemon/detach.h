/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Into the background: the caller's shell gets its prompt back when the daemon answers, or its
 * error. */
#ifndef PYPROF_DAEMON_DETACH_H
#define PYPROF_DAEMON_DETACH_H

/* Forks. The parent stays until the child is ready (exit 0) or ended (its exit code); only the
 * child returns. */
void detach_begin(void);
/* Lets the parent go; nothing without detach_begin(). */
void detach_ready(void);

#endif
