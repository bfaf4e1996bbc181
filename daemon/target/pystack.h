/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Python frames of one thread, walked from outside: thread state → [pystack] → code objects and
 * instruction offsets. Whether the thread moved meanwhile is the caller's to know (still.h). */
#ifndef PYPROF_DAEMON_TARGET_PYSTACK_H
#define PYPROF_DAEMON_TARGET_PYSTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/target/pyreader.h"

#define PYSTACK_FRAMES_MAX 4096 /* leaf-most frames kept: four times sys.getrecursionlimit() */

struct pystack_frame {
	uint64_t address; /* of the frame */
	uint64_t code;
	int64_t lasti; /* byte offset of the instruction; negative: not started */
};

struct pystack {
	struct pystack_frame *frames; /* leaf first */
	size_t nframes, room;
	bool truncated; /* deeper than the limit */
};

/* The innermost frame of any kind; 0: the thread runs no Python code. */
int pystack_top(const struct pyreader *reader, uint64_t state, uint64_t *ret_frame);
/* Replaces what the stack held. 0; -EFAULT: an address in it is not mapped; -EBADMSG: it does not
 * end; -ENOMEM. */
int pystack_walk(const struct pyreader *reader, uint64_t state, struct pystack *stack);
void pystack_done(struct pystack *stack);

/* How many of the root-most frames are the same in both. */
size_t pystack_common(const struct pystack *a, const struct pystack *b);

#endif
