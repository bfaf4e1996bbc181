/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call that ends, as the programs hand it on. */
#ifndef PYPROF_BPF_CALL_H
#define PYPROF_BPF_CALL_H

#include "bpf/gather.h"

struct call {
	struct task_struct *task;
	struct pt_regs___kernel *regs;
	struct py_process *process;
	struct thread_use *use;
	struct source_runs *runs;
	__u64 now_ns;
	__u64 off_ns;  /* off_cpu_ns() */
	__u64 wall_ns; /* 0: its begin was not seen */
	__u32 number;
	__u32 error; /* errno, 0 = none */
	long result;
};

ALWAYS_INLINE void map_full(const struct call *call)
{
	if (call->runs)
		call->runs->full++;
}

ALWAYS_INLINE __u64 call_argument(const struct call *call, __u32 index)
{
	return index == 0 ? call->regs->di : index == 1 ? call->regs->si : call->regs->dx;
}

/* Sends the whole sum of a resource as one sample. */
ALWAYS_INLINE bool call_send(const struct call *call, __u32 source, __u32 resource, __u64 detail,
			     __u64 every)
{
	return gather_send(call->use, call->runs, source, resource, detail, every);
}

#endif
