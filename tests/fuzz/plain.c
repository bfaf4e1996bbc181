/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_X [SECONDS [SEED]]: feeds a harness seeded random input, several kinds of bytes, for a
 * while. */
#include <stdio.h>
#include <time.h>

#include "tests/fuzz/fuzz.h"

#define SIZE_MAX_BYTES 2048

static uint64_t seed;

/* xorshift64*: the same input for the same seed everywhere */
static uint64_t draw(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dull;
}

/* Any byte, small ones, extremes: parsers branch on each. */
static uint8_t draw_byte(unsigned kind)
{
	static const uint8_t extremes[] = {0, 1, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x40};

	if (kind == 0 || draw() % 8 == 0)
		return (uint8_t)draw();
	return kind == 1 ? (uint8_t)(draw() % 16) : extremes[draw() % sizeof(extremes)];
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double end = now() + (argc > 1 ? atof(argv[1]) : 5);
	unsigned long runs = 0;
	uint8_t *data = malloc(SIZE_MAX_BYTES);

	if (!data)
		return 1;
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	seed += !seed;
	for (; now() < end; runs++) {
		size_t size = draw() % (draw() % 4 ? 200 : SIZE_MAX_BYTES);
		unsigned kind = (unsigned)(draw() % 3);

		for (size_t i = 0; i < size; i++)
			data[i] = draw_byte(kind);
		LLVMFuzzerTestOneInput(data, size);
	}
	free(data);
	printf("%lu runs\n", runs);
	return 0;
}
