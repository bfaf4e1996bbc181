/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The walk and the descriptions by bpf_loop (5.17+). */
#ifndef PYPROF_BPF_EMIT_LOOP_H
#define PYPROF_BPF_EMIT_LOOP_H

#include "bpf/emit.h"

static long walk_one(__u32 i __attribute__((unused)), void *data)
{
	struct sampling *g = data;

	return walk_step(g->scratch, g->layout, g->process, g->codes);
}

static long describe_one(__u32 i, void *data)
{
	struct sampling *g = data;

	if (i >= g->scratch->walk.unsent)
		return 1;
	describe_send(g, i);
	return 0;
}

ALWAYS_INLINE void sampling_walk(struct sampling *g)
{
	if (!g->scratch->walk.loss)
		bpf_loop(WALK_STEPS_MAX + 1, walk_one, g, 0);
	if (g->scratch->walk.unsent)
		bpf_loop(UNSENT_MAX, describe_one, g, 0);
}

#endif
