/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of Python processes: counted at their end, by thread and number, with errors, bytes
 * and time asleep. The program at their begin adds exact durations and is attached on demand:
 * number and arguments still are in the registers at the end, so nothing else needs it. For 5.17+
 * (task storage, bpf_loop).
 */
#include "bpf/call.h"
#include "bpf/io.h"
#include "bpf/ioctl.h"
#include "bpf/time_buckets.h"

#define CALLS_EVERY_MIN 16 /* calls a sample, of a thread that makes few */
#define CALLS_EVERY_MAX (1u << 20)
#define SAMPLES_APART_NS 10000000ull /* of one thread, about */
#define ERRORS_EVERY 16
#define CALL_TIME_EVERY (1u << 20) /* ns */
#define ERRNO_MAX 4095
#define TS_COMPAT 2 /* asm/thread_info.h: a 32-bit call, whose numbers are others */
#define X32_BIT 0x40000000u

struct calls_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct syscall_key);
	__type(value, struct syscall_counts);
} calls SEC(".maps");

struct call_times_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct times_key);
	__type(value, struct time_histogram);
} call_times SEC(".maps");

struct call_errors_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct error_key);
	__type(value, __u64);
} call_errors SEC(".maps");

ALWAYS_INLINE struct syscall_counts *counts_of(const struct call *call)
{
	static const struct syscall_counts none; /* not on the stack: 512 bytes for all */
	struct syscall_key key = {.generation = call->process->generation,
				  .tid = (__u32)bpf_get_current_pid_tgid(),
				  .number = call->number};
	struct syscall_counts *counts = bpf_map_lookup_elem(&calls, &key);

	if (counts)
		return counts;
	if (bpf_map_update_elem(&calls, &key, &none, BPF_NOEXIST))
		map_full(call);
	return bpf_map_lookup_elem(&calls, &key);
}

ALWAYS_INLINE void error_count(const struct call *call)
{
	struct error_key key = {
	    .generation = call->process->generation, .number = call->number, .error = call->error};
	__u64 *count = bpf_map_lookup_elem(&call_errors, &key), one = 1;

	if (count)
		__sync_fetch_and_add(count, 1);
	else if (bpf_map_update_elem(&call_errors, &key, &one, BPF_NOEXIST))
		map_full(call);
}

ALWAYS_INLINE void histogram_count(const struct call *call)
{
	static const struct time_histogram none;
	struct times_key key = {.generation = call->process->generation, .number = call->number};
	struct time_histogram *times = bpf_map_lookup_elem(&call_times, &key);
	__u32 bucket = time_bucket(call->wall_ns);

	if (!times) {
		if (bpf_map_update_elem(&call_times, &key, &none, BPF_NOEXIST))
			map_full(call);
		times = bpf_map_lookup_elem(&call_times, &key);
	}
	HIDE(bucket);
	if (times && bucket < TIME_BUCKETS)
		__sync_fetch_and_add(&times->buckets[bucket], 1);
}

/* Asleep since the call before: off the CPU, less what it waited for a CPU. */
ALWAYS_INLINE void blocked_count(const struct call *call, struct syscall_counts *counts)
{
	__u64 delay = call->task->sched_info.run_delay;
	__s64 blocked = (__s64)((call->off_ns - call->use->off_ns) - (delay - call->use->delay_ns));

	if (blocked > 0)
		counts->blocked_ns += blocked;
	call->use->off_ns = call->off_ns;
	call->use->delay_ns = delay;
}

/* The call's duration, when its begin was seen. */
ALWAYS_INLINE void time_count(struct call *call, struct syscall_counts *counts)
{
	struct thread_use *use = call->use;
	__u64 wall, waiting;

	if (!use->enter_ns)
		return;
	wall = call->now_ns - use->enter_ns;
	waiting = call->off_ns - use->enter_off_ns;
	use->enter_ns = 0;
	counts->timed++;
	counts->wall_ns += wall;
	counts->waiting_ns += waiting < wall ? waiting : wall;
	if (wall < counts->min_ns || counts->timed == 1)
		counts->min_ns = wall;
	if (wall > counts->max_ns)
		counts->max_ns = wall;
	call->wall_ns = wall;
	histogram_count(call);
}

