/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Adds up the stacks of one process: own and total weight per function with callers and callees,
 * weight per source line by class. Pure. O(frames) per added stack.
 */
#ifndef PYPROF_DAEMON_SERVE_TALLY_H
#define PYPROF_DAEMON_SERVE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/profile/stack.h"

struct tally;

#define TALLY_CLASSES 3 /* enum leaf_class */

/* One function: name, file and first line. A function that is many times in a stack counts once in
 * its total. */
struct tally_function {
	const struct frame *frame; /* one of its frames */
	uint64_t own, total;       /* weight */
	uint64_t samples;          /* that it is in */
};

/* `callee` was called by `caller` somewhere in stacks of this weight; indices of functions. */
struct tally_call {
	uint32_t caller, callee;
	uint64_t total;
};

/* The leaf-most Python line of each stack: what C code called from it uses is the line's. */
struct tally_line {
	const char *file; /* equal names are the same pointer */
	int line;
	uint64_t weight[TALLY_CLASSES];
};

struct tally *tally_new(void);
void tally_free(struct tally *tally);
/* 0 or -ENOMEM. */
int tally_add(struct tally *tally, const struct stack *stack, uint8_t leaf, uint64_t weight,
	      uint64_t samples);

/* The results; sorted once, at the first call of any: functions by own, then total, descending;
 * calls by total, descending; lines by file, then line. No tally_add() afterwards. */
const struct tally_function *tally_functions(struct tally *tally, size_t *ret_count);
const struct tally_call *tally_calls(struct tally *tally, size_t *ret_count);
const struct tally_line *tally_lines(struct tally *tally, size_t *ret_count);

#endif
