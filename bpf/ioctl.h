/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ioctls on GPU drivers' devices, told by device number through the descriptor, never by path. */
#ifndef PYPROF_BPF_IOCTL_H
#define PYPROF_BPF_IOCTL_H

#include "bpf/call.h"
#include "bpf/fd.h"
#include "bpf/time_buckets.h"

#define IOCTL_CALL 16               /* __NR_ioctl, x86-64 */
#define IOCTL_TIME_EVERY (1u << 20) /* ns a sample */

struct devices_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct device_key);
	__type(value, __u32);
} devices SEC(".maps");

struct ioctls_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, struct ioctl_key);
	__type(value, struct ioctl_counts);
} ioctls SEC(".maps");

struct ioctl_status_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct status_key);
	__type(value, __u32);
} ioctl_status SEC(".maps");

/* enum gpu_driver of a character device. */
ALWAYS_INLINE __u32 driver_of(struct inode *inode)
{
	__u32 dev = BPF_CORE_READ(inode, i_rdev), *driver;
	struct device_key key = {.major = device_major(dev), .minor = device_minor(dev)};

	if (!dev)
		return GPU_NONE;
	driver = bpf_map_lookup_elem(&devices, &key);
	if (driver)
		return *driver;
	key.minor = DEVICE_ANY_MINOR;
	driver = bpf_map_lookup_elem(&devices, &key);
	return driver ? *driver : GPU_NONE;
}

/* The driver's own verdict, in the caller's struct: NVIDIA's calls end with errno 0 and a status.
 */
ALWAYS_INLINE bool ioctl_refused(__u32 driver, __u32 number, __u64 argument)
{
	struct status_key key = {.driver = driver, .number = number & 0xffff};
	__u32 *offset = bpf_map_lookup_elem(&ioctl_status, &key), status = 0;

	if (!offset || bpf_probe_read_user(&status, sizeof(status), (void *)(argument + *offset)))
		return false;
	return status != 0;
}

ALWAYS_INLINE struct ioctl_counts *ioctl_of(const struct call *call, const struct ioctl_key *key)
{
	static const struct ioctl_counts none;
	struct ioctl_counts *counts = bpf_map_lookup_elem(&ioctls, key);

	if (counts)
		return counts;
	if (bpf_map_update_elem(&ioctls, key, &none, BPF_NOEXIST))
		map_full(call);
	return bpf_map_lookup_elem(&ioctls, key);
}

ALWAYS_INLINE void ioctl_time(struct ioctl_counts *counts, __u64 wall)
{
	__u32 bucket = time_bucket(wall);

	__sync_fetch_and_add(&counts->timed, 1);
	__sync_fetch_and_add(&counts->wall_ns, wall);
	if (wall > counts->max_ns)
		counts->max_ns = wall; /* of threads that race the later wins: a lower bound */
	HIDE(bucket);
	if (bucket < TIME_BUCKETS)
		__sync_fetch_and_add(&counts->times.buckets[bucket], 1);
}

/* Returns the driver << 32 | number when a sample is due, else 0. */
static __noinline __u64 ioctl_one(struct call *call)
{
	struct inode *inode = fd_inode(call->task, call_argument(call, 0));
	struct ioctl_key key = {.generation = call->process->generation,
				.number = (__u32)call_argument(call, 1)};
	struct ioctl_counts *counts;

	key.driver = inode ? driver_of(inode) : GPU_NONE;
	if (key.driver == GPU_NONE)
		return 0;
	counts = ioctl_of(call, &key);
	if (!counts)
		return 0;
	__sync_fetch_and_add(&counts->calls, 1);
	if (call->error)
		__sync_fetch_and_add(&counts->errors, 1);
	else if (ioctl_refused(key.driver, key.number, call_argument(call, 2)))
		__sync_fetch_and_add(&counts->refused, 1);
	if (!call->wall_ns)
		return 0;
	ioctl_time(counts, call->wall_ns);
	if (!gather(call->use, RESOURCE_IOCTL_TIME, call->wall_ns))
		return 0;
	return (__u64)key.driver << 32 | key.number;
}

ALWAYS_INLINE void ioctl_count(struct call *call)
{
	__u64 detail = ioctl_one(call);

	if (detail)
		call_send(call, SRC_SYSCALL_TIMES, RESOURCE_IOCTL_TIME, detail, IOCTL_TIME_EVERY);
}

#endif
