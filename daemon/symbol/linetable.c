/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Three formats, one question: which line does the instruction at byte `lasti` belong to? The bytes
 * come from another process: every read is bounded, every sum wraps instead of overflowing.
 *
 * to 3.9  co_lnotab     pairs (u8 address delta, i8 line delta); a line starts where its address
 *                       is reached. Lib/dis.py, findlinestarts(); signed deltas since 3.6.
 * 3.10    co_linetable  pairs (u8 length, i8 line delta), -128 = no line. PEP 626,
 *                       Objects/lnotab_notes.txt.
 * 3.11+   co_linetable  entries 1cccclll: code c, length l + 1 units of two bytes, then what the
 *                       code asks for. PEP 657, Objects/locations.md.
 */
#include "daemon/symbol/linetable.h"

#include <stdbool.h>

#define VERSION_3_10 0x030a0000u
#define VERSION_3_11 0x030b0000u
#define NO_LINE (-128)

/* A range of instructions [start, end) and its line; `line` runs on where a range has none. */
struct range {
	uint64_t start, end;
	uint32_t line; /* unsigned: hostile deltas may wrap */
	bool has_line;
};

struct reader {
	const uint8_t *at, *end;
};

static int line_of(uint32_t line)
{
	return (int32_t)line > 0 ? (int32_t)line : 0;
}

static int lnotab_line(struct reader in, uint32_t line, uint32_t lasti)
{
	uint64_t address = 0;

	for (; in.end - in.at >= 2; in.at += 2) {
		address += in.at[0];
		if (address > lasti)
			break;
		line += (uint32_t)(int8_t)in.at[1];
	}
	return line_of(line);
}

static bool pair_next(struct reader *in, struct range *range)
{
	int8_t delta;

	if (in->end - in->at < 2)
		return false;
	delta = (int8_t)in->at[1];
	range->start = range->end;
	range->end += in->at[0];
	range->has_line = delta != NO_LINE;
	if (range->has_line)
		range->line += (uint32_t)delta;
	in->at += 2;
	return true;
}

/* Six bits a byte, least significant first, bit 6 = more follow. Longer ones than 32 bits wrap. */
static uint32_t varint(struct reader *in)
{
	uint32_t value = 0;
	unsigned shift = 0;

	while (in->at < in->end) {
		uint8_t byte = *in->at++;

		if (shift < 32)
			value |= (uint32_t)(byte & 63) << shift;
		shift += 6;
		if (!(byte & 64))
			break;
	}
	return value;
}

static uint32_t signed_varint(struct reader *in)
{
	uint32_t value = varint(in);

	return value & 1 ? -(value >> 1) : value >> 1;
}

/* The line delta of an entry. Columns are not read: the next entry is found by its bit 7. */
static uint32_t entry_delta(struct reader *in, unsigned code)
{
	if (code >= 13)
		return signed_varint(in);
	return code >= 10 ? code - 10 : 0;
}

static bool entry_next(struct reader *in, struct range *range)
{
	unsigned code;

	while (in->at < in->end && !(*in->at & 0x80))
		in->at++;
	if (in->at == in->end)
		return false;
	code = *in->at >> 3 & 15;
	range->start = range->end;
	range->end += ((*in->at++ & 7) + 1) * 2;
	range->has_line = code != 15;
	if (range->has_line)
		range->line += entry_delta(in, code);
	return true;
}

static int range_line(struct reader in, uint32_t first_line, uint32_t lasti,
		      bool (*next)(struct reader *, struct range *))
{
	struct range range = {.line = first_line};

	while (next(&in, &range)) {
		if (lasti >= range.end)
			continue;
		return range.has_line ? line_of(range.line) : 0;
	}
	return 0;
}

int linetable_line(uint32_t version, const uint8_t *table, size_t size, int first_line,
		   uint32_t lasti)
{
	struct reader in = {table, table + size};

	if (version >= VERSION_3_11)
		return range_line(in, (uint32_t)first_line, lasti, entry_next);
	if (version >= VERSION_3_10)
		return range_line(in, (uint32_t)first_line, lasti, pair_next);
	return lnotab_line(in, (uint32_t)first_line, lasti);
}

uint64_t linetable_covered(uint32_t version, const uint8_t *table, size_t size)
{
	struct reader in = {table, table + size};
	struct range range = {0};

	while (version >= VERSION_3_11 ? entry_next(&in, &range) : pair_next(&in, &range))
		;
	return range.end;
}
