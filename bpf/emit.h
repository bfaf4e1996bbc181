/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From an event to a sample record: the steps that every event source shares. Take a seat → find
 * the thread → walk its frames → describe new code objects → send.
 */
#ifndef PYPROF_BPF_EMIT_H
#define PYPROF_BPF_EMIT_H

#include "bpf/maps.h"
#include "bpf/describe.h"
#include "bpf/settings.h"
#include "bpf/thread.h"
#include "bpf/walk.h"

/* What the steps share; lives on the BPF stack. */
struct sampling {
	__u32 cpu, seat;
	struct py_process *process;
	struct py_layout *layout;
	struct scratch *scratch;
	struct code_cache *codes;
};

/* walk.h asks; this side answers from the map. */
ALWAYS_INLINE int gate_passed(__u64 family, __u64 code, __u32 checksum)
{
	__u64 key = checksum_gate(family, code, checksum);

	return bpf_map_lookup_elem(&gate, &key) != NULL;
}

ALWAYS_INLINE void *ring_of(__u32 cpu)
{
	__u32 index = cpu / (cpus_per_ring ? cpus_per_ring : 1);

	return bpf_map_lookup_elem(&rings, &index);
}

ALWAYS_INLINE long ring_send(void *ring, void *record, __u64 size)
{
	__u64 flags = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= ring_wake_bytes
			  ? BPF_RB_FORCE_WAKEUP
			  : BPF_RB_NO_WAKEUP;

	return bpf_ringbuf_output(ring, record, size, flags);
}

ALWAYS_INLINE void header_fill(struct record_header *h, __u16 kind, __u32 size, __u32 cpu)
{
	h->kind = kind;
	h->size = size;
	h->cpu = cpu;
	h->time_ns = bpf_ktime_get_ns();
}

/* The futex address that the thread waits on, when the tick hit it inside futex(2). */
ALWAYS_INLINE __u64 futex_of(const struct pt_regs___kernel *regs)
{
	if (BPF_CORE_READ(regs, orig_ax) != 202 /* __NR_futex, x86-64 */)
		return 0;
	return BPF_CORE_READ(regs, di);
}

/* Looks up all that a walk needs; 0, or the reason that ends it. g->process is set. */
ALWAYS_INLINE __u32 sampling_init(struct sampling *g, __u32 context)
{
	g->cpu = bpf_get_smp_processor_id();
	g->seat = context * cpus + g->cpu;
	if (g->process->state != PY_SUPPORTED)
		return LOSS_UNSUPPORTED;
	g->layout = bpf_map_lookup_elem(&layouts, &g->process->layout);
	g->scratch = bpf_map_lookup_elem(&scratches, &g->seat);
	g->codes = bpf_map_lookup_elem(&code_caches, &g->seat);
	if (!g->layout || !g->scratch || !g->codes)
		return LOSS_UNSUPPORTED;
	return LOSS_NONE;
}

/* Everything of a sample that is known before the walk. ip: in user space, 0 in the kernel. */
ALWAYS_INLINE void sample_fill(struct sample_record *r, const struct py_process *p, __u64 ident,
			       __u64 ip)
{
	__u64 id = bpf_get_current_pid_tgid();

	r->generation = p->generation;
	r->family = p->family;
	r->pid = id >> 32;
	r->tid = (__u32)id;
	r->thread_ident = ident;
	r->gil = p->at.gil ? GIL_RELEASED : GIL_UNKNOWN;
	r->loss = 0;
	r->flags = 0;
	r->nframes = 0;
	r->ip = ip;
	if (!ip)
		r->leaf = LEAF_SYSTEM;
	else
		r->leaf = ip >= p->at.text_start && ip < p->at.text_end ? LEAF_PYTHON : LEAF_NATIVE;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
}

/* From the thread to its first frame: s->walk is ready, or its `loss` says why not. */
ALWAYS_INLINE void sampling_find(struct sampling *g, struct thread_cache *threads, __u64 ident,
				 const struct pt_regs___kernel *user_regs)
{
	__u64 now_ms = bpf_ktime_get_ns() / 1000000, state, futex = 0;
	struct scratch *s = g->scratch;
	__u32 loss = 0;

	state = thread_find(s, g->layout, g->process, threads, (__u32)bpf_get_current_pid_tgid(),
			    ident, now_ms, &loss);
	walk_start(&s->walk, 0, now_ms);
	if (state) {
		if (s->sample.record.leaf == LEAF_SYSTEM)
			futex = futex_of(user_regs);
		s->sample.record.gil = gil_state_of(s, g->layout, g->process, state, futex);
		walk_start(&s->walk, thread_frame(s, g->layout), now_ms);
	}
	s->walk.loss = loss;
}

ALWAYS_INLINE void describe_send(struct sampling *g, __u64 i)
{
	struct scratch *s = g->scratch;
	void *ring = ring_of(g->cpu);
	struct unsent_code *unsent;
	__u64 size;

	HIDE(i);
	if (i >= UNSENT_MAX || !ring)
		return;
	unsent = &s->unsent[i];
	size = describe_code(s, g->layout, g->process, unsent);
	HIDE(size);
	if (!size || size > sizeof(s->code))
		return;
	s->code.record.pid = s->sample.record.pid;
	header_fill(&s->code.record.header, RECORD_CODE, size, g->cpu);
	if (ring_send(ring, &s->code, size) == 0)
		g->codes->slots[unsent->slot & (CODE_SLOTS - 1)].sent = 1;
}

/* Sends the sample with the frames that were walked. 0, or negative: the ring is full. */
ALWAYS_INLINE long sample_send(struct sampling *g)
{
	struct scratch *s = g->scratch;
	struct sample_record *r = &s->sample.record;
	void *ring = ring_of(g->cpu);
	__u64 n = s->walk.nframes, size;

	HIDE(n);
	if (n > FRAMES_MAX)
		n = FRAMES_MAX;
	r->nframes = n;
	r->loss = s->walk.loss;
	r->flags = r->loss ? SAMPLE_PARTIAL : 0;
	size = sizeof(*r) + n * sizeof(struct py_frame);
	header_fill(&r->header, RECORD_SAMPLE, size, g->cpu);
	return ring ? ring_send(ring, &s->sample, size) : -1;
}

#endif
