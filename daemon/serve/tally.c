/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * profile entry → [tally] → document. A stamp per function and per call marks what the current
 * stack has already counted, so that recursion counts once.
 */
#include "daemon/serve/tally.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"

/* Names are interned: comparing pointers compares strings. */
struct function_key {
	const char *function, *file;
	int64_t first_line, kind;
};

struct line_key {
	const char *file;
	int64_t line;
};

struct call_key {
	uint32_t caller, callee;
};

struct tally {
	struct map *by_key;   /* struct function_key → uint32_t index */
	struct map *by_frame; /* frame id (uint32_t) → uint32_t index: most look-ups end here */
	struct map *by_call;  /* struct call_key → uint32_t index */
	struct map *by_line;  /* struct line_key → uint32_t index */
	struct tally_function *functions;
	uint32_t *function_stamps;
	struct tally_call *calls;
	uint32_t *call_stamps;
	struct tally_line *lines;
	size_t nfunctions, ncalls, nlines;
	size_t functions_room, function_stamps_room, calls_room, call_stamps_room, lines_room;
	uint32_t stamp;
	bool sorted;
};

struct tally *tally_new(void)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (!tally)
		return NULL;
	tally->by_key = map_new(sizeof(struct function_key), sizeof(uint32_t));
	tally->by_frame = map_new(sizeof(uint32_t), sizeof(uint32_t));
	tally->by_call = map_new(sizeof(struct call_key), sizeof(uint32_t));
	tally->by_line = map_new(sizeof(struct line_key), sizeof(uint32_t));
	if (!tally->by_key || !tally->by_frame || !tally->by_call || !tally->by_line) {
		tally_free(tally);
		return NULL;
	}
	return tally;
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	map_free(tally->by_key);
	map_free(tally->by_frame);
	map_free(tally->by_call);
	map_free(tally->by_line);
	free(tally->functions);
	free(tally->function_stamps);
	free(tally->calls);
	free(tally->call_stamps);
	free(tally->lines);
	free(tally);
}

/* Makes array[count] writable and zero. */
static int room_make(void *array_ptr, size_t *room, size_t count, size_t size)
{
	void **array = array_ptr;
	size_t grown = *room ? *room * 2 : 64;
	void *moved;

	if (count < *room)
		return 0;
	moved = realloc(*array, grown * size);
	if (!moved)
		return -ENOMEM;
	memset((char *)moved + *room * size, 0, (grown - *room) * size);
	*array = moved;
	*room = grown;
	return 0;
}

static int function_new(struct tally *tally, const struct frame *frame)
{
	size_t n = tally->nfunctions;

	if (room_make(&tally->functions, &tally->functions_room, n, sizeof(*tally->functions)) <
		0 ||
	    room_make(&tally->function_stamps, &tally->function_stamps_room, n,
		      sizeof(*tally->function_stamps)) < 0)
		return -ENOMEM;
	tally->functions[n].frame = frame;
	tally->nfunctions++;
	return 0;
}

static int function_find(struct tally *tally, const struct frame *frame, uint32_t *ret_index)
{
	struct function_key key = {.function = frame->function,
				   .file = frame->file,
				   .first_line = frame->first_line,
				   .kind = frame->kind};
	uint32_t *known = map_get(tally->by_frame, &frame->id), *slot;
	bool is_new;

	if (known) {
		*ret_index = *known;
		return 0;
	}
	slot = map_put(tally->by_key, &key, &is_new);
	if (!slot)
		return -ENOMEM;
	if (is_new) {
		*slot = (uint32_t)tally->nfunctions;
		if (function_new(tally, frame) < 0)
			return -ENOMEM;
	}
	*ret_index = *slot;
	known = map_put(tally->by_frame, &frame->id, NULL);
	if (known)
		*known = *ret_index;
	return 0;
}

static int call_add(struct tally *tally, uint32_t caller, uint32_t callee, uint64_t weight)
{
	struct call_key key = {.caller = caller, .callee = callee};
	bool is_new;
	uint32_t *slot = map_put(tally->by_call, &key, &is_new), at;

	if (!slot)
		return -ENOMEM;
	if (is_new) {
		at = *slot = (uint32_t)tally->ncalls;
		if (room_make(&tally->calls, &tally->calls_room, at, sizeof(*tally->calls)) < 0 ||
		    room_make(&tally->call_stamps, &tally->call_stamps_room, at,
			      sizeof(*tally->call_stamps)) < 0)
			return -ENOMEM;
		tally->calls[at] = (struct tally_call){.caller = caller, .callee = callee};
		tally->ncalls++;
	}
	at = *slot;
	if (tally->call_stamps[at] == tally->stamp)
		return 0;
	tally->call_stamps[at] = tally->stamp;
	tally->calls[at].total += weight;
	return 0;
}

