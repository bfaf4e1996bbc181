/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A view's stacks added up per process. */
#ifndef PYPROF_DAEMON_SERVE_TALLIES_H
#define PYPROF_DAEMON_SERVE_TALLIES_H

#include "daemon/serve/tally.h"
#include "daemon/serve/view.h"

struct tallies {
	struct selection selection;
	struct tally **tallies; /* as selection.processes */
};

/* 0, or -EPROTO with the request's error set. */
int tallies_make(struct view *view, struct tallies *ret_tallies);
void tallies_done(struct tallies *tallies);

#endif
