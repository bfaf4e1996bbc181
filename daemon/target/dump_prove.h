/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads every thread's stack at a moment at which it provably did not run, or says that it could
 * not. */
#ifndef PYPROF_DAEMON_TARGET_DUMP_PROVE_H
#define PYPROF_DAEMON_TARGET_DUMP_PROVE_H

#include "daemon/target/dump_jobs.h"

/* Does all jobs that are not done. 0 or -ENOMEM. */
int dump_prove(struct jobs *jobs);

#endif
