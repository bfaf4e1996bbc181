/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The HTTP server on the Unix socket: window and process table → [serve] → JSON. Runs inside the
 * daemon's event loop; a request that waits (seconds=) is suspended, nothing blocks.
 *
 * What only main knows (the kernel's counters, attaching events) comes through hooks.
 */
#ifndef PYPROF_DAEMON_SERVE_SERVER_H
#define PYPROF_DAEMON_SERVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/record.h"
#include "daemon/base/loop.h"
#include "daemon/profile/process.h"
#include "daemon/profile/profile.h"

struct server;

struct server_cpu {
	unsigned cpu;
	struct cpu_ticks ticks;
};

/* An event source and what it costs. NAN: not known. */
struct server_source {
	const char *name;
	bool attached;
	const char *reason; /* why not attached, NULL */
	const char *mode;   /* "off" "on" "turns" "demand" */
	double price_ns, per_second, cost_percent;
};

struct server_limit {
	const char *name; /* "frames", "stacks", …: keys of limits{} */
	uint64_t value;
};

struct server_feature {
	const char *name; /* keys of features{} */
	bool present;
};

/* Filled by main; the arrays are main's and hold until the next event. */
struct server_status {
	const struct server_cpu *cpus;
	size_t ncpus;
	const struct server_source *sources;
	size_t nsources;
	const struct server_limit *limits;
	size_t nlimits;
	const struct server_feature *features;
	size_t nfeatures;
	double cost_percent, budget_percent; /* of the host's CPUs; NAN: not known */
	uint64_t map_bytes;                  /* BPF maps and rings */
};

struct server_hooks {
	void *data;
	void (*status)(void *data, struct server_status *ret_status);
	/*
	 * The kernel's counters of a process now, of SOURCE_ALWAYS or SOURCE_SESSION; for an ended
	 * one the final ones. 0, or -errno when they are not known: the pid runs another
	 * generation.
	 */
	int (*ticks)(void *data, struct process *process, uint8_t source,
		     struct process_ticks *ret_ticks);
	/* Reads the rings, so that a document holds what the kernel has counted. May be NULL. */
	void (*drain)(void *data);
	/* The same, and every sample in them is handed on, however little of it can be named. May
	 * be NULL. */
	void (*settle)(void *data);
	/* Runs what counts these resources (RESOURCE_BIT()s) until it is dropped as often. 0 or
	 * -errno. May be NULL: then there are CPU samples only. */
	int (*sources_want)(void *data, uint32_t resources);
	void (*sources_drop)(void *data, uint32_t resources);
	/*
	 * Only for recordings above the daemon's rate (source SESSION): attach events at
	 * recording->hz to the threads of recording->pids, one more process, and detach. 0 or
	 * -errno. Recordings that run at once have the same rate; a process may be in several.
	 */
	int (*recording_start)(void *data, struct recording *recording);
	int (*recording_add)(void *data, struct recording *recording, pid_t pid);
	void (*recording_stop)(void *data, struct recording *recording);
};

struct server_config {
	const char *socket; /* path */
	struct loop *loop;
	struct processes *processes;
	struct stacks *stacks;
	struct window *window;
	unsigned hz; /* of SOURCE_ALWAYS */
	struct server_hooks hooks;
};

/* 0; -EADDRINUSE: another daemon serves this socket; -errno. Copies the configuration. */
int server_start(const struct server_config *config, struct server **ret_server);
/* Answers what waits with an error, closes and removes the socket. NULL is fine. */
void server_stop(struct server *server);

/* Main hands every sample on, to the window and to here. stale: it lacks a name, which the kernel
 * side cannot know. */
void server_sample(struct server *server, struct process *process, uint8_t source,
		   const struct profile_key *key, uint64_t weight, bool stale);
/* After processes_add() and its details; before processes_ended() of an exit or exec. */
void server_process_started(struct server *server, struct process *process);
void server_process_ended(struct server *server, struct process *process);

#endif
