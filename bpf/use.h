/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel side remembers of each thread of a Python process, beside its stack. */
#ifndef PYPROF_BPF_USE_H
#define PYPROF_BPF_USE_H

#include "bpf/record.h"

/* A sum and where the next sample is due. */
struct gathered {
	__u64 sum, next;
};

/* Of each thread of a Python process, in task storage: it leaves with the task. */
struct thread_use {
	__u64 generation;
	__u32 epoch; /* source_epochs[SRC_SYSCALLS] */
	__u32 pad;
	struct gathered of[RESOURCE_MAX];
	__u64 call_every; /* calls a sample: follows the thread's rate */
	__u64 call_sampled_ns;
};

#endif
