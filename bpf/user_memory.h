/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the memory of the interrupted thread's process. The walker is also compiled natively by
 * tests, where user_read() is theirs. A read costs about 75 ns whatever its size up to 256 bytes:
 * the number of reads is the cost.
 */
#ifndef PYPROF_BPF_USER_MEMORY_H
#define PYPROF_BPF_USER_MEMORY_H

#include <linux/types.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* 0, or negative when a page is not in memory. */
ALWAYS_INLINE long user_read(void *to, __u32 size, __u64 from)
{
	return bpf_probe_read_user(to, size, (const void *)(unsigned long)from);
}
/* x86-64 and arm64 load unaligned words, and the verifier knows it. */
ALWAYS_INLINE __u64 load_u64(const void *at)
{
	return *(const __u64 *)at;
}

ALWAYS_INLINE __u32 load_u32(const void *at)
{
	return *(const __u32 *)at;
}
#else
#include <string.h>

long user_read(void *to, __u32 size, __u64 from);

ALWAYS_INLINE __u64 load_u64(const void *at)
{
	__u64 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

ALWAYS_INLINE __u32 load_u32(const void *at)
{
	__u32 value;

	memcpy(&value, at, sizeof(value));
	return value;
}
#endif

/* clang 14 drops a mask or a comparison that it can prove needless and that the verifier cannot. */
#define HIDE(variable) asm volatile("" : "+r"(variable))

ALWAYS_INLINE __u64 user_u64(__u64 from, long *failed)
{
	__u64 value = 0;

	if (user_read(&value, sizeof(value), from))
		*failed = 1;
	return value;
}

#endif
