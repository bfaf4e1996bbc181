/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of Python processes, seen at their end: number and arguments still are in the
 * registers, so nothing is attached to their begin. For 5.17+ (task storage, bpf_loop).
 */
#include "bpf/io.h"

#define CALLS_EVERY_MIN 16 /* calls a sample, of a thread that makes few */
#define CALLS_EVERY_MAX (1u << 20)
#define SAMPLES_APART_NS 10000000ull /* of one thread, about */
#define TS_COMPAT 2 /* asm/thread_info.h: a 32-bit call, whose numbers are others */
#define X32_BIT 0x40000000u

/* Samples by count follow the thread's rate: one in about 10 ms. */
ALWAYS_INLINE void call_sample(const struct call *call)
{
	struct thread_use *use = call->use;
	__u64 now, apart;

	if (use->call_every < CALLS_EVERY_MIN)
		use->call_every = CALLS_EVERY_MIN;
	if (!gather_send(use, RESOURCE_SYSCALL, call->number, use->call_every))
		return;
	now = bpf_ktime_get_ns();
	apart = now - use->call_sampled_ns;
	use->call_sampled_ns = now;
	if (apart < SAMPLES_APART_NS && use->call_every < CALLS_EVERY_MAX)
		use->call_every *= 2;
	else if (apart > 4 * SAMPLES_APART_NS && use->call_every > CALLS_EVERY_MIN)
		use->call_every /= 2;
}

SEC("tp_btf/sys_exit")
int syscall_exit_loop(unsigned long long *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct py_process *p = bpf_map_lookup_elem(&processes, &tgid);
	struct call call = {.result = (long)ctx[1]};

	if (!p)
		return 0;
	call.task = bpf_get_current_task_btf();
	call.regs = (void *)ctx[0];
	call.use = use_of(call.task, p);
	if (!call.use || call.task->thread_info.status & TS_COMPAT)
		return 0;
	call.number = (__u32)call.regs->orig_ax & ~X32_BIT;
	io_count(&call);
	if (gather(call.use, RESOURCE_SYSCALL, 1))
		call_sample(&call);
	return 0;
}
