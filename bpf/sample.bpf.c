/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampler: perf event → find the thread → walk its frames → describe new code objects → one
 * sample record.
 *
 * Each tick of a CPU ends in exactly one counter (struct cpu_ticks). Two sets of programs share
 * every step and are chosen by autoload: sample_loop uses bpf_loop (5.17+), sample_tail chains tail
 * calls (5.10–5.16; bpf_loop in the same program is refused there before dead code goes).
 */
#include "bpf/emit_loop.h"

const volatile __u32 self_tgid = 0;               /* the daemon, profiled out */
const volatile __u64 period_ns = 1000000000 / 99; /* of the always-on event */

enum tail_step { TAIL_WALK, TAIL_DESCRIBE, TAIL_STEPS };
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, TAIL_STEPS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} tail_steps SEC(".maps");

/* Recordings at a higher rate: tgid-independent period of the event that fired, from its own
 * attributes. */
ALWAYS_INLINE __u64 event_period(const struct bpf_perf_event_data *ctx)
{
	return ctx->sample_period;
}

ALWAYS_INLINE void tick_is(struct cpu_ticks *t, __u32 source, __u32 kind)
{
	if (source == SOURCE_ALWAYS)
		t->kind[kind & 7]++;
}

/* Counts how a Python process's tick ended; kind is used when nothing was lost. */
ALWAYS_INLINE void tick_ends(struct cpu_ticks *t, struct py_process *p, __u32 source, __u32 loss,
			     __u32 kind)
{
	struct process_ticks *own = source == SOURCE_ALWAYS ? &p->ticks : &p->session;

	loss &= LOSS_MAX - 1;
	__sync_fetch_and_add(&own->events, 1);
	if (loss) {
		__sync_fetch_and_add(&own->lost[loss], 1);
		if (source == SOURCE_ALWAYS)
			t->lost[loss]++;
		return;
	}
	__sync_fetch_and_add(kind == TICK_PYTHON ? &own->samples : &own->native, 1);
	tick_is(t, source, kind);
}

/* Lost, but its record went out. Counted last, as readers copy upwards: who sees it has the loss.
 */
ALWAYS_INLINE void tick_kept(struct py_process *p, __u32 source)
{
	__sync_fetch_and_add(source == SOURCE_ALWAYS ? &p->ticks.kept : &p->session.kept, 1);
}

/* due: what the event's own clock says; the difference to `ran` are the ticks that the kernel
 * skipped. */
ALWAYS_INLINE void tick_due(struct bpf_perf_event_data *ctx, struct cpu_ticks *t)
{
	struct bpf_perf_event_value value = {};

	if (bpf_perf_prog_read_value(ctx, &value, sizeof(value)) == 0)
		t->due = value.counter / period_ns;
	t->ran++;
}

ALWAYS_INLINE __u32 tick_kind_of_others(struct task_struct *task, __u32 tgid)
{
	if (tgid == 0)
		return TICK_IDLE;
	if (tgid == self_tgid)
		return TICK_SELF;
	return BPF_CORE_READ(task, flags) & PF_KTHREAD ? TICK_KERNEL : TICK_OTHER;
}

/* One tick of a CPU that hit a Python process. */
struct tick {
	struct sampling sampling;
	struct cpu_ticks *ticks;
	__u32 source;
};

ALWAYS_INLINE __u64 user_ip(const struct bpf_perf_event_data *ctx)
{
	return ctx->regs.cs & 3 ? ctx->regs.rip : 0;
}

/* Sends the sample and counts the tick; frees the scratch area. */
ALWAYS_INLINE void tick_finish(struct tick *t)
{
	struct scratch *s = t->sampling.scratch;
	__u32 loss = s->walk.loss, kind = s->walk.nframes ? TICK_PYTHON : TICK_NATIVE;

	/* A stack of which nothing was read tells no more than its counter does. */
	if (!(loss && !s->walk.nframes) && sample_send(&t->sampling))
		loss = LOSS_RING_FULL;
	tick_ends(t->ticks, t->sampling.process, t->source, loss, kind);
	if (loss && loss != LOSS_RING_FULL && s->walk.nframes)
		tick_kept(t->sampling.process, t->source);
	s->busy = 0;
}

/* The Python process's tick, or the reason that ended it. */
ALWAYS_INLINE __u32 tick_take(struct bpf_perf_event_data *ctx, struct tick *t,
			      const struct pt_regs___kernel *user_regs)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct sampling *g = &t->sampling;
	struct thread_cache *threads;
	__u32 loss = sampling_init(g, SCRATCH_PERF);
	__u64 ident;

	if (loss)
		return loss;
	threads = bpf_map_lookup_elem(&thread_caches, &g->seat);
	if (!threads)
		return LOSS_UNSUPPORTED;
	if (g->scratch->busy)
		return LOSS_NESTED;
	g->scratch->busy = 1;
	ident = BPF_CORE_READ(task, thread.fsbase);
	sample_fill(&g->scratch->sample.record, g->process, ident, user_ip(ctx));
	g->scratch->sample.record.weight = event_period(ctx);
	g->scratch->sample.record.resource = RESOURCE_CPU;
	g->scratch->sample.record.detail = 0;
	g->scratch->sample.record.source = t->source;
	sampling_find(g, threads, ident, user_regs);
	return LOSS_NONE;
}

