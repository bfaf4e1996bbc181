/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which executable files hold an interpreter: each is looked at once, its verdict kept by the
 * identity that the kernel's events report. Used by discover.
 *
 * A worker looks: a file system may take its time, or for ever.
 */
#ifndef PYPROF_DAEMON_VERDICTS_H
#define PYPROF_DAEMON_VERDICTS_H

#include <stdbool.h>

#include "bpf/record.h"
#include "daemon/probe/mappings.h"
#include "daemon/target/python.h"

struct verdicts;

/* late: a file could be looked at after all that -EAGAIN was said of, because of this process. */
struct verdicts *verdicts_new(void (*late)(void *data, pid_t pid), void *data);
void verdicts_free(struct verdicts *verdicts);

/*
 * The image of the file that was executed, NULL when it is no Python or could not be opened.
 * ret_new: given for the first time. The image lives as long as the verdicts. 0; -EAGAIN: its file
 * system does not answer for now.
 */
int verdicts_exec(struct verdicts *verdicts, const struct exec_record *record,
		  struct python_image **ret_image, bool *ret_new);
/* The same for a file that was mapped. */
int verdicts_mapping(struct verdicts *verdicts, const struct mapping *mapping,
		     struct python_image **ret_image);

#endif
