/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes a request is about: pid= (repeatable) unit= container= comm= user= all=1. Kinds
 * narrow each other; pids add up. unit and comm take shell patterns; a unit may lack ".service", a
 * container id may be cut.
 */
#ifndef PYPROF_DAEMON_SERVE_SELECTOR_H
#define PYPROF_DAEMON_SERVE_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/profile/process.h"
#include "daemon/serve/error.h"
#include "daemon/serve/peer.h"
#include "daemon/serve/query.h"

struct selector {
	pid_t *pids;
	size_t npids;
	char *unit, *container, *comm;
	bool has_user, all;
	uid_t uid;
};

/* The processes that it matches now; not to be kept over a turn of the event loop. */
struct selection {
	struct process **processes;
	size_t nprocesses;
};

enum selector_default {
	SELECT_ALL, /* no selector: every process that the caller may see */
	SELECT_ONLY /* no selector: the only living one, else "ambiguous" */
};

extern const char *const selector_keys[];

int selector_parse(const struct query *query, struct selector *ret_selector, struct error *error);
void selector_done(struct selector *selector);
bool selector_empty(const struct selector *selector);
/* Without rights; true for an empty one. */
bool selector_matches(const struct selector *selector, const struct process *process);

/*
 * Living ones, with `ended` those too that ended and are still known; sorted by pid. Errors:
 * no_such_pid, not_python, no_permission, no_match, ambiguous. SELECT_ALL without a selector may
 * give none.
 */
int selector_resolve(const struct selector *selector, struct processes *processes,
		     const struct peer *peer, enum selector_default fallback, bool ended,
		     struct selection *ret_selection, struct error *error);
void selection_done(struct selection *selection);

#endif
