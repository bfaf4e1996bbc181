/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compares linetable_line() with what an interpreter says of its own code objects, at every
 * instruction: linetable_dump.py in that interpreter → stdin → [check] → one line of counts.
 *
 * Input: u32 PY_VERSION_HEX, then per code object i32 first line, u32 table bytes, u32 code bytes,
 * u32 ranges, the table, and per range u32 start, u32 end, i32 line (0 = none).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/symbol/linetable.h"

#define UNIT 2 /* bytes of an instruction or cache since 3.6 */

struct head {
	int32_t first_line;
	uint32_t table_size, code_size, nranges;
};

struct range {
	uint32_t start, end;
	int32_t line;
};

struct counts {
	unsigned long codes, instructions, wrong;
};

static void read_all(void *to, size_t size)
{
	if (fread(to, 1, size, stdin) == size)
		return;
	fprintf(stderr, "the stream ends in the middle of a code object\n");
	exit(2);
}

static void *read_new(size_t size)
{
	void *data = malloc(size + 1);

	if (!data)
		exit(2);
	read_all(data, size);
	return data;
}

/* Expected line of each instruction. */
static int32_t *expand(const struct range *ranges, uint32_t nranges, uint32_t units)
{
	int32_t *lines = calloc((size_t)units + 1, sizeof(*lines));

	if (!lines)
		exit(2);
	for (uint32_t i = 0; i < nranges; i++)
		for (uint32_t unit = ranges[i].start / UNIT; unit < ranges[i].end / UNIT; unit++)
			if (unit < units)
				lines[unit] = ranges[i].line;
	return lines;
}

static void check_code(uint32_t version, const struct head *head, struct counts *counts)
{
	_cleanup_free_ uint8_t *table = read_new(head->table_size);
	_cleanup_free_ struct range *ranges = read_new(head->nranges * sizeof(*ranges));
	uint32_t units = head->code_size / UNIT;
	_cleanup_free_ int32_t *lines = expand(ranges, head->nranges, units);

	counts->codes++;
	for (uint32_t unit = 0; unit < units; unit++) {
		int line =
		    linetable_line(version, table, head->table_size, head->first_line, unit * UNIT);

		counts->instructions++;
		if (line == lines[unit])
			continue;
		if (!counts->wrong++)
			fprintf(stderr, "code %lu (line %d), offset %u: %d, expected %d\n",
				counts->codes, head->first_line, unit * UNIT, line, lines[unit]);
	}
}

int main(void)
{
	struct counts counts = {0};
	struct head head;
	uint32_t version;

	read_all(&version, sizeof(version));
	while (fread(&head, sizeof(head), 1, stdin) == 1)
		check_code(version, &head, &counts);
	printf("{\"codes\": %lu, \"instructions\": %lu, \"wrong\": %lu}\n", counts.codes,
	       counts.instructions, counts.wrong);
	return counts.wrong != 0;
}
