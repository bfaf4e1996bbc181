/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this `top` has seen: the documents of /v1/top of the last minutes, packed, in bounded
 * memory. The oldest go first.
 */
#ifndef PYPROF_CLI_TOP_PAST_H
#define PYPROF_CLI_TOP_PAST_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/top_model.h"

#define TOP_PAST_MS (600 * 1000)
#define TOP_PAST_GAP_MS 500 /* documents that come faster are not all kept */
#define TOP_PAST_MOMENTS (TOP_PAST_MS / TOP_PAST_GAP_MS)
#define TOP_PAST_BYTES (8 << 20)

/* What a process used, without unpacking the document. */
struct top_use {
	int64_t pid, start_time_ns;
	double cpu_percent; /* NAN: not known */
};

struct top_moment {
	int64_t at_ms;  /* monotonic: the order */
	int64_t wall_s; /* since the Unix epoch: what a clock showed */
	struct top_self self;
	void *packed; /* zlib */
	size_t packed_size, size;
	struct top_use *uses; /* by pid */
	size_t count;
};

struct top_past {
	struct top_moment moments[TOP_PAST_MOMENTS]; /* a ring */
	size_t first, count, bytes;
};

/* Keeps a document, whose text is `body`. What cannot be kept is missing later, nothing else. */
void top_past_keep(struct top_past *past, int64_t at_ms, int64_t wall_s, const char *body,
		   size_t size, const json_t *document, const struct top_self *self);
/* By age, 0 is the oldest; NULL behind the newest. */
const struct top_moment *top_past_at(const struct top_past *past, size_t number);
/* How many moments are not later than that. */
size_t top_past_until(const struct top_past *past, int64_t at_ms);
/* A new reference, or NULL. */
json_t *top_moment_document(const struct top_moment *moment);
/* NAN: the process was not there, or its use was not known. */
double top_moment_cpu(const struct top_moment *moment, int64_t pid, int64_t start_time_ns);
void top_past_done(struct top_past *past);

#endif