static int functions_add(struct tally *tally, const struct stack *stack, uint64_t weight,
			 uint64_t samples)
{
	uint32_t callee = 0;

	for (uint32_t i = 0; i < stack->nframes; i++) {
		struct tally_function *function;
		uint32_t at;
		int r = function_find(tally, stack->frames[i], &at);

		if (r < 0)
			return r;
		function = &tally->functions[at];
		if (i == 0)
			function->own += weight;
		else if ((r = call_add(tally, at, callee, weight)) < 0)
			return r;
		if (tally->function_stamps[at] != tally->stamp) {
			tally->function_stamps[at] = tally->stamp;
			function->total += weight;
			function->samples += samples;
		}
		callee = at;
	}
	return 0;
}

static const struct frame *python_leaf(const struct stack *stack)
{
	for (uint32_t i = 0; i < stack->nframes; i++)
		if (stack->frames[i]->kind == FRAME_KIND_PYTHON)
			return stack->frames[i];
	return NULL;
}

static int line_add(struct tally *tally, const struct stack *stack, uint8_t leaf, uint64_t weight)
{
	const struct frame *frame = python_leaf(stack);
	struct line_key key;
	uint32_t *slot;
	bool is_new;

	if (!frame)
		return 0;
	key = (struct line_key){.file = frame->file, .line = frame->line};
	slot = map_put(tally->by_line, &key, &is_new);
	if (!slot)
		return -ENOMEM;
	if (is_new) {
		*slot = (uint32_t)tally->nlines;
		if (room_make(&tally->lines, &tally->lines_room, tally->nlines,
			      sizeof(*tally->lines)) < 0)
			return -ENOMEM;
		tally->lines[tally->nlines++] =
		    (struct tally_line){.file = frame->file, .line = frame->line};
	}
	tally->lines[*slot].weight[MIN(leaf, TALLY_CLASSES - 1)] += weight;
	return 0;
}

int tally_add(struct tally *tally, const struct stack *stack, uint8_t leaf, uint64_t weight,
	      uint64_t samples)
{
	int r;

	tally->stamp++;
	r = functions_add(tally, stack, weight, samples);
	return r < 0 ? r : line_add(tally, stack, leaf, weight);
}

static int order(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

/* The array is sorted through indices first, so that calls can follow their functions. */
static int function_order(const void *a, const void *b, void *data)
{
	const struct tally_function *functions = data;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int by_own = order(functions[i].own, functions[j].own);
	int by_total = order(functions[i].total, functions[j].total);

	if (by_own || by_total)
		return by_own ? by_own : by_total;
	return i < j ? -1 : i > j;
}

static int call_order(const void *a, const void *b)
{
	const struct tally_call *x = a, *y = b;
	int by_total = order(x->total, y->total);

	if (by_total)
		return by_total;
	return x->caller != y->caller ? (x->caller < y->caller ? -1 : 1)
				      : (x->callee < y->callee ? -1 : x->callee > y->callee);
}

static int line_order(const void *a, const void *b)
{
	const struct tally_line *x = a, *y = b;
	int by_file =
	    x->file == y->file ? 0 : strcmp(x->file ? x->file : "", y->file ? y->file : "");

	return by_file ? by_file : (x->line < y->line ? -1 : x->line > y->line);
}

/* Out of memory leaves the order as the functions were met: still right, not sorted. */
static void functions_sort(struct tally *tally)
{
	size_t n = tally->nfunctions;
	_cleanup_free_ uint32_t *from = calloc(n + 1, sizeof(*from));
	_cleanup_free_ uint32_t *to = calloc(n + 1, sizeof(*to));
	struct tally_function *sorted = calloc(n + 1, sizeof(*sorted));

	if (!from || !to || !sorted) {
		free(sorted);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		from[i] = i;
	qsort_r(from, n, sizeof(*from), function_order, tally->functions);
	for (uint32_t i = 0; i < n; i++) {
		sorted[i] = tally->functions[from[i]];
		to[from[i]] = i;
	}
	for (size_t i = 0; i < tally->ncalls; i++) {
		tally->calls[i].caller = to[tally->calls[i].caller];
		tally->calls[i].callee = to[tally->calls[i].callee];
	}
	free(tally->functions);
	tally->functions = sorted;
}

static void tally_sort(struct tally *tally)
{
	if (tally->sorted)
		return;
	tally->sorted = true;
	functions_sort(tally);
	if (tally->ncalls)
		qsort(tally->calls, tally->ncalls, sizeof(*tally->calls), call_order);
	if (tally->nlines)
		qsort(tally->lines, tally->nlines, sizeof(*tally->lines), line_order);
}

const struct tally_function *tally_functions(struct tally *tally, size_t *ret_count)
{
	tally_sort(tally);
	*ret_count = tally->nfunctions;
	return tally->functions;
}

const struct tally_call *tally_calls(struct tally *tally, size_t *ret_count)
{
	tally_sort(tally);
	*ret_count = tally->ncalls;
	return tally->calls;
}

const struct tally_line *tally_lines(struct tally *tally, size_t *ret_count)
{
	tally_sort(tally);
	*ret_count = tally->nlines;
	return tally->lines;
}
