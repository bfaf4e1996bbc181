/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What happened while this `top` looked: processes, the daemon, losses. Bounded, oldest out first.
 */
#ifndef PYPROF_CLI_TOP_EVENTS_H
#define PYPROF_CLI_TOP_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_EVENTS_MAX 500
#define TOP_EVENTS_LOST_MAX 32 /* reasons */

struct top_event {
	int64_t wall_s; /* since the Unix epoch */
	const char *kind;
	char what[160];
};

struct top_lost {
	char reason[32];
	int64_t count; /* as last seen */
	int64_t rise;  /* since `since_s`, while it goes on rising */
	int64_t since_s, last_s;
	size_t event; /* number of the event that tells it */
};

struct top_events {
	struct top_event events[TOP_EVENTS_MAX]; /* a ring */
	size_t told;                             /* since the start */
	size_t changes;
	json_t *before; /* the document seen last; NULL: what is there next is no news */
	int64_t before_s;
	double uptime;
	int64_t away_s; /* the daemon does not answer since then; 0: it does */
	struct top_lost lost[TOP_EVENTS_LOST_MAX];
	size_t nlost;
};

void top_events_top(struct top_events *events, json_t *document, int64_t wall_s);
void top_events_status(struct top_events *events, const json_t *document, int64_t wall_s);
/* The daemon does not answer: why. */
void top_events_away(struct top_events *events, const char *why, int64_t wall_s);
/* A new array for view_events, the newest first. */
json_t *top_events_document(const struct top_events *events);
void top_events_done(struct top_events *events);

#endif
