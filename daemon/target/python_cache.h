/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verdicts on files, by the identity that stat() gives: hundreds of processes map the same
 * libraries. O(1); at most PYTHON_CACHE_MAX files, then all are forgotten and looked at anew. Not
 * thread-safe.
 */
#ifndef PYPROF_DAEMON_TARGET_PYTHON_CACHE_H
#define PYPROF_DAEMON_TARGET_PYTHON_CACHE_H

#include <sys/stat.h>

#include "daemon/target/python.h"

#define PYTHON_CACHE_MAX 4096

/* The interpreter in the file behind fd, NULL when none; valid until the next call. */
const struct python_image *python_cache_get(int fd, const struct stat *st);
void python_cache_clear(void);

#endif
