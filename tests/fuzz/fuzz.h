/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A harness is one LLVMFuzzerTestOneInput(). With clang's libFuzzer it is a program of its own;
 * linked with plain.c it loops over seeded random input, so that gcc builds can run a short smoke.
 */
#ifndef PYPROF_TESTS_FUZZ_FUZZ_H
#define PYPROF_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes n bytes off the input, zeroes where it ends. */
static inline void fuzz_take(const uint8_t **data, size_t *size, void *to, size_t n)
{
	size_t have = n < *size ? n : *size;

	memset(to, 0, n);
	if (have)
		memcpy(to, *data, have);
	*data += have;
	*size -= have;
}

/* What must hold for any input. */
#define FUZZ_HOLDS(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
