/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames and stacks are kept once, and are gone with their last reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/profile/stack.h"
#include "daemon/symbol/strings.h"

static const struct frame *frame(struct stacks *stacks, const char *function, int line)
{
	return stacks_frame(stacks, function, "/app/a.py", line, 1, FRAME_KIND_PYTHON);
}

static void frames_are_interned(void **state)
{
	struct stacks *stacks = stacks_new();
	const struct frame *a = frame(stacks, "f", 1), *b = frame(stacks, "f", 1);
	const struct frame *others[] = {
	    frame(stacks, "f", 2),
	    frame(stacks, "g", 1),
	    stacks_frame(stacks, "f", "/app/b.py", 1, 1, FRAME_KIND_PYTHON),
	    stacks_frame(stacks, "f", NULL, 1, 1, FRAME_KIND_PYTHON),
	    stacks_frame(stacks, "f", "/app/a.py", 1, 2, FRAME_KIND_PYTHON),
	    stacks_frame(stacks, "f", "/app/a.py", 1, 1, FRAME_KIND_NATIVE),
	    stacks_frame(stacks, NULL, "/app/a.py", 1, 1, FRAME_KIND_NATIVE),
	};

	(void)state;
	assert_ptr_equal(a, b);
	assert_string_equal(a->function, "f");
	assert_string_equal(a->file, "/app/a.py");
	assert_int_equal(a->line, 1);
	assert_int_equal(stacks_frame_count(stacks), 8);
	for (size_t i = 0; i < 7; i++) {
		assert_ptr_not_equal(a, others[i]);
		assert_true(others[i]->id < 8 && others[i]->id != a->id);
		for (size_t j = 0; j < i; j++)
			assert_true(others[i] != others[j] && others[i]->id != others[j]->id);
	}
	for (size_t i = 0; i < 7; i++)
		stacks_frame_unref(stacks, others[i]);
	stacks_frame_unref(stacks, a);
	assert_int_equal(stacks_frame_count(stacks), 1);
	stacks_frame_unref(stacks, b);
	assert_int_equal(stacks_frame_count(stacks), 0);
	stacks_free(stacks);
	assert_int_equal(strings_count(), 0);
}

static void stacks_are_interned(void **state)
{
	struct stacks *stacks = stacks_new();
	const struct frame *f = frame(stacks, "f", 1), *g = frame(stacks, "g", 2);
	const struct frame *fg[] = {f, g}, *gf[] = {g, f};
	struct stack *a = stacks_intern(stacks, fg, 2), *b = stacks_intern(stacks, fg, 2);
	struct stack *c = stacks_intern(stacks, gf, 2), *d = stacks_intern(stacks, fg, 1);
	struct stack *none = stacks_intern(stacks, NULL, 0);

	(void)state;
	stacks_frame_unref(stacks, f);
	stacks_frame_unref(stacks, g);
	assert_ptr_equal(a, b);
	assert_true(a != c && a != d && c != d && none != a);
	assert_int_equal(a->references, 2);
	assert_int_equal(a->nframes, 2);
	assert_int_equal(none->nframes, 0);
	assert_ptr_equal(a->frames[0], f);
	assert_string_equal(a->frames[1]->function, "g");
	assert_int_equal(stacks_count(stacks), 4);
	stacks_unref(stacks, a);
	stacks_unref(stacks, c);
	stacks_unref(stacks, none);
	assert_int_equal(stacks_count(stacks), 2);
	assert_int_equal(stacks_frame_count(stacks), 2);
	stacks_unref(stacks, b);
	assert_int_equal(stacks_frame_count(stacks), 1);
	stacks_unref(stacks, d);
	assert_int_equal(stacks_frame_count(stacks), 0);
	stacks_free(stacks);
}

static void recall(void **state)
{
	struct stacks *stacks = stacks_new();
	struct frame_source source = {1, 2, 3, 4}, other = {1, 2, 3, 5};
	const struct frame *f = frame(stacks, "f", 1);

	(void)state;
	assert_null(stacks_recall(stacks, &source));
	stacks_remember(stacks, &source, f);
	assert_null(stacks_recall(stacks, &other));
	assert_ptr_equal(stacks_recall(stacks, &source), f);
	stacks_frame_unref(stacks, f);
	stacks_frame_unref(stacks, f);
	assert_int_equal(stacks_frame_count(stacks), 1); /* the slot's */
	stacks_free(stacks);
	assert_int_equal(strings_count(), 0);
}

/* A million distinct frames over time, a thousand at once: memory stays that of a thousand. */
static void flat_under_churn(void **state)
{
	enum { LIVE = 1000, STACKS = 1000000 };
	static struct stack *live[LIVE];
	struct stacks *stacks = stacks_new();
	size_t base = stacks_bytes(stacks), peak = 0;
	uint32_t id_max = 0;

	(void)state;
	for (int i = 0; i < STACKS; i++) {
		const struct frame *frames[2] = {frame(stacks, "f", i), frame(stacks, "main", 1)};

		stacks_unref(stacks, live[i % LIVE]);
		live[i % LIVE] = stacks_intern(stacks, frames, 2);
		if (frames[0]->id > id_max)
			id_max = frames[0]->id;
		stacks_frame_unref(stacks, frames[0]);
		stacks_frame_unref(stacks, frames[1]);
		if (i == 2 * LIVE)
			peak = stacks_bytes(stacks);
	}
	assert_int_equal(stacks_count(stacks), LIVE);
	assert_true(stacks_bytes(stacks) <= peak);
	assert_true(id_max <= LIVE + 1);
	for (int i = 0; i < LIVE; i++)
		stacks_unref(stacks, live[i]);
	assert_int_equal(stacks_bytes(stacks), base);
	stacks_free(stacks);
	assert_int_equal(strings_count(), 0);
}

static void over_the_limit_joins_overflow(void **state)
{
	enum { DEPTH = 1024, STACKS = 8000 }; /* 8 KiB each: 64 MiB */
	static struct stack *held[STACKS];
	static const struct frame *frames[DEPTH];
	struct stacks *stacks = stacks_new();
	struct stack *overflow = stacks_overflow(stacks);
	size_t joined = 0;

	(void)state;
	assert_string_equal(overflow->frames[0]->function, "[overflow]");
	assert_int_equal(overflow->frames[0]->kind, FRAME_KIND_MARKER);
	for (int i = 1; i < DEPTH; i++)
		frames[i] = frame(stacks, "recursive", 7);
	for (int i = 0; i < STACKS; i++) {
		frames[0] = frame(stacks, "leaf", i);
		held[i] = stacks_intern(stacks, frames, DEPTH);
		joined += held[i] == overflow;
		stacks_frame_unref(stacks, frames[0]);
	}
	assert_true(joined > 100 && joined < STACKS - 100);
	assert_int_equal(stacks_overflowed(stacks), joined);
	assert_true(stacks_bytes(stacks) < STACKS_BYTES_MAX + 65536);
	for (int i = 0; i < STACKS; i++)
		stacks_unref(stacks, held[i]);
	for (int i = 1; i < DEPTH; i++)
		stacks_frame_unref(stacks, frames[i]);
	assert_int_equal(stacks_count(stacks), 1);
	stacks_unref(stacks, overflow);
	assert_int_equal(stacks_frame_count(stacks), 0);
	stacks_free(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_are_interned),
	    cmocka_unit_test(stacks_are_interned),
	    cmocka_unit_test(recall),
	    cmocka_unit_test(flat_under_churn),
	    cmocka_unit_test(over_the_limit_joins_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
