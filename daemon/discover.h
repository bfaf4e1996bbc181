/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps the process table and the kernel's configuration current: life-cycle records, executable
 * mappings and /proc → [discover] → processes, probe. An executable file is looked at once; its
 * verdict is kept by the identity that the kernel's events report.
 */
#ifndef PYPROF_DAEMON_DISCOVER_H
#define PYPROF_DAEMON_DISCOVER_H

#include "bpf/record.h"
#include "daemon/probe/mappings.h"
#include "daemon/probe/probe.h"
#include "daemon/profile/process.h"

struct discover;

struct discover_stages {
	struct probe *probe;
	struct processes *processes;
	/* A process or its image is over: its counters are final. `last` of its family: names may
	 * go. */
	void (*ended)(void *data, struct process *process, bool last_of_family);
	void *data;
};

struct discover *discover_new(const struct discover_stages *stages);
void discover_free(struct discover *discover);

/* Looks at all of /proc: at the start, and after life-cycle records were lost. */
void discover_scan(struct discover *discover);
void discover_fork(struct discover *discover, const struct fork_record *record);
void discover_exec(struct discover *discover, const struct exec_record *record);
void discover_exit(struct discover *discover, const struct exit_record *record);
void discover_mapping(struct discover *discover, const struct mapping *mapping);
/* Whether a process of the family is known that lives. */
bool discover_family_lives(const struct discover *discover, uint64_t family);
/* About once a second: forgets execs that never became Python, sees processes that ended unseen. */
void discover_tick(struct discover *discover, uint64_t now_ns);

#endif
