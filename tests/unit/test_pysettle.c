/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whole chains are believed, chains in the middle of a call or return are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/target/pysettle.h"
#include "tests/unit/fake_python.h"

/* A data stack of a thread state that is in use up to `top`. */
static void fake_data_stack(struct fake *fake, uint64_t state, uint64_t top)
{
	uint16_t at = fake->reader.objects->ts_datastack_chunk;
	uint64_t chunk = (uint64_t)(uintptr_t)fake->memory;

	fake_u64(fake, state, at, chunk);
	fake_u64(fake, state, (uint64_t)at + 8, top);
	fake_u64(fake, chunk, 8, FAKE_SIZE);
}

/* outer Python frame ← entry (a shim on 3.12+) ← leaf, and on 3.11, 3.12 the native frames'
 * cframes. */
struct stack {
	uint64_t state, outer, entry, leaf, cframe, outer_cframe;
};

static void fake_entry(struct fake *fake, uint64_t frame)
{
	const struct py_layout *l = fake->reader.layout;

	if (l->f_is_entry != PY_NONE)
		fake_u8(fake, frame, l->f_is_entry, 1);
	else
		fake_u8(fake, frame, l->f_owner, (uint8_t)l->f_owner_shim);
}

static void fake_stack(struct fake *fake, unsigned minor, struct stack *s)
{
	const struct py_layout *l;
	uint64_t code, root;

	fake_open(fake, fake_row(minor, false));
	l = fake->reader.layout;
	fake_new(fake, 64); /* the head of the data stack's chunk */
	code = fake_code(fake, "f");
	root = fake_frame(fake, code, 20, 0);
	fake_entry(fake, root);
	s->outer = fake_frame(fake, code, 20, root);
	s->entry = fake_frame(fake, code, 20, s->outer);
	fake_entry(fake, s->entry);
	s->leaf = fake_frame(fake, code, 20, s->entry);
	s->state = fake_state(fake, s->leaf);
	fake_new(fake, 2048); /* the cframes are far from the thread state */
	if (l->flags & PY_CFRAME) {
		s->cframe = fake_new(fake, 64);
		s->outer_cframe = fake_new(fake, 64);
		fake_u64(fake, s->state, l->ts_frame, s->cframe);
		fake_u64(fake, s->cframe, l->cframe_current, s->leaf);
		fake_u64(fake, s->cframe, (uint64_t)l->cframe_current + 8, s->outer_cframe);
		fake_u64(fake, s->outer_cframe, l->cframe_current, s->outer);
	}
	fake_data_stack(fake, s->state, s->leaf + 512);
}

static bool check(struct fake *fake, const struct stack *s)
{
	return pysettle_check(&fake->reader, s->state);
}

static void test_whole(void **state)
{
	(void)state;
	for (unsigned minor = 11; minor <= 15; minor++) {
		struct stack s;
		struct fake fake;

		fake_stack(&fake, minor, &s);
		assert_true(check(&fake, &s));
		fake_close(&fake);
	}
}

/* The frame has returned: the data stack's top went below it. */
static void test_returned(void **state)
{
	(void)state;
	for (unsigned minor = 11; minor <= 15; minor++) {
		struct stack s;
		struct fake fake;

		fake_stack(&fake, minor, &s);
		fake_data_stack(&fake, s.state, s.leaf);
		assert_false(check(&fake, &s));
		fake_close(&fake);
	}
}

/* The native frame is new, and its frames are still those of one before it. */
static void test_not_linked_yet(void **state)
{
	(void)state;
	for (unsigned minor = 11; minor <= 12; minor++) {
		struct stack s;
		struct fake fake;

		fake_stack(&fake, minor, &s);
		fake_u64(&fake, s.entry, fake.reader.layout->f_previous, s.leaf + 8);
		assert_false(check(&fake, &s));
		fake_u64(&fake, s.cframe, fake.reader.layout->cframe_current, 0);
		assert_false(check(&fake, &s));
		fake_close(&fake);
	}
}

static void test_generators(void **state)
{
	(void)state;
	for (unsigned minor = 11; minor <= 15; minor++) {
		const struct py_objects *o;
		struct stack s;
		struct fake fake;
		uint64_t state_byte;

		fake_stack(&fake, minor, &s);
		o = fake.reader.objects;
		fake_u8(&fake, s.leaf, fake.reader.layout->f_owner, 1);
		state_byte = s.leaf - o->gi_iframe + o->gi_frame_state;
		fake_u8(&fake, state_byte, 0, minor >= 15 ? 4 : 0);
		assert_true(check(&fake, &s));
		fake_u8(&fake, state_byte, 0, minor >= 15 ? 1 : 0xfe); /* suspended */
		assert_false(check(&fake, &s));
		fake_u8(&fake, state_byte, 0, minor >= 15 ? 4 : 0);
		fake_u64(&fake, s.leaf, fake.reader.layout->f_previous, 0); /* unlinked */
		assert_false(check(&fake, &s));
		fake_close(&fake);
	}
}

static void test_owned_by_an_object(void **state)
{
	struct stack s;
	struct fake fake;

	(void)state;
	fake_stack(&fake, 13, &s);
	fake_u8(&fake, s.leaf, fake.reader.layout->f_owner, 2);
	assert_false(check(&fake, &s));
	fake_close(&fake);
}

static void test_no_python_code(void **state)
{
	struct stack s;
	struct fake fake;

	(void)state;
	fake_stack(&fake, 13, &s);
	fake_u64(&fake, s.state, fake.reader.layout->ts_frame, 0);
	assert_true(check(&fake, &s));
	fake_close(&fake);
	fake_stack(&fake, 12, &s); /* root_cframe lies in the thread state */
	fake_u64(&fake, s.state, fake.reader.layout->ts_frame, s.state + 272);
	assert_true(check(&fake, &s));
	fake_close(&fake);
}

static void test_unreadable(void **state)
{
	struct stack s;
	struct fake fake;

	(void)state;
	fake_stack(&fake, 12, &s);
	fake_u64(&fake, s.leaf, fake.reader.layout->f_previous, 0x10);
	assert_false(check(&fake, &s));
	fake_u64(&fake, s.cframe, (uint64_t)fake.reader.layout->cframe_current + 8, 0x10);
	assert_false(check(&fake, &s));
	assert_false(pysettle_check(&fake.reader, 0));
	fake_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_returned),
	    cmocka_unit_test(test_not_linked_yet),
	    cmocka_unit_test(test_generators),
	    cmocka_unit_test(test_owned_by_an_object),
	    cmocka_unit_test(test_no_python_code),
	    cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
