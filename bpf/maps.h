/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map, declared once; defined in maps.bpf.c. Sizes marked "daemon" are set between open and
 * load. Per-CPU parts are plain arrays indexed by CPU: per-CPU maps are sized by possible CPUs
 * (often 240 on a 4-CPU guest) and their values are limited to 32 KiB.
 */
#ifndef PYPROF_BPF_MAPS_H
#define PYPROF_BPF_MAPS_H

#include "bpf/kernel.h"

#include "bpf/config.h"
#include "bpf/scratch.h"
#include "bpf/use.h"

/* tgid → its interpreter and counters. Written by process.bpf.c and the daemon. Bound: 16,384
 * processes. */
struct processes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct py_process);
};

/* Index → offsets of one interpreter build. Written by the daemon. */
struct layouts_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LAYOUTS_MAX);
	__type(key, __u32);
	__type(value, struct py_layout);
};

/* Executable file → the static interpreter in it. Written by the daemon, read at exec. */
struct images_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct file_key);
	__type(value, struct py_image);
};

/* Code objects whose description has arrived (code_key hashed to 64 bits → 1). Written by the
 * daemon only, as perf events must not update shared hash maps. Full: descriptions are sent again,
 * which costs and loses nothing. */
struct gate_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072); /* daemon */
	__type(key, __u64);
	__type(value, __u8);
};

/* CPU → counters. Written by that CPU's perf event, read by the daemon. */
struct ticks_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* daemon: CPUs */
	__type(key, __u32);
	__type(value, struct cpu_ticks);
};

/* The next three: seat → working memory and what is remembered. A seat is context × CPUs + CPU
 * (enum scratch_context), so that programs which interrupt each other do not meet. */
struct scratch_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* daemon: CPUs */
	__type(key, __u32);
	__type(value, struct scratch);
};

struct threads_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* daemon: CPUs */
	__type(key, __u32);
	__type(value, struct thread_cache);
};

struct codes_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* daemon: CPUs */
	__type(key, __u32);
	__type(value, struct code_cache);
};

/* Ring index (CPU / cpus_per_ring) → ring of sample and code records, which the daemon creates. */
struct rings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* daemon */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
};

/* Life-cycle records; never written by perf events. */
struct events_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
};

/* Thread → its sums; it leaves with the task. 5.11+; absent where the programs for tail calls run.
 */
struct thread_uses_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_use);
};

extern struct processes_map processes SEC(".maps");
extern struct layouts_map layouts SEC(".maps");
extern struct images_map images SEC(".maps");
extern struct gate_map gate SEC(".maps");
extern struct ticks_map ticks SEC(".maps");
extern struct scratch_map scratches SEC(".maps");
extern struct threads_map thread_caches SEC(".maps");
extern struct codes_map code_caches SEC(".maps");
extern struct rings_map rings SEC(".maps");
extern struct events_map events SEC(".maps");
extern struct thread_uses_map thread_uses SEC(".maps");

/*
 * Newer kernels run tracepoint programs preemptibly: two of them can meet on one CPU. The area is
 * taken by an addition, since exchange needs 5.12; whoever does not find itself alone gives up and
 * is counted.
 */
static inline __attribute__((always_inline)) int scratch_take(struct scratch *s)
{
	__sync_fetch_and_add(&s->busy, 1);
	if (*(volatile __u32 *)&s->busy == 1)
		return 1;
	__sync_fetch_and_add(&s->busy, -1);
	return 0;
}

static inline __attribute__((always_inline)) void scratch_leave(struct scratch *s)
{
	__sync_fetch_and_add(&s->busy, -1);
}

#endif
