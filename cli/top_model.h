/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the head of `top` says of the host and of pyprof itself; from /v1/top and /v1/status. */
#ifndef PYPROF_CLI_TOP_MODEL_H
#define PYPROF_CLI_TOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TOP_MODEL_SECONDS 10.0 /* costs and losses look back so far: steady enough to read */
#define TOP_MODEL_POINTS 16

/* What the daemon costs and loses. What is not known is NAN. */
struct top_self {
	bool known;
	double hz;
	double percent; /* of one core */
	double bytes;   /* private memory of the daemon */
	double lost;    /* percent of the sampling events */
};

/* What is not known is NAN. */
struct top_model {
	char host[64];
	bool known; /* a document was there */
	size_t processes;
	double threads;
	double window; /* seconds that the figures look back */
	double cores;
	double python, other, idle; /* percent of the host's CPUs */

	struct top_self self;
	struct top_point {
		double uptime, cpu, events, lost; /* seconds, seconds, count, count */
	} points[TOP_MODEL_POINTS];               /* of the last seconds, the oldest first */
	size_t npoints;
};

void top_model_init(struct top_model *model, const char *host);
void top_model_top(struct top_model *model, const json_t *document);
/* Costs and losses of the last seconds; at first, and after a restart, of the daemon's life. */
void top_model_status(struct top_model *model, const json_t *document);

#endif
