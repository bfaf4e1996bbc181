/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A profile for speedscope: one sampled profile for each process, or for each thread. Pure. */
#ifndef PYPROF_CLI_FORMAT_SPEEDSCOPE_H
#define PYPROF_CLI_FORMAT_SPEEDSCOPE_H

#include "cli/profile.h"

/* Appends. 0, -ENOMEM or -EBADMSG. */
int format_speedscope(const json_t *document, const struct profile_options *options,
		      struct text *out);

#endif
