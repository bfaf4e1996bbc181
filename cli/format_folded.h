/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The folded form of a profile, as flamegraph.pl, inferno and speedscope read it: a line a stack,
 * "root;…;leaf SAMPLES". Pure. */
#ifndef PYPROF_CLI_FORMAT_FOLDED_H
#define PYPROF_CLI_FORMAT_FOLDED_H

#include "cli/profile.h"

/* Appends. 0, -ENOMEM or -EBADMSG. Equal lines are one. */
int format_folded(const json_t *document, const struct profile_options *options, struct text *out);

#endif
