/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/heap.h"

#include <malloc.h>

#define LARGE_BYTES (128 << 10) /* from here on a block has pages of its own, which go with it */
#define TRIM_NS 10000000000ull  /* a trim of 10 MiB takes some 0.1 ms */

void heap_init(void)
{
	/* glibc's default, but fixed: it would grow with each large block that is freed, and with
	 * it what stays at the top of the heap, up to 64 MiB. */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

void heap_tick(uint64_t now_ns)
{
	static uint64_t trimmed_ns;

	if (trimmed_ns + TRIM_NS > now_ns)
		return;
	trimmed_ns = now_ns;
	malloc_trim(0);
}
