/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The recordings that run: sample → [recordings] → their profiles. A recording ends by itself when
 * its time is over or when the processes that it named by pid have ended; it is dropped with the
 * connection that made it.
 */
#ifndef PYPROF_DAEMON_SERVE_RECORDINGS_H
#define PYPROF_DAEMON_SERVE_RECORDINGS_H

#include "daemon/serve/selector.h"
#include "daemon/serve/server.h"

#define RECORDINGS_MAX 16      /* at once; each may hold 100,000 stacks */
#define RECORDINGS_MAX_OWNER 4 /* of one unprivileged user */
#define RECORDING_SECONDS_MAX 86400

struct recordings;

struct active {
	unsigned id;
	struct peer peer; /* who made it */
	struct selector selector;
	struct recording recording;
	bool running, closing;     /* closing: no process joins any more */
	bool counting;             /* sources run for it */
	uint64_t stopped_ns;       /* loop_now_ns() */
	struct map *members;       /* generation → struct member */
	struct process_ticks past; /* of members that ended; samples of other resources */
	uint64_t stale;            /* samples in the profile that lack a name */
	struct map *family;        /* pid → 1: named and adopted ones, when children are wanted */
	uint64_t *starts;          /* of recording.pids: start time since boot, 0 when unknown */
	const void *connection;
	void (*done)(void *data); /* called once when it ended by itself */
	void *data;
	struct recordings *owner;
	const struct server_config *config;
	struct active *next;
};

struct recording_spec {
	struct selector *selector; /* its contents are taken on success */
	const struct peer *peer;
	uint32_t resources; /* RESOURCE_BIT()s; 0: CPU */
	unsigned hz;        /* 0: the daemon's */
	double seconds;     /* 0: until stopped */
	bool children;
	const void *connection;
	void (*done)(void *data);
	void *data;
};

struct recordings *recordings_new(const struct server_config *config);
void recordings_free(struct recordings *recordings);

int recordings_start(struct recordings *recordings, const struct recording_spec *spec,
		     struct active **ret_active, struct error *error);
/* Stops it; its profile stays until it is dropped. */
void recordings_stop(struct active *active);
void recordings_drop(struct active *active);
void recordings_drop_connection(struct recordings *recordings, const void *connection);
struct active *recordings_find(struct recordings *recordings, unsigned id);

void recordings_sample(struct recordings *recordings, struct process *process, uint8_t source,
		       const struct profile_key *key, uint64_t weight, bool stale);
void recordings_process_started(struct recordings *recordings, struct process *process);
void recordings_process_ended(struct recordings *recordings, struct process *process);

double recordings_seconds(const struct active *active);

#endif
