/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shapes: PyFrameObject chain to 3.10; _PyInterpreterFrame chain from 3.11 (pycore_frame.h).
 * What CPython does not show is skipped as it skips it: shims that mark a native entry (3.12+), and
 * frames that have not reached their first traced instruction (_PyFrame_IsIncomplete).
 */
#include "daemon/target/pystack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define STEPS_MAX (2 * PYSTACK_FRAMES_MAX + 64) /* every frame may have a shim */
#define FRAME_BYTES 256                         /* py_layout.f_size is ≤ 128 */
#define CODE_BYTES 256                          /* py_layout.co_span is ≤ 256 */
#define TAG_BITS 3ull                           /* of a _PyStackRef, 3.14+ */
#define NOT_STARTED (-1)

struct walk {
	const struct pyreader *reader;
	struct pystack *stack;
	uint8_t frame[FRAME_BYTES];
	uint64_t code; /* whose head is in head[] */
	uint8_t head[CODE_BYTES];
};

static uint64_t u64_at(const uint8_t *bytes, uint16_t offset)
{
	uint64_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static int32_t i32_at(const uint8_t *bytes, uint16_t offset)
{
	int32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

int pystack_top(const struct pyreader *reader, uint64_t state, uint64_t *ret_frame)
{
	const struct py_layout *l = reader->layout;
	uint64_t frame;
	int r = pyreader_u64(reader, state, l->ts_frame, &frame);

	if (r == 0 && frame && l->flags & PY_CFRAME)
		r = pyreader_u64(reader, frame, l->cframe_current, &frame);
	if (r == 0)
		*ret_frame = frame;
	return r;
}

/* The head of the code object into walk->head. 1: it is something else. */
static int code_head(struct walk *w, uint64_t code)
{
	const struct py_layout *l = w->reader->layout;
	uint64_t code_type = w->reader->python->at.code_type;
	int r;

	if (w->code != code) {
		w->code = 0;
		r = mem_read(w->reader->mem, code, w->head, MIN(l->co_span, CODE_BYTES));
		if (r < 0)
			return r;
		w->code = code;
	}
	return code_type && u64_at(w->head, l->ob_type) != code_type;
}

/* Where the frame's instructions start: 3.14t+ threads may run their own copy, entries[tlbc_index]
 * of co_tlbc; entry 0 is the code object's own. */
static int code_start(struct walk *w, uint64_t *ret_start)
{
	const struct py_layout *l = w->reader->layout;
	int32_t index = l->flags & PY_TLBC ? i32_at(w->frame, l->f_tlbc_index) : 0;
	uint64_t copies;
	int r;

	if (index <= 0) {
		*ret_start = w->code + l->co_code_adaptive;
		return 0;
	}
	r = pyreader_u64(w->reader, w->code, l->co_tlbc, &copies);
	return r < 0 ? r : mem_u64(w->reader->mem, copies + 8 + 8 * (uint64_t)index, ret_start);
}

static int frame_lasti(struct walk *w, int64_t *ret_lasti)
{
	const struct py_layout *l = w->reader->layout;
	uint64_t start;
	int32_t lasti;
	int r;

	if (!(l->flags & PY_INTERP_FRAMES)) {
		lasti = i32_at(w->frame, l->f_instr);
		*ret_lasti = l->flags & PY_LASTI_UNITS && lasti > 0 ? (int64_t)lasti * 2 : lasti;
		return 0;
	}
	r = code_start(w, &start);
	if (r == 0)
		*ret_lasti = (int64_t)(u64_at(w->frame, l->f_instr) - start);
	return r;
}

static unsigned frame_owner(const struct walk *w)
{
	uint16_t offset = w->reader->layout->f_owner;

	return offset == PY_NONE ? 0 : w->frame[offset];
}

static bool frame_incomplete(const struct walk *w, int64_t lasti)
{
	const struct py_layout *l = w->reader->layout;

	return l->co_firsttraceable != PY_NONE && frame_owner(w) != l->f_owner_generator &&
	       lasti < 2 * (int64_t)i32_at(w->head, l->co_firsttraceable);
}

static int stack_add(struct pystack *stack, const struct pystack_frame *frame)
{
	size_t room = stack->room ? stack->room * 2 : 32;
	struct pystack_frame *moved;

	if (stack->nframes == stack->room) {
		moved = realloc(stack->frames, room * sizeof(*moved));
		if (!moved)
			return -ENOMEM;
		stack->frames = moved;
		stack->room = room;
	}
	stack->frames[stack->nframes++] = *frame;
	return 0;
}

/* Keeps the frame at `address`, which is in walk->frame, unless CPython would not show it. */
static int frame_keep(struct walk *w, uint64_t address)
{
	const struct py_layout *l = w->reader->layout;
	struct pystack_frame frame = {.address = address};
	int r;

	if (frame_owner(w) >= l->f_owner_shim)
		return 0;
	frame.code = u64_at(w->frame, l->f_code);
	if (l->flags & PY_TAGGED)
		frame.code &= ~TAG_BITS;
	if (!frame.code)
		return 0;
	r = code_head(w, frame.code);
	if (r != 0)
		return r < 0 ? r : 0;
	r = frame_lasti(w, &frame.lasti);
	if (r < 0)
		return r;
	if (frame_incomplete(w, frame.lasti))
		return 0;
	if (frame.lasti < 0)
		frame.lasti = NOT_STARTED;
	return stack_add(w->stack, &frame);
}

int pystack_walk(const struct pyreader *reader, uint64_t state, struct pystack *stack)
{
	const struct py_layout *l = reader->layout;
	struct walk w = {.reader = reader, .stack = stack};
	uint64_t frame;
	int r;

	stack->nframes = 0;
	stack->truncated = false;
	r = pystack_top(reader, state, &frame);
	for (unsigned steps = 0; r == 0 && frame; steps++) {
		if (stack->nframes == PYSTACK_FRAMES_MAX || steps == STEPS_MAX) {
			stack->truncated = true;
			return 0;
		}
		r = mem_read(reader->mem, frame, w.frame, MIN(l->f_size, FRAME_BYTES));
		if (r == 0)
			r = frame_keep(&w, frame);
		frame = u64_at(w.frame, l->f_previous);
	}
	return r;
}

void pystack_done(struct pystack *stack)
{
	free(stack->frames);
	*stack = (struct pystack){0};
}

static bool frame_same(const struct pystack_frame *a, const struct pystack_frame *b)
{
	return a->address == b->address && a->code == b->code && a->lasti == b->lasti;
}

size_t pystack_common(const struct pystack *a, const struct pystack *b)
{
	size_t n = 0, most = MIN(a->nframes, b->nframes);

	while (n < most &&
	       frame_same(&a->frames[a->nframes - 1 - n], &b->frames[b->nframes - 1 - n]))
		n++;
	return n;
}
