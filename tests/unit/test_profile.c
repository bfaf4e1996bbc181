/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sums are whole, also over the limit; the window forgets by the second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/loop.h"
#include "daemon/profile/profile.h"
#include "daemon/symbol/strings.h"

#define SECOND 1000000000ull

static struct stacks *stacks;

static int setup(void **state)
{
	(void)state;
	stacks = stacks_new();
	return stacks ? 0 : -1;
}

/* Whatever a test did, nothing is left. */
static int teardown(void **state)
{
	size_t left = stacks_count(stacks) + stacks_frame_count(stacks);

	(void)state;
	stacks_free(stacks);
	return left || strings_count() ? -1 : 0;
}

static struct stack *stack(int line)
{
	const struct frame *frame = stacks_frame(stacks, "f", "a.py", line, 1, FRAME_KIND_PYTHON);
	struct stack *interned = stacks_intern(stacks, &frame, 1);

	stacks_frame_unref(stacks, frame);
	return interned;
}

static void add(struct profile *profile, uint64_t generation, int line, uint64_t weight)
{
	struct profile_key key = {.generation = generation, .tid = 5, .stack = stack(line)};

	profile_add(profile, &key, weight);
	stacks_unref(stacks, key.stack);
}

/* Of the entries of one process, or of all (0). */
static uint64_t weight_of(const struct profile *profile, uint64_t generation)
{
	const struct profile_value *value;
	const struct profile_key *key;
	uint64_t sum = 0;

	for (size_t at = 0; (value = profile_next(profile, &at, &key));)
		if (!generation || key->generation == generation)
			sum += value->weight;
	return sum;
}

static void sums(void **state)
{
	struct profile *profile = profile_new(stacks, 100);
	const struct profile_key *key;
	const struct profile_value *value;
	size_t at = 0;

	(void)state;
	add(profile, 1, 10, 7);
	add(profile, 1, 10, 8);
	assert_int_equal(profile_count(profile), 1);
	value = profile_next(profile, &at, &key);
	assert_int_equal(value->weight, 15);
	assert_int_equal(value->samples, 2);
	assert_int_equal(key->tid, 5);
	assert_int_equal(key->stack->frames[0]->line, 10);
	assert_null(profile_next(profile, &at, &key));
	add(profile, 1, 11, 1);
	add(profile, 2, 10, 1);
	assert_int_equal(profile_count(profile), 3);
	assert_int_equal(profile_samples(profile), 4);
	assert_int_equal(weight_of(profile, 1), 16);
	profile_free(profile);
	profile_free(NULL);
}

static void keys_tell_apart(void **state)
{
	struct profile *profile = profile_new(stacks, 100);
	struct profile_key key = {.generation = 1, .stack = stack(1)};

	(void)state;
	profile_add(profile, &key, 1);
	key.gil = 1;
	profile_add(profile, &key, 1);
	key.leaf = 1;
	profile_add(profile, &key, 1);
	key.partial = 1;
	profile_add(profile, &key, 1);
	key.tid = 1;
	profile_add(profile, &key, 1);
	assert_int_equal(profile_count(profile), 5);
	stacks_unref(stacks, key.stack);
	profile_free(profile);
}

static void over_the_limit(void **state)
{
	struct profile *profile = profile_new(stacks, 10);
	const struct profile_key *key;
	bool marked = false;

	(void)state;
	for (int i = 0; i < 1000; i++)
		add(profile, 1, i, 3);
	for (int i = 0; i < 10; i++)
		add(profile, 1, i, 3); /* what is in stays exact */
	assert_int_equal(profile_count(profile), 11);
	assert_int_equal(profile_overflowed(profile), 990);
	assert_int_equal(profile_samples(profile), 1010);
	assert_int_equal(weight_of(profile, 1), 3030);
	for (int i = 0; i < 1000; i++)
		add(profile, 100 + (uint64_t)i, 1, 1);
	assert_true(profile_count(profile) <= 21);
	assert_int_equal(weight_of(profile, 0), 4030);
	for (size_t at = 0; profile_next(profile, &at, &key);)
		marked |= !strcmp(key->stack->frames[0]->function, "[overflow]");
	assert_true(marked);
	profile_free(profile);
}

static void merge(void **state)
{
	struct profile *a = profile_new(stacks, 100), *b = profile_new(stacks, 100);

	(void)state;
	add(a, 1, 1, 5);
	add(b, 1, 1, 6);
	add(b, 1, 2, 7);
	profile_merge(a, b, RESOURCE_BITS_ALL);
	assert_int_equal(profile_count(a), 2);
	assert_int_equal(weight_of(a, 1), 18);
	assert_int_equal(profile_samples(a), 3);
	profile_free(b);
	assert_int_equal(stacks_count(stacks), 2);
	profile_free(a);
}

static void window_put(struct window *window, int line, uint64_t weight, uint64_t now)
{
	struct profile_key key = {.generation = 1, .stack = stack(line)};

	window_add(window, &key, weight, now);
	stacks_unref(stacks, key.stack);
}

static uint64_t window_weight(struct window *window, unsigned seconds, uint64_t now, double *span)
{
	struct profile *profile = window_last(window, RESOURCE_BITS_ALL, seconds, now, span);
	uint64_t sum = weight_of(profile, 0);

	profile_free(profile);
	return sum;
}

static void window_rolls(void **state)
{
	struct window *window = window_new(stacks);
	size_t base = window_bytes(window);
	uint64_t now = (loop_now_ns() / SECOND + 1000) * SECOND; /* long after its start */
	double span;

	(void)state;
	for (int i = 0; i < 200; i++)
		window_put(window, i, 1, now + (uint64_t)i * SECOND);
	now += 199 * SECOND + SECOND / 2;
	assert_int_equal(stacks_count(stacks), 61);
	assert_int_equal(window_weight(window, 5, now, &span), 6);
	assert_true(span > 5.49 && span < 5.51);
	assert_int_equal(window_weight(window, 60, now, &span), 61);
	assert_true(span > 60.49 && span < 60.51);
	assert_int_equal(window_weight(window, 1000, now, &span), 61);
	assert_int_equal(window_weight(window, 0, now, &span), 2);
	assert_int_equal(window_weight(window, 5, now + 4 * SECOND, &span), 2);
	assert_int_equal(window_weight(window, 60, now + 61 * SECOND, &span), 0);
	assert_int_equal(stacks_count(stacks), 0);
	assert_int_equal(window_bytes(window), base);
	window_free(window);
}

static void window_takes_late_samples(void **state)
{
	struct window *window = window_new(stacks);
	uint64_t now = (loop_now_ns() / SECOND + 1000) * SECOND;
	double span;

	(void)state;
	window_put(window, 1, 1, now);
	window_put(window, 1, 1, now - 3 * SECOND);
	window_put(window, 1, 1, now - 900 * SECOND); /* counts as now */
	assert_int_equal(window_weight(window, 1, now, &span), 2);
	assert_int_equal(window_weight(window, 3, now, &span), 3);
	window_free(window);
}

static void young_window(void **state)
{
	uint64_t before = loop_now_ns();
	struct window *window = window_new(stacks);
	double span;

	(void)state;
	window_put(window, 1, 4, before + SECOND);
	assert_int_equal(window_weight(window, 60, before + 2 * SECOND, &span), 4);
	assert_true(span > 1.5 && span <= 2);
	window_free(window);
	window_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sums),         TEST(keys_tell_apart),           TEST(over_the_limit), TEST(merge),
	    TEST(window_rolls), TEST(window_takes_late_samples), TEST(young_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
