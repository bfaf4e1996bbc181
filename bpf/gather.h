/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a thread uses of a resource adds up; when the sum passes a threshold, its stack is walked
 * and one sample carries the whole sum. So the cost follows the amount used and not the number of
 * events, and sums are whole: what cannot be sent stays in the sum.
 */
#ifndef PYPROF_BPF_GATHER_H
#define PYPROF_BPF_GATHER_H

#include "bpf/maps.h"
#include "bpf/settings.h"
#include "bpf/user_memory.h"

/* The thread's sums; those of an earlier recording, and of the image before an exec, are dropped.
 */
ALWAYS_INLINE struct thread_use *use_of(struct task_struct *task, const struct py_process *p)
{
	struct thread_use *use =
	    bpf_task_storage_get(&thread_uses, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u32 epoch = source_epochs[SRC_SYSCALLS];

	if (use && (use->generation != p->generation || use->epoch != epoch)) {
		__builtin_memset(use, 0, sizeof(*use));
		use->generation = p->generation;
		use->epoch = epoch;
	}
	return use;
}

/* One sample of the current thread. 0, or negative: not now. In gather.bpf.c. */
int use_sample(__u32 resource, __u64 detail, __u64 weight);

/* Half to one and a half times `every`, so that no rhythm of the program falls in step. A power of
 * two. */
ALWAYS_INLINE __u64 due_after(__u64 every)
{
	return every / 2 + (bpf_get_prandom_u32() & (every - 1));
}

/* Adds to a sum. True: it is time for a sample of the whole of it. */
ALWAYS_INLINE bool gather(struct thread_use *use, __u32 resource, __u64 amount)
{
	struct gathered *of = &use->of[resource & (RESOURCE_MAX - 1)];

	of->sum += amount;
	return of->sum >= of->next;
}

/* Samples the sum of a resource; its next sample is due after about `every`. */
ALWAYS_INLINE bool gather_send(struct thread_use *use, __u32 resource, __u64 detail, __u64 every)
{
	struct gathered *of = &use->of[resource & (RESOURCE_MAX - 1)];

	if (use_sample(resource, detail, of->sum))
		return false;
	of->sum = 0;
	of->next = due_after(every);
	return true;
}

#endif
