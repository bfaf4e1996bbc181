/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes read and written, from the results of the calls in io_calls.h: a sample per MiB or so. */
#ifndef PYPROF_BPF_IO_H
#define PYPROF_BPF_IO_H

#include "bpf/fd.h"
#include "bpf/gather.h"
#include "bpf/io_calls.h"

#define IO_EVERY (1u << 20) /* bytes a sample */

/* A system call that ends. */
struct call {
	struct task_struct *task;
	struct pt_regs___kernel *regs;
	struct thread_use *use;
	long result;
	__u32 number;
};

ALWAYS_INLINE __u64 call_argument(const struct call *call, __u32 index)
{
	return index == 0 ? call->regs->di : index == 1 ? call->regs->si : call->regs->dx;
}

/* One direction of a call; argument: which one is the descriptor. */
ALWAYS_INLINE void io_gather(const struct call *call, __u32 resource, __u32 argument)
{
	struct inode *inode;

	if (!gather(call->use, resource, call->result))
		return;
	inode = fd_inode(call->task, call_argument(call, argument));
	gather_send(call->use, resource, inode ? inode_kind(inode) : IO_OTHER, IO_EVERY);
}

/* A call that copies from one descriptor to another both reads and writes. */
ALWAYS_INLINE void io_count(const struct call *call)
{
	__u32 number = call->number, arguments;

	HIDE(number);
	if (call->result <= 0 || number >= IO_CALLS_MAX)
		return;
	arguments = io_calls[number];
	if (arguments & 3)
		io_gather(call, RESOURCE_READ, (arguments & 3) - 1);
	if (arguments >> 2)
		io_gather(call, RESOURCE_WRITE, (arguments >> 2) - 1);
}

#endif
