/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Named frames and stacks, each kept once and counted by reference: symbolise → [stack] → profile.
 * The last reference frees: memory follows what profiles hold, not what was ever seen.
 */
#ifndef PYPROF_DAEMON_PROFILE_STACK_H
#define PYPROF_DAEMON_PROFILE_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/set.h"

/* Over this a new stack becomes "[overflow]": half of the daemon's 64 MiB. */
#define STACKS_BYTES_MAX (32u << 20)

enum frame_kind { FRAME_KIND_PYTHON, FRAME_KIND_NATIVE, FRAME_KIND_KERNEL, FRAME_KIND_MARKER };

/* UTF-8, in symbol/strings.h; NULL = none, or not known. module: of the globals that the function
 * ran with. */
struct frame_names {
	const char *function, *file, *module;
};

/* Interned: the same frame is the same pointer. It holds a reference of its names. */
struct frame {
	struct set_node node;
	const char *function, *file, *module;
	int line;       /* 0 = none */
	int first_line; /* of the function */
	enum frame_kind kind;
	uint32_t id; /* small, dense; used again after the frame is gone */
	uint32_t references;
};

/* Leaf first. */
struct stack {
	struct set_node node;
	uint32_t references;
	uint32_t nframes;
	const struct frame *frames[];
};

struct stacks;

struct stacks *stacks_new(void);
/* Every reference must be back. */
void stacks_free(struct stacks *stacks);

/* The interned frame with one more reference, given back with stacks_frame_unref(); NULL when out
 * of memory. */
const struct frame *stacks_frame_named(struct stacks *stacks, const struct frame_names *names,
				       int line, int first_line, enum frame_kind kind);
/* The same with names that are copied, and no module. */
const struct frame *stacks_frame(struct stacks *stacks, const char *function, const char *file,
				 int line, int first_line, enum frame_kind kind);
void stacks_frame_unref(struct stacks *stacks, const struct frame *frame);

/* The interned stack with one more reference, which holds its frames; NULL when out of memory. */
struct stack *stacks_intern(struct stacks *stacks, const struct frame *const *frames,
			    size_t nframes);
struct stack *stacks_ref(struct stack *stack);
void stacks_unref(struct stacks *stacks, struct stack *stack);
/* The one stack "[overflow]", referenced for the caller: what exceeds a limit joins it. */
struct stack *stacks_overflow(struct stacks *stacks);

/*
 * The last few thousand frames by where they came from, so that the frames of most samples need no
 * line table. A family's code object of one checksum never changes: entries never go stale.
 */
struct frame_source {
	uint64_t family, code;
	uint32_t checksum, lasti;
};
/* Referenced for the caller; NULL when not remembered. */
const struct frame *stacks_recall(struct stacks *stacks, const struct frame_source *source);
void stacks_remember(struct stacks *stacks, const struct frame_source *source,
		     const struct frame *frame);

size_t stacks_bytes(const struct stacks *stacks); /* without the names: strings_bytes() */
size_t stacks_count(const struct stacks *stacks);
size_t stacks_frame_count(const struct stacks *stacks);
uint64_t stacks_overflowed(const struct stacks *stacks); /* samples over the limit */

#endif
