/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The stacks of all threads of a process, read from outside without pausing it. Used by the
 * daemon's /v1/processes/{pid}/stacks and by `pyprofctl dump` when no daemon runs.
 *
 * A thread that did not run while it was read (same switch counts and run time before and after) is
 * exact. One that ran is read again; what never came out consistent is reported in `error`, never
 * guessed.
 */
#ifndef PYPROF_DAEMON_TARGET_DUMP_H
#define PYPROF_DAEMON_TARGET_DUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/json.h"
#include "daemon/target/python.h"

struct dump_frame {
	char *function, *module, *file; /* UTF-8, owned; module NULL when unknown */
	bool function_truncated, module_truncated, file_truncated; /* too long: ends in "…" */
	int line;                                                  /* 0 = none */
	char *locals; /* JSON object text, NULL unless asked for */
};

struct dump_thread {
	pid_t tid;           /* 0: the thread state has no live Linux thread */
	uint64_t ident;      /* pthread_self() */
	char name[16];       /* Linux's */
	char *python_name;   /* threading's, NULL when unknown */
	const char *state;   /* "running" "runnable" "waiting" "stopped" "dead" */
	const char *syscall; /* name when waiting in one, else NULL */
	const char *wait_cause;
	const char *gil; /* "held" "wanted" "released", NULL on free-threaded builds or without
			    Python state */
	struct dump_frame *frames; /* leaf first */
	size_t nframes;
	bool truncated;
	const char *error; /* why the stack could not be read consistently, NULL when it was */
};

struct dump {
	struct python python;
	struct dump_thread *threads;
	size_t nthreads;
};

struct dump_options {
	bool locals;
};

/* 0; -ESRCH no such process; -ENODATA not Python; -EPROTONOSUPPORT unsupported version; -EPERM. */
int dump_take(pid_t pid, const struct dump_options *options, struct dump *ret_dump);
void dump_done(struct dump *dump);
/* One object of processes[] of the `dump` document. */
void dump_write(const struct dump *dump, struct json *json);

/* Names that threading knows: calls fn(data, ident, native id or 0, name) for each. Same errors as
 * dump_take(). */
int dump_thread_names(const struct python *python,
		      void (*fn)(void *data, uint64_t ident, pid_t tid, const char *name),
		      void *data);

#endif
