/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Identity of a code object: a hash of the fields that never change during its life and that differ
 * when its memory was reused for another one. Shared by the kernel side and the daemon.
 */
#ifndef PYPROF_BPF_CHECKSUM_H
#define PYPROF_BPF_CHECKSUM_H

#include <linux/types.h>

static inline __attribute__((always_inline)) __u64 checksum_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdull;
	return hash ^ (hash >> 32);
}

static inline __attribute__((always_inline)) __u32
checksum_code(__u64 name, __u64 file, __u64 table, __u64 consts, __u32 first_line)
{
	__u64 hash = checksum_mix(0x9e3779b97f4a7c15ull, name);

	hash = checksum_mix(hash, file);
	hash = checksum_mix(hash, table);
	hash = checksum_mix(hash, consts);
	hash = checksum_mix(hash, first_line);
	return (__u32)hash;
}

/* Key of `gate`: 64 bits of (family, code, checksum); a collision only delays a description. */
static inline __attribute__((always_inline)) __u64 checksum_gate(__u64 family, __u64 code,
								 __u32 checksum)
{
	return checksum_mix(checksum_mix(checksum_mix(0x2545f4914f6cdd1dull, family), code),
			    checksum);
}

#endif
