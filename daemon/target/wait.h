/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a sleeping thread waits, from the system call that it sleeps in. */
#ifndef PYPROF_DAEMON_TARGET_WAIT_H
#define PYPROF_DAEMON_TARGET_WAIT_H

#include <sys/types.h>

#include "daemon/target/procthread.h"

/* "lock" "disk" "network" "pipe" "child" "sleep" "poll" "page-in" "other" (reference: the JSON's
 * wait causes; "gil" and "runqueue" are the caller's to tell). */
const char *wait_cause(pid_t pid, const struct procthread_call *call);

#endif
