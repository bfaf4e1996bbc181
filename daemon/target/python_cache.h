/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verdicts on files, by the identity that stat() gives: hundreds of processes map the same
 * libraries. O(1); at most PYTHON_CACHE_MAX files, then all are forgotten and looked at anew.
 * Thread-safe; no lock is held while a file is read, which may take for ever.
 */
#ifndef PYPROF_DAEMON_TARGET_PYTHON_CACHE_H
#define PYPROF_DAEMON_TARGET_PYTHON_CACHE_H

#include <sys/stat.h>

#include "daemon/target/python.h"

#define PYTHON_CACHE_MAX 4096

/* The interpreter in the file behind fd; false: none. */
bool python_cache_get(int fd, const struct stat *st, struct python_image *ret_image);
void python_cache_clear(void);

#endif
