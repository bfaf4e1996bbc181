/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames of every layout, what CPython hides among them, and chains that lead nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/target/pystack.h"
#include "tests/unit/fake_python.h"

static void expect_frame(const struct pystack *stack, size_t at, uint64_t code, int64_t lasti)
{
	assert_true(at < stack->nframes);
	assert_int_equal(stack->frames[at].code, code);
	assert_int_equal(stack->frames[at].lasti, lasti);
}

static void check_chain(struct fake *fake)
{
	uint64_t a = fake_code(fake, "a"), b = fake_code(fake, "b");
	uint64_t root = fake_frame(fake, a, 20, 0), leaf = fake_frame(fake, b, 4, root);
	struct pystack stack = {0};

	assert_int_equal(pystack_walk(&fake->reader, fake_state(fake, leaf), &stack), 0);
	assert_int_equal(stack.nframes, 2);
	assert_false(stack.truncated);
	expect_frame(&stack, 0, b, 4);
	expect_frame(&stack, 1, a, 20);
	assert_int_equal(pystack_walk(&fake->reader, fake_state(fake, 0), &stack), 0);
	assert_int_equal(stack.nframes, 0);
	pystack_done(&stack);
}

static void test_chain_in_every_layout(void **state)
{
	(void)state;
	for (size_t row = 0; row < pylayout_table_size; row++) {
		struct fake fake;

		fake_open(&fake, row);
		fake.python.at.code_type = 0x1000;
		check_chain(&fake);
		fake_close(&fake);
	}
}

static void test_not_started(void **state)
{
	struct pystack stack = {0};
	struct fake fake;
	uint64_t code;

	(void)state;
	fake_open(&fake, fake_row(8, false));
	code = fake_code(&fake, "f");
	assert_int_equal(
	    pystack_walk(&fake.reader, fake_state(&fake, fake_frame(&fake, code, -1, 0)), &stack),
	    0);
	expect_frame(&stack, 0, code, -1);
	pystack_done(&stack);
	fake_close(&fake);
}

/* Shims (3.12+), frames before their first traced instruction, and what is no code object. */
static void test_hidden_frames(void **state)
{
	const struct py_layout *l;
	uint64_t code, other, root, shim, begun, made, leaf;
	struct pystack stack = {0};
	struct fake fake;

	(void)state;
	fake_open(&fake, fake_row(12, false));
	fake.python.at.code_type = 0x1000;
	l = fake.reader.layout;
	code = fake_code(&fake, "f");
	fake_u32(&fake, code, l->co_firsttraceable, 3);
	other = fake_new(&fake, 512);
	root = fake_frame(&fake, code, 30, 0);
	shim = fake_frame(&fake, code, 30, root);
	fake_u8(&fake, shim, l->f_owner, (uint8_t)l->f_owner_shim);
	begun = fake_frame(&fake, code, 4, shim);
	made = fake_frame(&fake, code, 4, begun); /* a generator's is shown from its start */
	fake_u8(&fake, made, l->f_owner, (uint8_t)l->f_owner_generator);
	leaf = fake_frame(&fake, other, 0, made);
	assert_int_equal(pystack_walk(&fake.reader, fake_state(&fake, leaf), &stack), 0);
	assert_int_equal(stack.nframes, 2);
	assert_int_equal(stack.frames[0].address, made);
	assert_int_equal(stack.frames[1].address, root);
	pystack_done(&stack);
	fake_close(&fake);
}

static void test_tags_are_no_address(void **state)
{
	struct pystack stack = {0};
	struct fake fake;
	uint64_t code, frame;

	(void)state;
	fake_open(&fake, fake_row(14, false));
	code = fake_code(&fake, "f");
	frame = fake_frame(&fake, code, 6, 0);
	fake_u64(&fake, frame, fake.reader.layout->f_code, code | 1);
	assert_int_equal(pystack_walk(&fake.reader, fake_state(&fake, frame), &stack), 0);
	assert_int_equal(stack.nframes, 1);
	expect_frame(&stack, 0, code, 6);
	pystack_done(&stack);
	fake_close(&fake);
}

