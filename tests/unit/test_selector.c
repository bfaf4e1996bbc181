/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Query values, selectors and adding up, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/query.h"
#include "daemon/serve/selector.h"
#include "daemon/serve/source_child.h"
#include "daemon/serve/tally.h"

static const struct {
	const char *text;
	int r;
	unsigned long value;
} numbers[] = {{"0", 0, 0},         {"7", 0, 7},
	       {"0007", 0, 7},      {"1844674407370955160", 0, 1844674407370955160ul},
	       {"", -EINVAL, 0},    {" 1", -EINVAL, 0},
	       {"1 ", -EINVAL, 0},  {"+1", -EINVAL, 0},
	       {"-1", -EINVAL, 0},  {"0x10", -EINVAL, 0},
	       {"1e3", -EINVAL, 0}, {"99999999999999999999", -ERANGE, 0}};

static void number_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned long value = 0;

		assert_int_equal(query_number(numbers[i].text, &value), numbers[i].r);
		assert_int_equal(value, numbers[i].value);
	}
}

static const struct {
	const char *text;
	double value; /* < 0: refused */
} seconds[] = {{"1", 1},     {"2.5", 2.5},  {".5", 0.5},
	       {"5.", 5},    {"0", -1},     {"", -1},
	       {".", -1},    {"1.2.3", -1}, {"inf", -1},
	       {"nan", -1},  {"1e1", -1},   {"-1", -1},
	       {"0x1", -1},  {" 1", -1},    {"61", -1},
	       {"0.01", -1}, {"60", 60},    {"1111111111111111111", -1}};

static void seconds_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		struct query query = {0};
		struct error error = {0};
		double value = 77;
		int r;

		query_add(&query, "seconds", seconds[i].text);
		r = query_seconds(&query, "seconds", 0.05, 60, 3, &value, &error);
		assert_int_equal(r, seconds[i].value < 0 ? -EPROTO : 0);
		assert_true(value == (seconds[i].value < 0 ? 77 : seconds[i].value));
	}
}

static void arguments_overflow(void **state)
{
	struct query query = {0};
	struct error error = {0};

	(void)state;
	for (int i = 0; i < QUERY_MAX; i++)
		query_add(&query, "pid", "1");
	assert_int_equal(query_check(&query, NULL, selector_keys, &error), 0);
	query_add(&query, "pid", "1");
	assert_int_equal(query_check(&query, NULL, selector_keys, &error), -EPROTO);
	assert_int_equal(query.nargs, QUERY_MAX);
}

static char web_unit[] = "web.service", web_container[] = "abcdef0123456789";

static const struct {
	const char *key, *value;
	bool matches;
} kinds[] = {{"pid", "10", true},
	     {"pid", "11", false},
	     {"unit", "web.service", true},
	     {"unit", "web", true},
	     {"unit", "w?b*", true},
	     {"unit", "eb", false},
	     {"unit", "*", true},
	     {"container", "abcdef", true},
	     {"container", "abcdef0123456789", true},
	     {"container", "bcdef", false},
	     {"container", "abcdef01234567890", false},
	     {"comm", "gunicorn", true},
	     {"comm", "guni*", true},
	     {"comm", "Gunicorn", false},
	     {"user", "4242", true},
	     {"user", "0", false},
	     {"all", "1", true}};

static void each_kind_matches(void **state)
{
	struct process process = {.pid = 10,
				  .uid = 4242,
				  .comm = "gunicorn",
				  .unit = web_unit,
				  .container = web_container};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(selector_done) struct selector selector = {0};
		struct query query = {0};
		struct error error = {0};

		query_add(&query, kinds[i].key, kinds[i].value);
		assert_int_equal(selector_parse(&query, &selector, &error), 0);
		assert_false(selector_empty(&selector));
		if (selector_matches(&selector, &process) != kinds[i].matches)
			fail_msg("%s=%s", kinds[i].key, kinds[i].value);
	}
}

static void kinds_narrow_and_pids_add_up(void **state)
{
	_cleanup_(selector_done) struct selector selector = {0};
	struct process process = {.pid = 10, .comm = "a"}, other = {.pid = 11, .comm = "b"};
	struct query query = {0};
	struct error error = {0};

	(void)state;
	assert_true(selector_empty(&selector));
	assert_true(selector_matches(&selector, &process));
	query_add(&query, "pid", "10");
	query_add(&query, "pid", "11");
	query_add(&query, "comm", "a");
	assert_int_equal(selector_parse(&query, &selector, &error), 0);
	assert_true(selector_matches(&selector, &process));
	assert_false(selector_matches(&selector, &other));
}

static struct frame frame(const char *function, int line, uint32_t id)
{
	return (struct frame){.function = function,
			      .file = web_unit,
			      .line = line,
			      .first_line = 1,
			      .kind = FRAME_KIND_PYTHON,
			      .id = id};
}

static struct stack *stack_of(size_t n, const struct frame *const *frames)
{
	struct stack *stack = calloc(1, sizeof(*stack) + n * sizeof(frames[0]));

	stack->nframes = (uint32_t)n;
	memcpy(stack->frames, frames, n * sizeof(frames[0]));
	return stack;
}