/* Samples by count follow the thread's rate: one in about 10 ms. */
ALWAYS_INLINE void call_sample(struct call *call)
{
	struct thread_use *use = call->use;
	__u64 now, apart;

	if (use->call_every < CALLS_EVERY_MIN)
		use->call_every = CALLS_EVERY_MIN;
	if (!call_send(call, SRC_SYSCALLS, RESOURCE_SYSCALL, call->number, use->call_every))
		return;
	now = bpf_ktime_get_ns();
	apart = now - use->call_sampled_ns;
	use->call_sampled_ns = now;
	if (apart < SAMPLES_APART_NS && use->call_every < CALLS_EVERY_MAX)
		use->call_every *= 2;
	else if (apart > 4 * SAMPLES_APART_NS && use->call_every > CALLS_EVERY_MIN)
		use->call_every /= 2;
}

ALWAYS_INLINE void call_gather(struct call *call)
{
	struct thread_use *use = call->use;

	if (gather(use, RESOURCE_SYSCALL, 1))
		call_sample(call);
	if (call->error && gather(use, RESOURCE_ERROR, 1))
		call_send(call, SRC_SYSCALLS, RESOURCE_ERROR, call->number, ERRORS_EVERY);
	if (call->wall_ns && gather(use, RESOURCE_CALL_TIME, call->wall_ns))
		call_send(call, SRC_SYSCALL_TIMES, RESOURCE_CALL_TIME, call->number,
			  CALL_TIME_EVERY);
}

ALWAYS_INLINE void call_end(struct call *call)
{
	struct syscall_counts *counts = counts_of(call);

	if (!counts)
		return;
	counts->calls++;
	if (call->error) {
		counts->errors++;
		error_count(call);
	}
	blocked_count(call, counts);
	time_count(call, counts);
	if (call->result > 0)
		counts->bytes += io_count(call);
	if (call->number == IOCTL_CALL)
		ioctl_count(call);
	call_gather(call);
}

SEC("tp_btf/sys_exit")
int syscall_exit_loop(unsigned long long *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct call call = {.runs = runs_here(), .result = (long)ctx[1]};

	call.process = bpf_map_lookup_elem(&processes, &tgid);
	if (!call.process) {
		if (call.runs)
			call.runs->others[SRC_SYSCALLS]++;
		return 0;
	}
	if (call.runs)
		call.runs->traced[SRC_SYSCALLS]++;
	call.task = bpf_get_current_task_btf();
	call.regs = (void *)ctx[0];
	call.use = use_of(call.task, call.process);
	if (!call.use || call.task->thread_info.status & TS_COMPAT)
		return 0;
	call.number = (__u32)call.regs->orig_ax & ~X32_BIT;
	call.off_ns = off_cpu_ns(call.task);
	if (call.use->enter_ns)
		call.now_ns = bpf_ktime_get_ns();
	if (call.result < 0 && call.result >= -ERRNO_MAX)
		call.error = (__u32)-call.result;
	call_end(&call);
	return 0;
}

SEC("tp_btf/sys_enter")
int syscall_enter_loop(void *ctx __attribute__((unused)))
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct py_process *p = bpf_map_lookup_elem(&processes, &tgid);
	struct source_runs *runs = runs_here();
	struct task_struct *task;
	struct thread_use *use;

	if (!p) {
		if (runs)
			runs->others[SRC_SYSCALL_TIMES]++;
		return 0;
	}
	if (runs)
		runs->traced[SRC_SYSCALL_TIMES]++;
	task = bpf_get_current_task_btf();
	use = use_of(task, p);
	if (!use)
		return 0;
	use->enter_off_ns = off_cpu_ns(task);
	use->enter_ns = bpf_ktime_get_ns();
	return 0;
}
