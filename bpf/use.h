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
	/* The system call under way; 0: its begin was not seen. */
	__u64 enter_ns, enter_off_ns;
	/* At the end of the last one. */
	__u64 off_ns, delay_ns;
	struct gathered of[RESOURCE_MAX];
	__u64 call_every; /* calls a sample: follows the thread's rate */
	__u64 call_sampled_ns;
};

#endif
