/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sample of a resource. A function of its own with numbers as arguments, so that the verifier
 * walks through it once a program and not once a call.
 */
#include "bpf/gather.h"
#include "bpf/emit_loop.h"

int use_sample(__u32 resource, __u64 detail, __u64 weight)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs___kernel *regs = (void *)bpf_task_pt_regs(task);
	struct sampling g = {.process = bpf_map_lookup_elem(&processes, &tgid)};
	struct thread_cache *threads;
	struct sample_record *r;
	long sent;

	if (!g.process || sampling_init(&g, SCRATCH_TRACEPOINT))
		return -1;
	threads = bpf_map_lookup_elem(&thread_caches, &g.seat);
	if (!threads || !scratch_take(g.scratch))
		return -1;
	r = &g.scratch->sample.record;
	/* Within a system call the kernel is at work; a page fault is the code's that touched. */
	sample_fill(r, g.process, task->thread.fsbase,
		    (long)BPF_CORE_READ(regs, orig_ax) < 0 ? BPF_CORE_READ(regs, ip) : 0);
	r->weight = weight;
	r->detail = detail;
	r->resource = resource;
	r->source = SOURCE_ALWAYS;
	sampling_find(&g, threads, r->thread_ident, regs);
	sampling_walk(&g);
	sent = sample_send(&g);
	scratch_leave(g.scratch);
	return sent ? -1 : 0;
}
