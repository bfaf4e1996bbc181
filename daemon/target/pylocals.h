/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The local variables of a frame, by name. */
#ifndef PYPROF_DAEMON_TARGET_PYLOCALS_H
#define PYPROF_DAEMON_TARGET_PYLOCALS_H

#include "daemon/target/pyreader.h"
#include "daemon/target/pystack.h"

#define PYLOCALS_MAX 256 /* variables of one frame */

/* A JSON object {name: short repr}, for the caller to free. Unbound variables are left out.
 * -EFAULT, -EBADMSG, -ENOMEM. */
int pylocals_read(const struct pyreader *reader, const struct pystack_frame *frame,
		  char **ret_json);

#endif
