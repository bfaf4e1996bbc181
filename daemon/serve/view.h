/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time and the processes that a document is about: window= looks back on what was sampled
 * anyway, seconds= waits and looks at what comes. The work of requests for profiles, functions and
 * lines.
 */
#ifndef PYPROF_DAEMON_SERVE_VIEW_H
#define PYPROF_DAEMON_SERVE_VIEW_H

#include "daemon/serve/request.h"

struct view {
	struct request *request;
	struct selector selector;
	struct active *active;   /* seconds= */
	struct profile *window;  /* window=, owned */
	struct profile *profile; /* of either */
	double seconds;          /* that it spans */
	uint64_t started_wall_ns;
	unsigned hz;
	uint32_t resources;              /* RESOURCE_BIT()s of the profile */
	int (*write)(struct view *view); /* as a handler */
	void *more;                      /* the document's own, freed by more_free */
	void (*more_free)(void *more);
};

/*
 * Parses, gathers and calls write(view), now or after the wait. Returns what write() returned, or
 * REQUEST_WAITS, or -EPROTO. window_default: seconds looked back without window= and seconds=; 0:
 * seconds= must be given.
 */
int view_open(struct request *request, unsigned window_default, uint32_t resources,
	      int (*write)(struct view *view));
/* Writes in a later turn of the event loop: call view->write's successor from request_wake(). */
int view_again(struct view *view, int (*write)(struct view *view));

/* The processes that the document lists: those that match and live, and those that ended and are in
 * the profile; sorted by pid. */
int view_processes(struct view *view, struct selection *ret_selection);
/* NAN-safe share of one core. */
double view_percent(const struct view *view, uint64_t weight_ns);

#endif
