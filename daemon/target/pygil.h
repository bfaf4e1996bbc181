/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a thread holds the GIL, waits for it, or runs without it. */
#ifndef PYPROF_DAEMON_TARGET_PYGIL_H
#define PYPROF_DAEMON_TARGET_PYGIL_H

#include <stdbool.h>

#include "daemon/target/procthread.h"
#include "daemon/target/pythreads.h"

struct pygil {
	const char *state; /* "held" "wanted" "released"; NULL: no GIL here, or not known */
	bool waits;        /* sleeps in one of the GIL's futexes */
};

/* call: what the thread sleeps in. */
struct pygil pygil_look(const struct pyreader *reader, const struct pythread *thread,
			const struct procthread_call *call);

#endif
