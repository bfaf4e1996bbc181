/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Duration → bucket of a time_histogram, and back; shared by the kernel side and the daemon. */
#ifndef PYPROF_BPF_TIME_BUCKETS_H
#define PYPROF_BPF_TIME_BUCKETS_H

#include "bpf/counters.h"

static inline __attribute__((always_inline)) __u32 time_octave(__u64 ns)
{
	__u32 octave = 0;

	/* A binary search: BPF has no instruction that counts leading zeros. */
	for (__u32 step = 32; step; step /= 2)
		if (ns >> (octave + step))
			octave += step;
	return octave;
}

static inline __attribute__((always_inline)) __u32 time_bucket(__u64 ns)
{
	__u32 octave = time_octave(ns), bucket;

	if (octave < TIME_FIRST_OCTAVE)
		return 0;
	bucket = (octave - TIME_FIRST_OCTAVE) * 4 + ((ns >> (octave - 2)) & 3);
	return bucket < TIME_BUCKETS ? bucket : TIME_BUCKETS - 1;
}

/* The lower bound of a bucket; bucket 0 begins at 0. */
static inline __attribute__((always_inline)) __u64 time_bucket_ns(__u32 bucket)
{
	if (!bucket)
		return 0;
	return (4ull + bucket % 4) << (bucket / 4 + TIME_FIRST_OCTAVE - 2);
}

#endif
