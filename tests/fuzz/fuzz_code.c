/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a code record, and as the memory of a process that a code object is read from: names
 * are valid UTF-8, lines never negative, nothing is left afterwards.
 *
 * links: daemon/base/map.c daemon/base/set.c daemon/base/text.c daemon/base/utf8.c
 * daemon/decode/decode.c daemon/symbol/code.c daemon/symbol/fetch.c
 * daemon/symbol/linetable.c daemon/symbol/strings.c daemon/target/mem.c
 */
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

#include "daemon/base/utf8.h"
#include "daemon/symbol/code.h"
#include "daemon/symbol/strings.h"

#define ARENA 1024
#define LIMIT 65536

static const uint32_t versions[] = {0x03060ff0, 0x030912f0, 0x030a0df0, 0x030b07f0, 0x030f02f0};

static void check_name(const char *name)
{
	size_t size = strlen(name);
	uint32_t c;

	while (size) {
		size_t n = utf8_next(name, size, &c);

		FUZZ_HOLDS(c != UTF8_INVALID);
		name += n;
		size -= n;
	}
}

static void check_code(const struct code *code)
{
	check_name(code_function(code));
	check_name(code_file(code));
	for (uint32_t lasti = 0; lasti < 64; lasti += 2)
		FUZZ_HOLDS(code_line(code, lasti) >= 0);
	code_line(code, FRAME_LASTI_NONE);
	FUZZ_HOLDS(code_line(code, UINT32_MAX & ~1u) >= 0);
}

static void try_record(struct codes *codes, const uint8_t *data, size_t size, uint8_t how)
{
	struct code_record *record = calloc(1, sizeof(*record) + size);

	/* enough of the input for the fixed part, then data */
	fuzz_take(&data, &size, record, sizeof(*record));
	memcpy(record->data, data, size);
	record->header.size = (uint32_t)(sizeof(*record) + size);
	record->header.kind = RECORD_CODE;
	record->version = versions[how % 5];
	record->file_kind = record->name_kind = (uint8_t)(1 << (how >> 3 & 3) & 7) ?: 1;
	record->file_bytes %= 64;
	record->name_bytes %= 64;
	record->table_bytes %= 256;
	record->flags &= 7;
	if (codes_add(codes, NULL, record, record->header.size) == 0)
		check_code(codes_find(codes, record->family, record->code, record->checksum));
	free(record);
}

/* CPython 3.11's offsets. Pointers in the arena become pointers into it, so that they lead
 * somewhere. */
static void try_memory(struct codes *codes, const uint8_t *data, size_t size, uint8_t how)
{
	static const struct py_layout layout = {
	    .co_span = 176,
	    .co_filename = 112,
	    .co_name = 120,
	    .co_qualname = 128,
	    .co_linetable = 136,
	    .co_firstlineno = 72,
	    .co_consts = 24,
	    .str_length = 16,
	    .str_state = 32,
	    .str_ascii = 48,
	    .str_compact = 72,
	    .str_kind_mask = 0x1c,
	    .str_compact_bit = 0x20,
	    .str_ascii_bit = 0x40,
	    .bytes_size = 16,
	    .bytes_data = 32,
	};
	static uint64_t arena[ARENA / 8];
	struct py_layout used = layout;
	struct code_key key = {.family = 1, .code = (uintptr_t)arena};

	fuzz_take(&data, &size, arena, sizeof(arena));
	used.version = versions[how % 5];
	for (unsigned i = 14; i <= 17; i++)
		arena[i] = (uintptr_t)arena + arena[i] % ARENA;
	if (how & 0x80) /* a hostile layout, as from another process's debug table */
		fuzz_take(&data, &size, &used, sizeof(used));
	if (used.co_span > 256)
		return;
	key.checksum = code_checksum(&used, (const uint8_t *)arena);
	if (codes_fetch(codes, &used, getpid(), &key) == 0)
		check_code(codes_find(codes, key.family, key.code, key.checksum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct codes *codes = codes_new(LIMIT);
	uint8_t how;

	fuzz_take(&data, &size, &how, sizeof(how));
	if (how & 0x40)
		try_memory(codes, data, size, how);
	else
		try_record(codes, data, size, how);
	FUZZ_HOLDS(codes_bytes(codes) <= LIMIT);
	codes_free(codes);
	FUZZ_HOLDS(strings_count() == 0);
	return 0;
}
