/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampler: perf event → find the thread → walk its frames → describe new code objects → one
 * sample record.
 *
 * Each tick of a CPU ends in exactly one counter (struct cpu_ticks). Two sets of programs share
 * every step and are chosen by autoload: sample_loop uses bpf_loop (5.17+), sample_tail chains tail
 * calls (5.10–5.16; bpf_loop in the same program is refused there before dead code goes).
 */
#include "bpf/maps.h"
#include "bpf/describe.h"
#include "bpf/thread.h"
#include "bpf/walk.h"

const volatile __u32 self_tgid = 0; /* the daemon, profiled out */
const volatile __u32 cpus = 1;      /* entries of the per-CPU arrays */
const volatile __u32 cpus_per_ring = 16;
const volatile __u64 period_ns = 1000000000 / 99; /* of the always-on event */
const volatile __u32 ring_wake_bytes = 1 << 18;   /* below, the daemon's timer drains */

/* Template of the rings; the daemon creates the real ones. */
struct ring_template {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* daemon */
	__uint(key_size, sizeof(__u32));
	__array(values, struct ring_template);
} rings SEC(".maps") = {.values = {&ring_inner}};

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

/* walk.h asks; this side answers from the map. */
ALWAYS_INLINE int gate_passed(__u64 family, __u64 code, __u32 checksum)
{
	__u64 key = checksum_gate(family, code, checksum);

	return bpf_map_lookup_elem(&gate, &key) != NULL;
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

/* Everything of a sample that is known before the walk. */
ALWAYS_INLINE void sample_fill(struct bpf_perf_event_data *ctx, struct scratch *s,
			       const struct py_process *p, __u32 source, __u64 ident)
{
	struct sample_record *r = &s->sample.record;
	__u64 id = bpf_get_current_pid_tgid();

	r->generation = p->generation;
	r->family = p->family;
	r->pid = id >> 32;
	r->tid = (__u32)id;
	r->thread_ident = ident;
	r->weight = event_period(ctx);
	r->resource = RESOURCE_CPU;
	r->source = source;
	r->gil = p->at.gil ? GIL_RELEASED : GIL_UNKNOWN;
	r->loss = 0;
	r->flags = 0;
	r->nframes = 0;
	if ((ctx->regs.cs & 3) == 0) {
		r->ip = 0;
		r->leaf = LEAF_SYSTEM;
	} else {
		r->ip = ctx->regs.rip;
		r->leaf =
		    r->ip >= p->at.text_start && r->ip < p->at.text_end ? LEAF_PYTHON : LEAF_NATIVE;
	}
	bpf_get_current_comm(r->comm, sizeof(r->comm));
}

/* What the stages share; lives on the BPF stack. */
struct sampling {
	__u32 cpu, source;
	struct cpu_ticks *ticks;
	struct py_process *process;
	struct py_layout *layout;
	struct scratch *scratch;
	struct code_cache *codes;
};

/* Looks up all that a Python process's tick needs; 0, or the reason that ends it. */
ALWAYS_INLINE __u32 sampling_init(struct sampling *g, __u32 cpu)
{
	__u32 at = cpu;

	if (g->process->state != PY_SUPPORTED)
		return LOSS_UNSUPPORTED;
	g->layout = bpf_map_lookup_elem(&layouts, &g->process->layout);
	g->scratch = bpf_map_lookup_elem(&scratches, &at);
	g->codes = bpf_map_lookup_elem(&code_caches, &at);
	if (!g->layout || !g->scratch || !g->codes)
		return LOSS_UNSUPPORTED;
	return LOSS_NONE;
}

/* Sends the sample and counts the tick; frees the scratch area. */
ALWAYS_INLINE void sample_finish(struct sampling *g, __u32 loss)
{
	struct scratch *s = g->scratch;
	struct sample_record *r = &s->sample.record;
	void *ring = ring_of(g->cpu);
	__u64 n = s->walk.nframes, size;
	__u32 kind = n ? TICK_PYTHON : TICK_NATIVE;

	HIDE(n);
	if (n > FRAMES_MAX)
		n = FRAMES_MAX;
	r->nframes = n;
	r->loss = loss;
	r->flags = loss ? SAMPLE_PARTIAL : 0;
	size = sizeof(*r) + n * sizeof(struct py_frame);
	header_fill(&r->header, RECORD_SAMPLE, size, g->cpu);
	/* A stack of which nothing was read tells no more than its counter does. */
	if (!(loss && !n) && (!ring || ring_send(ring, &s->sample, size)))
		loss = LOSS_RING_FULL;
	tick_ends(g->ticks, g->process, g->source, loss, kind);
	s->busy = 0;
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

/*
 * From the tick to the first frame. 0: s->walk is ready; otherwise the tick is over and counted.
 * The scratch area is held only in the first case.
 */
ALWAYS_INLINE int sample_begin(struct bpf_perf_event_data *ctx, struct sampling *g, __u32 source,
			       const struct pt_regs___kernel *user_regs)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 cpu = bpf_get_smp_processor_id(), tgid = bpf_get_current_pid_tgid() >> 32, loss = 0;
	__u64 now_ms = bpf_ktime_get_ns() / 1000000, ident, state, futex = 0;
	struct thread_cache *threads;

	g->cpu = cpu;
	g->source = source;
	g->ticks = bpf_map_lookup_elem(&ticks, &cpu);
	if (!g->ticks)
		return -1;
	if (source == SOURCE_ALWAYS)
		tick_due(ctx, g->ticks);
	g->process = bpf_map_lookup_elem(&processes, &tgid);
	if (!g->process) {
		tick_is(g->ticks, source, tick_kind_of_others(task, tgid));
		return -1;
	}
	loss = sampling_init(g, cpu);
	threads = bpf_map_lookup_elem(&thread_caches, &cpu);
	if (!loss && threads && g->scratch->busy)
		loss = LOSS_NESTED;
	if (loss || !threads) {
		tick_ends(g->ticks, g->process, source, loss ? loss : LOSS_UNSUPPORTED, 0);
		return -1;
	}
	g->scratch->busy = 1;
	ident = BPF_CORE_READ(task, thread.fsbase);
	sample_fill(ctx, g->scratch, g->process, source, ident);
	state = thread_find(g->scratch, g->layout, g->process, threads,
			    (__u32)bpf_get_current_pid_tgid(), ident, now_ms, &loss);
	walk_start(&g->scratch->walk, 0, now_ms);
	if (state) {
		if (g->scratch->sample.record.leaf == LEAF_SYSTEM)
			futex = futex_of(user_regs);
		g->scratch->sample.record.gil =
		    gil_state_of(g->scratch, g->layout, g->process, state, futex);
		walk_start(&g->scratch->walk, thread_frame(g->scratch, g->layout), now_ms);
	}
	g->scratch->walk.loss = loss;
	return 0;
}

/* --- bpf_loop
 * --------------------------------------------------------------------------------------------------
 */

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

ALWAYS_INLINE int sample_by_loop(struct bpf_perf_event_data *ctx, __u32 source)
{
	struct sampling g = {};

	if (sample_begin(ctx, &g, source, (void *)bpf_task_pt_regs(bpf_get_current_task_btf())))
		return 0;
	if (!g.scratch->walk.loss)
		bpf_loop(WALK_STEPS_MAX + 1, walk_one, &g, 0);
	if (g.scratch->walk.unsent)
		bpf_loop(UNSENT_MAX, describe_one, &g, 0);
	sample_finish(&g, g.scratch->walk.loss);
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

/* What sample_begin() knew; the scratch area still is this event's. */
ALWAYS_INLINE int sampling_resume(struct sampling *g)
{
	__u32 cpu = bpf_get_smp_processor_id(), tgid = bpf_get_current_pid_tgid() >> 32;

	g->cpu = cpu;
	g->ticks = bpf_map_lookup_elem(&ticks, &cpu);
	g->process = bpf_map_lookup_elem(&processes, &tgid);
	if (!g->ticks || !g->process || sampling_init(g, cpu))
		return -1;
	g->source = g->scratch->sample.record.source;
	return 0;
}

ALWAYS_INLINE int sample_by_tail(struct bpf_perf_event_data *ctx, __u32 source)
{
	struct sampling g = {};

	if (sample_begin(ctx, &g, source, task_regs()))
		return 0;
	if (!g.scratch->walk.loss)
		bpf_tail_call(ctx, &tail_steps, TAIL_WALK);
	sample_finish(&g, g.scratch->walk.loss);
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
	struct sampling g = {};
	int r = WALK_NEXT;

	if (sampling_resume(&g))
		return 0;
	for (int i = 0; i < TAIL_FRAMES && r == WALK_NEXT; i++)
		r = walk_step(g.scratch, g.layout, g.process, g.codes);
	if (r == WALK_NEXT) {
		bpf_tail_call(ctx, &tail_steps, TAIL_WALK);
		g.scratch->walk.loss = LOSS_TRUNCATED; /* out of tail calls */
	}
	if (g.scratch->walk.unsent)
		bpf_tail_call(ctx, &tail_steps, TAIL_DESCRIBE);
	sample_finish(&g, g.scratch->walk.loss);
	return 0;
}

SEC("perf_event")
int tail_describe(struct bpf_perf_event_data *ctx)
{
	struct sampling g = {};
	__u32 left;

	if (sampling_resume(&g))
		return 0;
	for (int i = 0; i < TAIL_DESCRIPTIONS; i++) {
		left = g.scratch->walk.unsent;
		if (!left)
			break;
		g.scratch->walk.unsent = left - 1;
		describe_send(&g, left - 1);
	}
	if (g.scratch->walk.unsent)
		bpf_tail_call(ctx, &tail_steps, TAIL_DESCRIBE);
	sample_finish(&g, g.scratch->walk.loss);
	return 0;
}
