/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What holds of every whole chain (ceval.c, generated_cases.c.h, pycore_frame.h):
 *  - 3.11, 3.12: the interpreter's native frame publishes its cframe first and fills it in later.
 * Its outermost Python frame (is_entry), or shim, was linked to what the outer cframe has as
 * current.
 *  - 3.12+: it ends in a shim. A generator that yields is unlinked and un-currented in either
 * order.
 *  - A frame on the data stack lies below the stack's top; one that has returned, above.
 *  - A generator's frame belongs to one that is executing; none belongs to a frame object.
 * To 3.10 a frame is linked before it is made current, in another function: nothing to check.
 */
#include "daemon/target/pysettle.h"

#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pystack.h"

#define STEPS_MAX (2 * PYSTACK_FRAMES_MAX + 64)
#define FRAME_BYTES 128
#define STATE_BYTES 1024 /* more than any PyThreadState of 3.11, 3.12: root_cframe lies in it */
#define OWNER_FRAME_OBJECT 2

struct chain {
	const struct pyreader *reader;
	uint64_t state;
	uint64_t outer; /* what is current in the outer native frame; 3.11, 3.12 */
	bool anchored;  /* the link to it was met */
	uint64_t stack, stack_end, stack_top;
	uint8_t frame[FRAME_BYTES];
};

static uint64_t frame_u64(const struct chain *chain, uint16_t offset)
{
	uint64_t value;

	memcpy(&value, chain->frame + offset, sizeof(value));
	return value;
}

/* 3.11, 3.12. *ret_idle: the thread runs no Python code, so that there is no outer frame. */
static int outer_read(struct chain *chain, bool *ret_idle)
{
	const struct py_layout *l = chain->reader->layout;
	uint64_t cframe, outer;
	int r = pyreader_u64(chain->reader, chain->state, l->ts_frame, &cframe);

	if (r < 0)
		return r;
	*ret_idle = cframe - chain->state < STATE_BYTES;
	if (*ret_idle)
		return 0;
	r = pyreader_u64(chain->reader, cframe, (uint64_t)l->cframe_current + 8, &outer);
	if (r == 0)
		r = pyreader_u64(chain->reader, outer, l->cframe_current, &chain->outer);
	return r;
}

/* The chunk of the data stack in use: {previous, size, top, data[]}; the thread's top follows the
 * pointer to it. */
static int stack_read(struct chain *chain)
{
	uint16_t at = chain->reader->objects->ts_datastack_chunk;
	uint64_t size;
	int r = pyreader_u64(chain->reader, chain->state, at, &chain->stack);

	if (r == 0)
		r = pyreader_u64(chain->reader, chain->state, (uint64_t)at + 8, &chain->stack_top);
	if (r == 0 && chain->stack)
		r = pyreader_u64(chain->reader, chain->stack, 8, &size);
	if (r == 0 && chain->stack)
		chain->stack_end = chain->stack + size;
	return r;
}

static bool generator_executes(const struct chain *chain, uint64_t frame)
{
	const struct py_objects *o = chain->reader->objects;
	uint8_t executing = pyreader_minor(chain->reader) >= 15 ? 4 : 0; /* FRAME_EXECUTING */
	uint8_t state;

	return mem_u8(chain->reader->mem, frame - o->gi_iframe + o->gi_frame_state, &state) == 0 &&
	       state == executing;
}

static bool frame_lives(const struct chain *chain, uint64_t frame, unsigned owner)
{
	if (owner == chain->reader->layout->f_owner_generator)
		return generator_executes(chain, frame);
	if (owner == OWNER_FRAME_OBJECT)
		return false;
	return frame < chain->stack || frame >= chain->stack_end || frame < chain->stack_top;
}

/* 3.11: the frame that a native frame began with; 3.12+: the shim before it. */
static bool frame_is_entry(const struct chain *chain, unsigned owner)
{
	const struct py_layout *l = chain->reader->layout;

	return l->f_is_entry != PY_NONE ? chain->frame[l->f_is_entry] : owner >= l->f_owner_shim;
}

static bool chain_check(struct chain *chain, uint64_t frame)
{
	const struct py_layout *l = chain->reader->layout;
	bool entry = false;

	for (unsigned steps = 0; frame && steps < STEPS_MAX; steps++) {
		unsigned owner;

		if (mem_read(chain->reader->mem, frame, chain->frame, MIN(l->f_size, FRAME_BYTES)) <
		    0)
			return false;
		owner = chain->frame[l->f_owner];
		entry = frame_is_entry(chain, owner);
		if (owner < l->f_owner_shim && !frame_lives(chain, frame, owner))
			return false;
		frame = frame_u64(chain, l->f_previous);
		if (entry && !chain->anchored && l->flags & PY_CFRAME && frame != chain->outer)
			return false;
		chain->anchored |= entry;
	}
	return frame || entry;
}

bool pysettle_check(const struct pyreader *reader, uint64_t state)
{
	struct chain chain = {.reader = reader, .state = state};
	bool idle = false;
	uint64_t frame;

	if (!(reader->layout->flags & PY_INTERP_FRAMES))
		return true;
	if (pystack_top(reader, state, &frame) < 0 || stack_read(&chain) < 0)
		return false;
	if (reader->layout->flags & PY_CFRAME && outer_read(&chain, &idle) < 0)
		return false;
	if (!frame)
		return idle || !(reader->layout->flags & PY_CFRAME);
	return chain_check(&chain, frame);
}
