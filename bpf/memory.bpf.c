/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Growth of a Python process's anonymous memory, seen where the kernel counts it: the tracepoint of
 * the mm's counters, which tells a huge page as its size. The weight of a sample is the change of
 * the process's own counter, so sums are whole whichever fault carries the sample. For 5.17+.
 */
#include "bpf/gather.h"

#define MM_ANONPAGES 1      /* include/linux/mm_types_task.h */
#define PAGE_SHIFT 12       /* x86-64 */
#define MEMORY_EVERY 262144 /* bytes a sample */

/* The mm's anonymous bytes, with the change that made the event. */
ALWAYS_INLINE __s64 anonymous_bytes(struct mm_struct *mm, unsigned long long *ctx)
{
	struct mm_struct___counters *counters = (void *)mm;

	if (bpf_core_type_exists(struct mm_rss_stat)) /* to 6.1: the event brings the value */
		return *(volatile __s64 *)&ctx[2] << PAGE_SHIFT; /* at its own offset */
	return counters->rss_stat[MM_ANONPAGES].count << PAGE_SHIFT;
}

ALWAYS_INLINE void memory_grown(struct memory_seen *m, __s64 now)
{
	bool again = now <= m->peak_bytes;

	if (use_sample(RESOURCE_MEMORY, again ? MEMORY_AGAIN : 0, now - m->bytes))
		return; /* the next one brings it */
	m->bytes = now;
	if (!again)
		m->peak_bytes = now;
}

ALWAYS_INLINE void memory_changed(struct memory_seen *m, __s64 now)
{
	__u32 epoch = source_epochs[SRC_MEMORY];

	if (m->epoch != epoch) {
		m->bytes = now;
		m->peak_bytes = now;
		m->epoch = epoch;
	} else if (now >= m->bytes + MEMORY_EVERY) {
		memory_grown(m, now);
	} else if (now <= m->bytes - MEMORY_EVERY) {
		m->bytes = now;
	}
}

SEC("tp_btf/rss_stat")
int memory_loop(unsigned long long *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct py_process *p = bpf_map_lookup_elem(&processes, &tgid);
	struct mm_struct *mm = (void *)ctx[0];

	/* Another process's: memory is written or reclaimed from outside. */
	if (!p || (int)ctx[1] != MM_ANONPAGES || bpf_get_current_task_btf()->mm != mm)
		return 0;
	memory_changed(&p->memory, anonymous_bytes(mm, ctx));
	return 0;
}
