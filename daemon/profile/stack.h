/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Named frames and stacks, each kept once and counted by reference: symbolise → [stack] → profile.
 */
#ifndef PYPROF_DAEMON_PROFILE_STACK_H
#define PYPROF_DAEMON_PROFILE_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/symbol/code.h"

enum frame_kind { FRAME_KIND_PYTHON, FRAME_KIND_NATIVE, FRAME_KIND_KERNEL, FRAME_KIND_MARKER };

/* Interned: the same frame is the same pointer. Strings are owned by the string table, see
 * frame_name(). */
struct frame {
	const char *function, *file;
	int line;       /* 0 = none */
	int first_line; /* of the function */
	enum frame_kind kind;
	uint32_t id; /* small, dense */
};

/* Leaf first. */
struct stack {
	uint32_t references;
	uint32_t nframes;
	const struct frame *frames[];
};

struct stacks;

struct stacks *stacks_new(void);
void stacks_free(struct stacks *stacks);
const struct frame *stacks_frame(struct stacks *stacks, const char *function, const char *file,
				 int line, int first_line, enum frame_kind kind);
/* The interned stack with one more reference; NULL when out of memory. */
struct stack *stacks_intern(struct stacks *stacks, const struct frame *const *frames,
			    size_t nframes);
void stacks_unref(struct stacks *stacks, struct stack *stack);
size_t stacks_bytes(const struct stacks *stacks);

#endif