/* 0: the walk is ready and the scratch area held; otherwise the tick is over and counted. */
ALWAYS_INLINE int tick_begin(struct bpf_perf_event_data *ctx, struct tick *t, __u32 source,
			     const struct pt_regs___kernel *user_regs)
{
	__u32 cpu = bpf_get_smp_processor_id(), tgid = bpf_get_current_pid_tgid() >> 32, loss;

	t->source = source;
	t->ticks = bpf_map_lookup_elem(&ticks, &cpu);
	if (!t->ticks)
		return -1;
	if (source == SOURCE_ALWAYS)
		tick_due(ctx, t->ticks);
	t->sampling.process = bpf_map_lookup_elem(&processes, &tgid);
	if (!t->sampling.process) {
		tick_is(t->ticks, source,
			tick_kind_of_others((struct task_struct *)bpf_get_current_task(), tgid));
		return -1;
	}
	loss = tick_take(ctx, t, user_regs);
	if (loss)
		tick_ends(t->ticks, t->sampling.process, source, loss, 0);
	return loss ? -1 : 0;
}

/* --- bpf_loop ------------------------------------------------------------------------------- */

ALWAYS_INLINE int sample_by_loop(struct bpf_perf_event_data *ctx, __u32 source)
{
	struct tick t = {};

	if (tick_begin(ctx, &t, source, (void *)bpf_task_pt_regs(bpf_get_current_task_btf())))
		return 0;
	sampling_walk(&t.sampling);
	tick_finish(&t);
	return 0;
}

SEC("perf_event")
int sample_loop(struct bpf_perf_event_data *ctx)
{
	return sample_by_loop(ctx, SOURCE_ALWAYS);
}

SEC("perf_event")
int session_loop(struct bpf_perf_event_data *ctx)
{
	return sample_by_loop(ctx, SOURCE_SESSION);
}

/* --- tail calls, for kernels without bpf_loop
 * ------------------------------------------------------------------- */

/* The limit is 32 tail calls: 26 × 80 frames ≥ WALK_STEPS_MAX, and 4 × 16 descriptions. */
#define TAIL_FRAMES 80
#define TAIL_DESCRIPTIONS 16
#define THREAD_SIZE 16384 /* x86-64 without KASAN, asm/page_64_types.h */

/* bpf_task_pt_regs() came with 5.15; before, the registers lie at the top of the kernel stack. */
ALWAYS_INLINE struct pt_regs___kernel *task_regs(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, stack) + THREAD_SIZE - sizeof(struct pt_regs);
}

/* What tick_begin() knew; the scratch area still is this event's. */
ALWAYS_INLINE int tick_resume(struct tick *t)
{
	__u32 cpu = bpf_get_smp_processor_id(), tgid = bpf_get_current_pid_tgid() >> 32;

	t->ticks = bpf_map_lookup_elem(&ticks, &cpu);
	t->sampling.process = bpf_map_lookup_elem(&processes, &tgid);
	if (!t->ticks || !t->sampling.process || sampling_init(&t->sampling, SCRATCH_PERF))
		return -1;
	t->source = t->sampling.scratch->sample.record.source;
	return 0;
}

ALWAYS_INLINE int sample_by_tail(struct bpf_perf_event_data *ctx, __u32 source)
{
	struct tick t = {};

	if (tick_begin(ctx, &t, source, task_regs()))
		return 0;
	if (!t.sampling.scratch->walk.loss)
		bpf_tail_call(ctx, &tail_steps, TAIL_WALK);
	tick_finish(&t);
	return 0;
}

SEC("perf_event")
int sample_tail(struct bpf_perf_event_data *ctx)
{
	return sample_by_tail(ctx, SOURCE_ALWAYS);
}

SEC("perf_event")
int session_tail(struct bpf_perf_event_data *ctx)
{
	return sample_by_tail(ctx, SOURCE_SESSION);
}

SEC("perf_event")
int tail_walk(struct bpf_perf_event_data *ctx)
{
	struct tick t = {};
	struct sampling *g = &t.sampling;
	int r = WALK_NEXT;

	if (tick_resume(&t))
		return 0;
	for (int i = 0; i < TAIL_FRAMES && r == WALK_NEXT; i++)
		r = walk_step(g->scratch, g->layout, g->process, g->codes);
	if (r == WALK_NEXT) {
		bpf_tail_call(ctx, &tail_steps, TAIL_WALK);
		g->scratch->walk.loss = LOSS_TRUNCATED; /* out of tail calls */
	}
	if (g->scratch->walk.unsent)
		bpf_tail_call(ctx, &tail_steps, TAIL_DESCRIBE);
	tick_finish(&t);
	return 0;
}

SEC("perf_event")
int tail_describe(struct bpf_perf_event_data *ctx)
{
	struct tick t = {};
	struct scratch *s;
	__u32 left;

	if (tick_resume(&t))
		return 0;
	s = t.sampling.scratch;
	for (int i = 0; i < TAIL_DESCRIPTIONS; i++) {
		left = s->walk.unsent;
		if (!left)
			break;
		s->walk.unsent = left - 1;
		describe_send(&t.sampling, left - 1);
	}
	if (s->walk.unsent)
		bpf_tail_call(ctx, &tail_steps, TAIL_DESCRIBE);
	tick_finish(&t);
	return 0;
}