/* a → b → a → b: each counts once in its total, each call once. */
static void mutual_recursion(void **state)
{
	struct frame a = frame("a", 2, 0), a2 = frame("a", 3, 1), b = frame("b", 5, 2);
	const struct frame *frames[] = {&b, &a, &b, &a2};
	struct stack *stack = stack_of(4, frames);
	struct tally *tally = tally_new();
	const struct tally_function *functions;
	const struct tally_call *calls;
	size_t n;

	(void)state;
	assert_int_equal(tally_add(tally, stack, LEAF_PYTHON, 10, 2), 0);
	assert_int_equal(tally_add(tally, stack, LEAF_PYTHON, 5, 1), 0);
	functions = tally_functions(tally, &n);
	assert_int_equal(n, 2);
	assert_string_equal(functions[0].frame->function, "b");
	assert_int_equal(functions[0].own, 15);
	assert_int_equal(functions[0].total, 15);
	assert_int_equal(functions[0].samples, 3);
	assert_int_equal(functions[1].own, 0);
	assert_int_equal(functions[1].total, 15);
	calls = tally_calls(tally, &n);
	assert_int_equal(n, 2);
	assert_int_equal(calls[0].total, 15);
	assert_int_equal(calls[1].total, 15);
	tally_free(tally);
	free(stack);
}

static void lines_by_class(void **state)
{
	struct frame a = frame("a", 2, 0), native = frame("memcpy", 0, 1);
	const struct frame *in_c[] = {&native, &a}, *in_python[] = {&a}, *none[] = {&native};
	struct stack *stacks[3];
	struct tally *tally = tally_new();
	const struct tally_line *lines;
	size_t n;

	(void)state;
	native.kind = FRAME_KIND_NATIVE;
	stacks[0] = stack_of(2, in_c);
	stacks[1] = stack_of(1, in_python);
	stacks[2] = stack_of(1, none);
	tally_add(tally, stacks[0], LEAF_NATIVE, 7, 1);
	tally_add(tally, stacks[1], LEAF_PYTHON, 2, 1);
	tally_add(tally, stacks[1], LEAF_SYSTEM, 1, 1);
	tally_add(tally, stacks[1], 200, 1, 1); /* a class of the future */
	tally_add(tally, stacks[2], LEAF_NATIVE, 100, 1);
	lines = tally_lines(tally, &n);
	assert_int_equal(n, 1);
	assert_int_equal(lines[0].line, 2);
	assert_int_equal(lines[0].weight[LEAF_PYTHON], 2);
	assert_int_equal(lines[0].weight[LEAF_NATIVE], 7);
	assert_int_equal(lines[0].weight[LEAF_SYSTEM], 2);
	tally_free(tally);
	for (int i = 0; i < 3; i++)
		free(stacks[i]);
}

/* Many functions: sorted by own, and calls still name the right ones. */
static void sorting_keeps_calls(void **state)
{
	enum { N = 500 };
	static struct frame frames[N];
	static char names[N][8];
	struct frame root = frame("root", 1, N);
	struct tally *tally = tally_new();
	const struct tally_function *functions;
	const struct tally_call *calls;
	size_t n;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		const struct frame *pair[] = {&frames[i], &root};
		struct stack *stack;

		snprintf(names[i], sizeof(names[i]), "f%u", i);
		frames[i] = frame(names[i], 1, i);
		stack = stack_of(2, pair);
		assert_int_equal(tally_add(tally, stack, LEAF_PYTHON, 1 + i * 7 % N, 1), 0);
		free(stack);
	}
	functions = tally_functions(tally, &n);
	assert_int_equal(n, N + 1);
	for (size_t i = 1; i < n; i++)
		assert_true(functions[i - 1].own >= functions[i].own);
	calls = tally_calls(tally, &n);
	assert_int_equal(n, N);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(functions[calls[i].caller].frame->function, "root");
		assert_int_equal(functions[calls[i].callee].own, calls[i].total);
	}
	tally_free(tally);
}

/* What the child sends, cut at every byte and changed at every byte: never read out of bounds (the
 * sanitizer build looks), never more than the files hold. */
static void source_bytes_are_checked(void **state)
{
	struct {
		struct source_head head;
		struct source_item first;
		char a[4];
		struct source_item second;
		char b[4];
	} sent = {{.file = 0, .nlines = 2, .mtime_ns = 5}, {0, 4}, "abcd", {1, 4}, "efgh"};

	(void)state;
	for (size_t cut = 0; cut <= sizeof(sent); cut++) {
		for (int flip = 0; flip < 2; flip++) {
			struct source_file *files = calloc(1, sizeof(*files));
			char *bytes = malloc(cut + 1);
			int r;

			files->lines = calloc(2, sizeof(*files->lines));
			files->nlines = 2;
			memcpy(bytes, &sent, cut);
			if (flip && cut)
				bytes[cut - 1] ^= 0xff;
			r = source_parse(bytes, cut, files, 1);
			if (cut == sizeof(sent) && !flip) {
				assert_int_equal(r, 0);
				assert_true(files->read);
				assert_string_equal(files->lines[1].text, "efgh");
			}
			if (cut == 3)
				assert_int_equal(r, -EBADMSG);
			free(bytes);
			source_files_free(files, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(number_table),
	    cmocka_unit_test(seconds_table),
	    cmocka_unit_test(arguments_overflow),
	    cmocka_unit_test(each_kind_matches),
	    cmocka_unit_test(kinds_narrow_and_pids_add_up),
	    cmocka_unit_test(mutual_recursion),
	    cmocka_unit_test(lines_by_class),
	    cmocka_unit_test(sorting_keeps_calls),
	    cmocka_unit_test(source_bytes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
