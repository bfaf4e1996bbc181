/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The thread states of a process: interpreters → threads. */
#ifndef PYPROF_DAEMON_TARGET_PYTHREADS_H
#define PYPROF_DAEMON_TARGET_PYTHREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/target/pyreader.h"

#define PYTHREADS_MAX 32768
#define PYTHREADS_INTERPRETERS_MAX 1024

struct pythread {
	uint64_t state;  /* address of the PyThreadState */
	uint64_t interp; /* address of its PyInterpreterState */
	uint64_t ident;  /* pthread_self() */
	pid_t own_id;    /* what gettid() tells it, in its own pid namespace; 0: unknown */
};

/* Newest first, as the interpreter links them; the caller frees. None while it has not initialised.
 * The list may change while it is read: what is not a thread state any more ends it. */
int pythreads_list(const struct pyreader *reader, struct pythread **ret_threads,
		   size_t *ret_nthreads);
/* Is it still the same thread's? */
bool pythreads_same(const struct pyreader *reader, const struct pythread *thread);
/* The interpreters, newest first; their count or an error. */
int pythreads_interpreters(const struct pyreader *reader, uint64_t *out, size_t max);

#endif