/* 3.14t: the instruction pointer is in a copy of the code that belongs to some threads. */
static void test_thread_local_code(void **state)
{
	const struct py_layout *l;
	struct pystack stack = {0};
	struct fake fake;
	uint64_t code, frame, copy, entries;

	(void)state;
	fake_open(&fake, fake_row(14, true));
	l = fake.reader.layout;
	code = fake_code(&fake, "f");
	copy = fake_new(&fake, 128);
	entries = fake_new(&fake, 64);
	fake_u64(&fake, code, l->co_tlbc, entries);
	fake_u64(&fake, entries, 8 + 8 * 2, copy);
	frame = fake_frame(&fake, code, 0, 0);
	fake_u64(&fake, frame, l->f_instr, copy + 22);
	fake_u32(&fake, frame, l->f_tlbc_index, 2);
	assert_int_equal(pystack_walk(&fake.reader, fake_state(&fake, frame), &stack), 0);
	expect_frame(&stack, 0, code, 22);
	fake_u32(&fake, frame, l->f_tlbc_index, 0x7fffffff);
	assert_int_equal(pystack_walk(&fake.reader, fake_state(&fake, frame), &stack), -EFAULT);
	pystack_done(&stack);
	fake_close(&fake);
}

static void check_hostile(struct fake *fake)
{
	uint64_t code = fake_code(fake, "f");
	uint64_t loop = fake_frame(fake, code, 8, 0), lost = fake_frame(fake, code, 8, 0x10);
	uint64_t nowhere = fake_frame(fake, (1ull << 47) - 8, 8, 0);
	struct pystack stack = {0};

	fake_u64(fake, loop, fake->reader.layout->f_previous, loop);
	assert_int_equal(pystack_walk(&fake->reader, fake_state(fake, loop), &stack), 0);
	assert_int_equal(stack.nframes, PYSTACK_FRAMES_MAX);
	assert_true(stack.truncated);
	assert_int_equal(pystack_walk(&fake->reader, fake_state(fake, lost), &stack), -EFAULT);
	assert_int_equal(pystack_walk(&fake->reader, fake_state(fake, nowhere), &stack), -EFAULT);
	assert_int_equal(pystack_walk(&fake->reader, fake_state(fake, UINT64_MAX), &stack),
			 -EFAULT);
	assert_int_equal(pystack_walk(&fake->reader, 0, &stack), -EFAULT);
	pystack_done(&stack);
}

static void test_chains_that_lead_nowhere(void **state)
{
	(void)state;
	for (size_t row = 0; row < pylayout_table_size; row++) {
		struct fake fake;

		fake_open(&fake, row);
		check_hostile(&fake);
		fake_close(&fake);
	}
}

/* A loop of frames that are all hidden ends too. */
static void test_endless_shims(void **state)
{
	struct pystack stack = {0};
	struct fake fake;
	uint64_t frame;

	(void)state;
	fake_open(&fake, fake_row(13, false));
	frame = fake_frame(&fake, fake_code(&fake, "f"), 8, 0);
	fake_u8(&fake, frame, fake.reader.layout->f_owner,
		(uint8_t)fake.reader.layout->f_owner_shim);
	fake_u64(&fake, frame, fake.reader.layout->f_previous, frame);
	assert_int_equal(pystack_walk(&fake.reader, fake_state(&fake, frame), &stack), 0);
	assert_int_equal(stack.nframes, 0);
	assert_true(stack.truncated);
	pystack_done(&stack);
	fake_close(&fake);
}

static void test_common(void **state)
{
	struct pystack_frame a[] = {{3, 30, 1}, {2, 20, 1}, {1, 10, 1}};
	struct pystack_frame b[] = {{4, 40, 1}, {3, 30, 2}, {2, 20, 1}, {1, 10, 1}};
	struct pystack left = {.frames = a, .nframes = 3}, right = {.frames = b, .nframes = 4};

	(void)state;
	assert_int_equal(pystack_common(&left, &right),
			 2); /* the third is at another instruction */
	b[1].lasti = 1;
	assert_int_equal(pystack_common(&left, &right), 3);
	b[3].address = 9;
	assert_int_equal(pystack_common(&left, &right), 0);
	right.nframes = 0;
	assert_int_equal(pystack_common(&left, &right), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chain_in_every_layout),
	    cmocka_unit_test(test_not_started),
	    cmocka_unit_test(test_hidden_frames),
	    cmocka_unit_test(test_tags_are_no_address),
	    cmocka_unit_test(test_thread_local_code),
	    cmocka_unit_test(test_chains_that_lead_nowhere),
	    cmocka_unit_test(test_endless_shims),
	    cmocka_unit_test(test_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
