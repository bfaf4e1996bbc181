/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A profile: weights by (process, thread, stack, GIL, leaf). The rolling window is a ring of
 * one-second profiles; a recording is one profile with a filter. Everything behind the ring buffer
 * is written once, for every resource.
 */
#ifndef PYPROF_DAEMON_PROFILE_PROFILE_H
#define PYPROF_DAEMON_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/profile/process.h"
#include "daemon/profile/stack.h"

#define RESOURCE_BIT(resource) (1u << (resource))
#define RESOURCE_BITS_ALL ((1u << RESOURCE_MAX) - 1)

#define WINDOW_SECONDS 60 /* what `top` and `functions` can look back on */
/* Distinct (process, thread, stack…) of one second: ten times what 99 Hz on 16 busy cores can give.
 */
#define WINDOW_ENTRIES 16384

struct profile_key {
	uint64_t generation; /* of the process */
	uint32_t tid;
	uint8_t gil, leaf, partial, resource; /* partial: enum loss_reason, 0 = whole */
	uint64_t detail;                      /* sample_record.detail */
	struct stack *stack;
};

struct profile_value {
	uint64_t weight; /* in the resource's unit */
	uint64_t samples;
};

struct profile;

struct profile *profile_new(struct stacks *stacks, size_t limit_entries);
void profile_free(struct profile *profile);
/*
 * Takes its own reference of the stack. Over the limit the sample keeps its process, GIL and leaf
 * but joins the stack "[overflow]" of thread 0, and is counted; over twice the limit also its
 * process becomes generation 0. So sums stay whole and memory bounded.
 */
void profile_add(struct profile *profile, const struct profile_key *key, uint64_t weight);
/* Adds what `from` holds of these resources; `from` keeps it. */
void profile_merge(struct profile *profile, const struct profile *from, uint32_t resources);
size_t profile_count(const struct profile *profile);
uint64_t profile_samples(const struct profile *profile);
uint64_t profile_overflowed(const struct profile *profile); /* samples that lost their stack */
const struct profile_value *profile_next(const struct profile *profile, size_t *at,
					 const struct profile_key **ret_key);
size_t profile_bytes(const struct profile *profile);

/* The rolling window. */
struct window;
struct window *window_new(struct stacks *stacks);
void window_free(struct window *window);
void window_add(struct window *window, const struct profile_key *key, uint64_t weight,
		uint64_t now_ns);
/*
 * Everything of these resources in the last `seconds` (1 to WINDOW_SECONDS) and of the second that
 * runs, as a new profile; ret_seconds: what it really spans (the daemon may be younger). NULL when
 * out of memory.
 */
struct profile *window_last(struct window *window, uint32_t resources, unsigned seconds,
			    uint64_t now_ns, double *ret_seconds);
size_t window_bytes(const struct window *window);

/* A recording: profile + which samples it takes. */
struct recording {
	struct profile *profile;
	bool all;
	pid_t *pids; /* when not all */
	size_t npids;
	bool children;      /* also processes forked or spawned by them */
	uint32_t resources; /* RESOURCE_BIT()s */
	uint8_t source;     /* SOURCE_ALWAYS or SOURCE_SESSION */
	unsigned hz;        /* rate of that source */
	uint64_t started_wall_ns, started_ns, ends_ns; /* ends_ns 0: until stopped */
	uint64_t lost[LOSS_MAX];
};

#endif
