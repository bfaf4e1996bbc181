/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The child's side of source.h. On the pipe: for each file that could be read a source_head, then
 * for each line that it has a source_item and the line's bytes. */
#ifndef PYPROF_DAEMON_SERVE_SOURCE_CHILD_H
#define PYPROF_DAEMON_SERVE_SOURCE_CHILD_H

#include "daemon/serve/source.h"

struct source_head {
	uint32_t file;   /* index in files */
	uint32_t nlines; /* source_items that follow */
	uint64_t mtime_ns;
};

struct source_item {
	uint32_t line; /* index in lines */
	uint32_t size; /* bytes that follow */
};

/* In the forked child; never returns. */
void source_child(pid_t pid, uint64_t start_time_ns, const struct source_file *files, size_t nfiles,
		  int pipe) __attribute__((noreturn));

#endif
