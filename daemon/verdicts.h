/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which executable files hold an interpreter: each is looked at once, its verdict kept by the
 * identity that the kernel's events report. Used by discover.
 */
#ifndef PYPROF_DAEMON_VERDICTS_H
#define PYPROF_DAEMON_VERDICTS_H

#include <stdbool.h>

#include "bpf/record.h"
#include "daemon/probe/mappings.h"
#include "daemon/target/python.h"

struct verdicts;

struct verdicts *verdicts_new(void);
void verdicts_free(struct verdicts *verdicts);

/* The image of the file that was executed, NULL when it is no Python or could not be looked at.
 * ret_new: it was looked at now. The image lives as long as the verdicts. */
struct python_image *verdicts_exec(struct verdicts *verdicts, const struct exec_record *record,
				   bool *ret_new);
/* The same for a file that was mapped. */
struct python_image *verdicts_mapping(struct verdicts *verdicts, const struct mapping *mapping);

#endif
