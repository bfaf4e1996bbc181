/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a line table of each format: in bounds, no negative line, none beyond the table's
 * end.
 *
 * links: daemon/symbol/linetable.c
 */
#include "tests/fuzz/fuzz.h"

#include "daemon/symbol/linetable.h"

static const uint32_t versions[] = {0x03060ff0, 0x030912f0, 0x030a0df0, 0x030b07f0, 0x030f02f0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		int first_line;
		uint32_t lasti;
		uint8_t version;
	} in;
	uint32_t version;
	uint64_t covered;
	uint8_t *table;

	fuzz_take(&data, &size, &in, sizeof(in));
	version = versions[in.version % (sizeof(versions) / sizeof(versions[0]))];
	table = malloc(size); /* exactly as large, so that ASan sees a byte too many */
	if (size)
		memcpy(table, data, size);
	covered = linetable_covered(version, table, size);
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t lasti = i < 18 ? i * i * 2 : i == 18 ? in.lasti : UINT32_MAX;
		int line = linetable_line(version, table, size, in.first_line, lasti);

		FUZZ_HOLDS(line >= 0);
		FUZZ_HOLDS(version < 0x030a0000 || lasti < covered || line == 0);
	}
	free(table);
	return 0;
}
