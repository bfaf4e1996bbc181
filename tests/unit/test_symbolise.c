/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Samples get the names of their code objects; what is not known waits, then is marked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/symbol/strings.h"
#include "daemon/symbol/symbolise.h"

#define FAMILY 7
#define V311 0x030b07f0u

static struct codes *codes;
static struct stacks *stacks;

static int setup(void **state)
{
	(void)state;
	codes = codes_new(1 << 20);
	stacks = stacks_new();
	return codes && stacks ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	codes_free(codes);
	stacks_free(stacks);
	return strings_count() ? -1 : 0;
}

/* Code objects at 1, 2, 3… named "a", "b", "c"…; instruction n of each is line n + 1. */
static void add_code(uint64_t address)
{
	struct {
		struct code_record code;
		uint8_t data[12];
	} record = {.code = {.header = {.size = sizeof(record), .kind = RECORD_CODE},
			     .family = FAMILY,
			     .code = address,
			     .checksum = (uint32_t)address * 3,
			     .first_line = 1,
			     .version = V311,
			     .file_bytes = 3,
			     .name_bytes = 1,
			     .table_bytes = 8,
			     .table_len = 8,
			     .file_kind = 1,
			     .name_kind = 1}};
	static const uint8_t steps[] = {0xe8, 0, 0xe8, 2, 0xe8, 2, 0xe8, 2};

	memcpy(record.code.data, "x.p", 3);
	record.code.data[3] = (uint8_t)('a' + address - 1);
	memcpy(record.code.data + 4, steps, sizeof(steps));
	assert_int_equal(codes_add(codes, NULL, &record.code, record.code.header.size), 0);
}

static struct sample_record *make_sample(unsigned nframes)
{
	struct sample_record *sample =
	    calloc(1, sizeof(*sample) + nframes * sizeof(struct py_frame));

	sample->family = FAMILY;
	sample->nframes = (uint16_t)nframes;
	for (unsigned i = 0; i < nframes; i++)
		sample->frames[i] = (struct py_frame){i + 1, 2 * i, (i + 1) * 3};
	return sample;
}

static void named(void **state)
{
	struct sample_record *sample = make_sample(3);
	struct stack *stack, *again;
	unsigned unknown = 99;

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		add_code(i);
	sample->frames[2].lasti = FRAME_LASTI_NONE | FRAME_ENTRY;
	stack = symbolise_sample(codes, stacks, NULL, sample, false, &unknown);
	assert_int_equal(unknown, 0);
	assert_int_equal(stack->nframes, 3);
	assert_string_equal(stack->frames[0]->function, "a");
	assert_string_equal(stack->frames[0]->file, "x.p");
	assert_int_equal(stack->frames[0]->line, 1);
	assert_string_equal(stack->frames[1]->function, "b");
	assert_int_equal(stack->frames[1]->line, 2);
	assert_int_equal(stack->frames[1]->first_line, 1);
	assert_int_equal(stack->frames[1]->kind, FRAME_KIND_PYTHON);
	assert_int_equal(stack->frames[2]->line, 1);
	sample->frames[2].lasti = FRAME_LASTI_NONE;
	again = symbolise_sample(codes, stacks, NULL, sample, true, &unknown);
	assert_ptr_equal(stack, again);
	assert_int_equal(stack->references, 2);
	stacks_unref(stacks, stack);
	stacks_unref(stacks, again);
	assert_int_equal(stacks_count(stacks), 0);
	free(sample);
}

static void unknown_waits_then_is_marked(void **state)
{
	struct sample_record *sample = make_sample(3);
	struct stack *stack;
	unsigned unknown = 99;

	(void)state;
	add_code(1);
	add_code(3);
	assert_null(symbolise_sample(codes, stacks, NULL, sample, false, &unknown));
	assert_int_equal(unknown, 99);
	stack = symbolise_sample(codes, stacks, NULL, sample, true, &unknown);
	assert_int_equal(unknown, 1);
	assert_string_equal(stack->frames[0]->function, "a");
	assert_string_equal(stack->frames[1]->function, "[unknown]");
	assert_int_equal(stack->frames[1]->kind, FRAME_KIND_MARKER);
	assert_string_equal(stack->frames[2]->function, "c");
	stacks_unref(stacks, stack);
	/* the description arrives late: the marker was not remembered */
	add_code(2);
	stack = symbolise_sample(codes, stacks, NULL, sample, false, &unknown);
	assert_string_equal(stack->frames[1]->function, "b");
	assert_int_equal(unknown, 0);
	stacks_unref(stacks, stack);
	free(sample);
}

static void reuse_of_an_address(void **state)
{
	struct sample_record *sample = make_sample(1);
	struct stack *stack;
	unsigned unknown;

	(void)state;
	add_code(1);
	stack = symbolise_sample(codes, stacks, NULL, sample, true, &unknown);
	assert_string_equal(stack->frames[0]->function, "a");
	stacks_unref(stacks, stack);
	sample->frames[0].checksum++;
	stack = symbolise_sample(codes, stacks, NULL, sample, true, &unknown);
	assert_string_equal(stack->frames[0]->function, "[unknown]");
	stacks_unref(stacks, stack);
	sample->frames[0].checksum--;
	sample->family++;
	stack = symbolise_sample(codes, stacks, NULL, sample, true, &unknown);
	assert_string_equal(stack->frames[0]->function, "[unknown]");
	stacks_unref(stacks, stack);
	free(sample);
}

static void frames_outlive_their_family(void **state)
{
	struct sample_record *sample = make_sample(2);
	struct stack *stack;
	unsigned unknown;

	(void)state;
	add_code(1);
	add_code(2);
	stack = symbolise_sample(codes, stacks, NULL, sample, true, &unknown);
	codes_drop_family(codes, FAMILY, NULL, NULL);
	assert_string_equal(stack->frames[1]->function, "b");
	assert_int_equal(stack->frames[1]->line, 2);
	stacks_unref(stacks, stack);
	free(sample);
}

static void deep_and_empty(void **state)
{
	struct sample_record *sample = make_sample(FRAMES_MAX), *none = make_sample(0);
	struct stack *stack;
	unsigned unknown;

	(void)state;
	add_code(1);
	for (unsigned i = 0; i < FRAMES_MAX; i++)
		sample->frames[i] = (struct py_frame){1, (i % 4) * 2, 3};
	stack = symbolise_sample(codes, stacks, NULL, sample, false, &unknown);
	assert_int_equal(stack->nframes, FRAMES_MAX);
	assert_int_equal(stack->frames[1023]->line, 4);
	stacks_unref(stacks, stack);
	stack = symbolise_sample(codes, stacks, NULL, none, false, &unknown);
	assert_int_equal(stack->nframes, 0);
	stacks_unref(stacks, stack);
	free(sample);
	free(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(named),
	    TEST(unknown_waits_then_is_marked),
	    TEST(reuse_of_an_address),
	    TEST(frames_outlive_their_family),
	    TEST(deep_and_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
