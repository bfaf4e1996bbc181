/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A good record of each kind passes; each field out of range is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/decode/decode.h"

#include <errno.h>

static union {
	struct record_header header;
	struct sample_record sample;
	struct code_record code;
	struct fork_record fork;
	struct exec_record exec;
	struct exit_record exit;
	uint8_t bytes[32768];
} record;

static void make(enum record_kind kind, size_t size)
{
	memset(&record, 0, sizeof(record));
	record.header.kind = (uint16_t)kind;
	record.header.size = (uint32_t)size;
}

static int decode(void)
{
	const struct record_header *header;

	return decode_record(&record, sizeof(record), &header);
}

static void headers(void **state)
{
	const struct record_header *header = NULL;

	(void)state;
	make(RECORD_EXIT, sizeof(struct exit_record));
	assert_int_equal(decode_record(&record, sizeof(record.exit), &header), 0);
	assert_ptr_equal(header, &record);
	assert_int_equal(decode_record(&record, sizeof(record.exit) - 1, &header), -EBADMSG);
	assert_int_equal(decode_record(&record, 15, &header), -EBADMSG);
	assert_int_equal(decode_record(record.bytes + 1, 1024, &header), -EBADMSG);
	record.header.size--;
	assert_int_equal(decode(), -EBADMSG);
	make(0, 64);
	assert_int_equal(decode(), -EBADMSG);
	make(RECORD_EXIT + 1, 1024);
	assert_int_equal(decode(), -EBADMSG);
	make(0xffff, 1024);
	assert_int_equal(decode(), -EBADMSG);
}

static void make_sample(unsigned nframes)
{
	make(RECORD_SAMPLE, sizeof(struct sample_record) + nframes * sizeof(struct py_frame));
	record.sample.nframes = (uint16_t)nframes;
	strcpy(record.sample.comm, "fifteen letters");
}

#define CHECK(kind, change, result)                                                                \
	do {                                                                                       \
		const struct kind##_record *found = NULL;                                          \
		change;                                                                            \
		assert_int_equal(decode_##kind(&record.header, &found), result);                   \
		assert_ptr_equal(found, (result) == 0 ? &record : NULL);                           \
	} while (0)
#define SAMPLE(change, result)                                                                     \
	make_sample(3);                                                                            \
	CHECK(sample, change, result)

static void samples(void **state)
{
	(void)state;
	SAMPLE(, 0);
	SAMPLE(record.sample.nframes = 0, 0);
	SAMPLE(record.sample.nframes = 4, -EBADMSG);
	make_sample(FRAMES_MAX);
	CHECK(sample, , 0);
	make_sample(FRAMES_MAX + 1);
	CHECK(sample, , -EBADMSG);
	SAMPLE(record.sample.resource = RESOURCE_MAX - 1, 0);
	SAMPLE(record.sample.resource = RESOURCE_MAX, -EBADMSG);
	SAMPLE(record.sample.leaf = LEAF_SYSTEM + 1, -EBADMSG);
	SAMPLE(record.sample.gil = GIL_NONE + 1, -EBADMSG);
	SAMPLE(record.sample.source = SOURCE_SESSION + 1, -EBADMSG);
	SAMPLE(record.sample.loss = LOSS_STALE, 0);
	SAMPLE(record.sample.loss = LOSS_STALE + 1, -EBADMSG);
	SAMPLE(record.sample.loss = 0xff, -EBADMSG);
	SAMPLE(record.sample.flags = SAMPLE_PARTIAL, 0);
	SAMPLE(record.sample.flags = 2, -EBADMSG);
	SAMPLE(record.sample.comm[15] = 'x', -EBADMSG);
	SAMPLE(record.header.kind = RECORD_CODE, -EBADMSG);
}

static void make_code(void)
{
	make(RECORD_CODE, sizeof(struct code_record) + 30);
	record.code.file_kind = record.code.name_kind = 1;
	record.code.file_bytes = record.code.name_bytes = record.code.table_bytes = 10;
	record.code.table_len = 10;
}

#define CODE(change, result)                                                                       \
	make_code();                                                                               \
	CHECK(code, change, result)

static void codes(void **state)
{
	(void)state;
	CODE(, 0);
	CODE(record.code.table_bytes = 11; record.code.table_len = 11, -EBADMSG);
	CODE(record.code.file_bytes = 11, -EBADMSG);
	CODE(record.code.name_kind = 2, 0);
	CODE(record.code.name_kind = 4, -EBADMSG); /* 10 bytes are no whole characters */
	CODE(record.code.file_kind = 0, -EBADMSG);
	CODE(record.code.file_kind = 3, -EBADMSG);
	CODE(record.code.table_len = 9, -EBADMSG);
	CODE(record.code.table_len = 1 << 20, 0);
	CODE(record.code.table_len = 0; record.code.flags = CODE_TABLE_PARTIAL, 0);
	CODE(record.code.flags = 8, -EBADMSG);
	make_code();
	record.header.size = 30000;
	CHECK(code, record.code.file_bytes = CODE_STRING_MAX, 0);
	CHECK(code, record.code.file_bytes = CODE_STRING_MAX + 1, -EBADMSG);
	CHECK(code, record.code.file_bytes = 0; record.code.table_bytes = CODE_TEXT_MAX + 1;
	      record.code.table_len = 20000, -EBADMSG);
}

static void lives(void **state)
{
	(void)state;
	make(RECORD_FORK, sizeof(struct fork_record));
	CHECK(fork, , 0);
	CHECK(fork, memset(record.fork.comm, 'x', COMM_LEN), -EBADMSG);
	CHECK(exit, , -EBADMSG);
	make(RECORD_EXEC, sizeof(struct exec_record) + 5);
	CHECK(exec, record.exec.argv_bytes = 5, 0);
	CHECK(exec, record.exec.argv_bytes = 6, -EBADMSG);
	CHECK(exec, record.exec.argv_bytes = 0; record.exec.configured = 2, -EBADMSG);
	CHECK(exec, record.exec.configured = 1, 0);
	record.header.size = 4096;
	CHECK(exec, record.exec.argv_bytes = ARGV_MAX, 0);
	CHECK(exec, record.exec.argv_bytes = ARGV_MAX + 1, -EBADMSG);
	make(RECORD_EXIT, sizeof(struct exit_record));
	CHECK(exit, , 0);
	CHECK(fork, , -EBADMSG);
	CHECK(exec, , -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers),
	    cmocka_unit_test(samples),
	    cmocka_unit_test(codes),
	    cmocka_unit_test(lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
