/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Source lines of a process's files, read as the process itself could: a short-lived child takes
 * the process's uid and groups, gives up every capability, looks below the process's root, and
 * sends the lines through a pipe. The daemon's rights would show /etc/shadow to a program that
 * names it as its source.
 *
 * Asynchronous: a file system that hangs holds up the answer for a second, nothing else.
 */
#ifndef PYPROF_DAEMON_SERVE_SOURCE_H
#define PYPROF_DAEMON_SERVE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/loop.h"
#include "daemon/profile/process.h"

#define SOURCE_FILE_MAX (4u << 20) /* larger files are not read */
#define SOURCE_LINE_MAX 512        /* bytes of a line that are shown */
#define SOURCE_FILES_MAX 256       /* of one process */
#define SOURCE_CHILDREN_MAX 16     /* processes of one request whose files are read */
#define SOURCE_DEADLINE_NS 1000000000ull

struct source_line {
	unsigned line; /* 1 is the first */
	char *text;    /* NULL: not read, or past the end */
	size_t size;
};

struct source_file {
	const char *path;
	struct source_line *lines; /* ascending */
	size_t nlines;
	bool read;
	uint64_t mtime_ns; /* Unix epoch */
};

struct source_job;

/* done(data) is called once from the event loop, also at the deadline. NULL: out of memory. */
struct source_job *source_new(struct loop *loop, void (*done)(void *data), void *data);
/* Starts reading for one process; `files` stays the caller's and is filled before done(). 0,
 * -ENOSPC over SOURCE_CHILDREN_MAX, -errno. */
int source_add(struct source_job *job, const struct process *process, struct source_file *files,
	       size_t nfiles);
/* After the last source_add(): false when nothing is to wait for (done() will not be called). */
bool source_wait(struct source_job *job);
void source_free(struct source_job *job);
void source_files_free(struct source_file *files, size_t nfiles);

/* Takes what a child sent; bytes are checked. Pure, for tests. -EBADMSG. */
int source_parse(const char *bytes, size_t size, struct source_file *files, size_t nfiles);

#endif
