/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sample → named stack: decode → [symbolise] → profile. Knows codes, processes and stacks; does no
 * I/O but codes_fetch(). */
#ifndef PYPROF_DAEMON_SYMBOL_SYMBOLISE_H
#define PYPROF_DAEMON_SYMBOL_SYMBOLISE_H

#include <stdbool.h>

#include "bpf/record.h"
#include "daemon/profile/process.h"
#include "daemon/profile/stack.h"
#include "daemon/symbol/code.h"

/*
 * The sample's stack, referenced for the caller. A frame whose code is unknown is fetched from the
 * live process when `last` is set; where that fails it becomes the marker "[unknown]" and
 * *ret_unknown counts it. Without `last`, an unknown frame returns NULL: its description may still
 * be in another ring, try again after the next drain. With `last`, NULL means out of memory.
 * process may be NULL (gone from the table): nothing is fetched then.
 */
struct stack *symbolise_sample(struct codes *codes, struct stacks *stacks,
			       const struct process *process, const struct sample_record *sample,
			       bool last, unsigned *ret_unknown);

#endif
