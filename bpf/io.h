/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes read and written, from the results of the calls in io_calls.h. Always: per call
 * (syscall_counts) and a sample per MiB or so, which names the kind. While someone looks at I/O
 * (modes & MODE_TARGETS): exactly by file, socket and pipe.
 */
#ifndef PYPROF_BPF_IO_H
#define PYPROF_BPF_IO_H

#include "bpf/call.h"
#include "bpf/fd.h"
#include "bpf/io_calls.h"
#include "bpf/settings.h"

#define IO_EVERY (1u << 20) /* bytes a sample */

struct targets_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct target_key);
	__type(value, struct target_counts);
} targets SEC(".maps");

ALWAYS_INLINE struct target_counts *target_of(const struct call *call, struct inode *inode,
					      __u64 fd)
{
	struct target_key key = {.generation = call->process->generation,
				 .dev = BPF_CORE_READ(inode, i_sb, s_dev),
				 .ino = BPF_CORE_READ(inode, i_ino)};
	struct target_counts *counts = bpf_map_lookup_elem(&targets, &key), none = {};

	if (counts)
		return counts;
	none.kind = inode_kind(inode);
	none.fd = fd;
	if (bpf_map_update_elem(&targets, &key, &none, BPF_NOEXIST))
		map_full(call);
	return bpf_map_lookup_elem(&targets, &key);
}

ALWAYS_INLINE void target_count(const struct call *call, __u32 resource, struct inode *inode,
				__u64 fd)
{
	struct target_counts *counts = target_of(call, inode, fd);

	if (!counts)
		return;
	if (resource == RESOURCE_READ) {
		__sync_fetch_and_add(&counts->reads, 1);
		__sync_fetch_and_add(&counts->read_bytes, call->result);
	} else {
		__sync_fetch_and_add(&counts->writes, 1);
		__sync_fetch_and_add(&counts->write_bytes, call->result);
	}
}

#define IO_NOT_DUE (-1)

/* One direction of one call. Returns the kind (enum io_kind) when a sample is due, else IO_NOT_DUE:
 * the caller sends it, as the stacks of nested functions add up. */
static __noinline int io_one(struct call *call, __u32 resource, __u64 fd)
{
	bool due = gather(call->use, resource, call->result);
	struct inode *inode;

	if (!due && !(modes & MODE_TARGETS))
		return IO_NOT_DUE;
	inode = fd_inode(call->task, fd);
	if (inode && modes & MODE_TARGETS)
		target_count(call, resource, inode, fd);
	if (!due)
		return IO_NOT_DUE;
	return inode ? inode_kind(inode) : IO_OTHER;
}

ALWAYS_INLINE void io_direction(struct call *call, __u32 resource, __u32 argument)
{
	int kind = io_one(call, resource, call_argument(call, argument));

	if (kind != IO_NOT_DUE)
		call_send(call, SRC_SYSCALLS, resource, kind, IO_EVERY);
}

/* Returns the bytes that the call moved: once, also where it both read and wrote them. */
ALWAYS_INLINE __u64 io_count(struct call *call)
{
	__u32 number = call->number, arguments;

	HIDE(number);
	if (number >= IO_CALLS_MAX)
		return 0;
	arguments = io_calls[number];
	if (!arguments)
		return 0;
	if (arguments & 3)
		io_direction(call, RESOURCE_READ, (arguments & 3) - 1);
	if (arguments >> 2)
		io_direction(call, RESOURCE_WRITE, (arguments >> 2) - 1);
	return call->result;
}

#endif
