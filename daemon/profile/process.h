/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The process table: one entry per Python process (supported or not) that lives or ended within ten
 * minutes. Keyed by generation; pids are reused. Bounded; the longest-ended go first.
 */
#ifndef PYPROF_DAEMON_PROFILE_PROCESS_H
#define PYPROF_DAEMON_PROFILE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/record.h"
#include "daemon/base/map.h"
#include "daemon/target/python.h"

#define PROCESS_KEEP_NS (600ull * 1000000000ull) /* how long an ended process is shown */
#define PROCESSES_MAX 8192

struct process {
	uint64_t generation, family;
	pid_t pid, ppid, ns_pid;
	uint32_t uid;
	uint64_t start_time_ns; /* Unix epoch */
	uint64_t ended_time_ns; /* 0 = lives */
	char comm[16];
	const char *cmdline; /* NUL-separated arguments, cmdline_size bytes; kept once for all */
	size_t cmdline_size;
	char *unit, *container; /* NULL = none */
	/* image.state says whether it is supported. After the end without pid and addresses, and
	 * shared: only what is shown is left. */
	struct python *python;
	/* The kernel's counters: of the always-on sampler and of recordings' events; refreshed on
	 * demand, final after the end. */
	struct process_ticks ticks, session_ticks;
	uint64_t stale; /* whole always-on samples whose names were lost in user space */
	/* Sample records of each source that came through; the kernel counts those it sent. */
	uint64_t delivered[SOURCE_SESSION + 1];
	struct map *threads; /* tid (uint32_t) → struct thread */
	bool names_wanted;   /* a thread without Python name was seen */
};

struct thread {
	char comm[16];
	char *python_name;
	uint64_t ident;
	uint64_t seen_ns; /* loop_now_ns() of its last sample */
};

struct processes;

struct processes *processes_new(void);
void processes_free(struct processes *processes);
/* Whom to ask whether a process still runs the program that the table has of it. */
void processes_ask(struct processes *processes,
		   bool (*runs)(void *data, const struct process *process), void *data);
/* A new process (or NULL when out of memory or PROCESSES_MAX live). Fills what /proc still tells;
 * process_started(), process_argv() and process_cgroup() fill the rest from records. Ends the
 * process that had the pid. May drop the longest-ended, through the fn of processes_expire(). */
struct process *processes_add(struct processes *processes, uint64_t generation, pid_t pid);
struct process *processes_find(struct processes *processes, uint64_t generation);
struct process *processes_by_pid(struct processes *processes, pid_t pid); /* the living one */
void processes_ended(struct processes *processes, struct process *process, uint64_t wall_ns);
/* Drops what ended too long ago: ten minutes, or 65 s when more than 512 ended; calls fn for each
 * before it is freed. */
void processes_expire(struct processes *processes, uint64_t wall_ns,
		      void (*fn)(void *, struct process *), void *data);
/* for (size_t at = 0; (p = processes_next(processes, &at));) — pid order is not promised */
struct process *processes_next(struct processes *processes, size_t *at);
size_t processes_count(const struct processes *processes);
/* New ones zeroed; the address holds until the next new thread. NULL: out of memory, too many. Set
 * seen_ns, else the entry is swept. */
struct thread *process_thread(struct process *process, pid_t tid);
/* Reads comm, command line and uid again (they change: prctl, setproctitle, setuid). What /proc
 * says of a later program of the pid is not taken: the fn of processes_ask() is asked after it. */
void process_refresh(struct process *process);
/* From a fork or exec record. A start time that /proc contradicts means that the pid has another
 * owner by now: what /proc told is forgotten (uid UINT32_MAX), so set uid and comm after this. */
void process_started(struct process *process, uint64_t start_boot_ns);
/* From a record, too: /proc may tell of a later program by now. It stays where it says the same and
 * more. */
void process_argv(struct process *process, const char *argv, size_t size);
void process_cgroup(struct process *process, uint64_t id); /* unless known */

#endif
