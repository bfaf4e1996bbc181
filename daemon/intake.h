/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way of a record through the daemon: ring → decode → (discover | codes | symbolise) → window
 * and recordings. One place that knows in which order a record meets the stages; it holds what has
 * to wait for another ring.
 */
#ifndef PYPROF_DAEMON_INTAKE_H
#define PYPROF_DAEMON_INTAKE_H

#include <stdint.h>

#include "daemon/discover.h"
#include "daemon/profile/profile.h"
#include "daemon/symbol/code.h"

struct server;
struct intake;

/* What user space itself dropped; all else is counted in the kernel. */
struct intake_counts {
	uint64_t records, bad_records, samples;
	uint64_t stale_samples; /* a frame's name, or the process, was gone */
	uint64_t waiting_full;  /* samples that came while too many waited: counted as stale */
};

struct intake_stages {
	struct probe *probe;
	struct discover *discover;
	struct processes *processes;
	struct codes *codes;
	struct stacks *stacks;
	struct window *window;
	struct server *server; /* NULL until it serves */
};

struct intake *intake_new(const struct intake_stages *stages);
void intake_free(struct intake *intake);
void intake_serve(struct intake *intake, struct server *server);

/* For probe_options.record. */
void intake_record(void *intake, const void *bytes, size_t size);
/* After each drain: tries again what waited for a description from another ring. */
void intake_drained(struct intake *intake);
/* After a drain, when somebody needs all that was sampled so far: what still waits is named now,
 * from its process's memory, or counted as stale. */
void intake_settle(struct intake *intake);
/* For discover_stages.ended. */
void intake_ended(void *intake, struct process *process, bool last_of_family);
/* About once a second: names of new threads, what ended long ago. */
void intake_tick(struct intake *intake, uint64_t now_ns);
const struct intake_counts *intake_counts(const struct intake *intake);

#endif
