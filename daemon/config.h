/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The settings file: INI sections, one `key = value` a line, `#` and `;` start comments. */
#ifndef PYPROF_DAEMON_CONFIG_H
#define PYPROF_DAEMON_CONFIG_H

#include <stdio.h>

#include "daemon/base/log.h"

struct options;

/* Called once for each finding, with "FILE:LINE: what". */
typedef void (*config_say_fn)(void *data, enum log_level level, const char *text);

/*
 * Sets in options what the file names. An unknown key is a warning; a bad value or line is an
 * error, and the good ones are still read so that all are told at once. 0, -EBADMSG after errors
 * that were said, another -errno when the file cannot be read.
 */
int config_read(const char *path, struct options *options, config_say_fn say, void *data);
int config_read_stream(FILE *file, const char *name, struct options *options, config_say_fn say,
		       void *data);

#endif
