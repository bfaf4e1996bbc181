/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The slots at f_localsplus: to 3.10 local variables, then cells (variables that inner functions
 * use), then cells of outer functions; since 3.11 one list with a kind byte for each. A cell's
 * value is behind its object header.
 */
#include "daemon/target/pylocals.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/target/pyrepr.h"
#include "daemon/target/pystring.h"

#define NAME_MAX_CHARS 200
#define KIND_CELL_OR_FREE 0xc0 /* CO_FAST_CELL | CO_FAST_FREE, pycore_code.h 3.11+ */

struct slots {
	const struct pyreader *reader;
	struct json *json;
	uint64_t base; /* address of the next slot */
	unsigned left;
};

/* The object in a slot: 0 when unbound. Stack references carry tags since 3.14. */
static int slot_object(const struct slots *slots, bool may_be_cell, uint64_t *ret_object)
{
	const struct pyreader *reader = slots->reader;
	uint64_t object;
	char type[64];
	int r = mem_u64(reader->mem, slots->base, &object);

	if (r == 0 && reader->layout->flags & PY_TAGGED)
		object &= ~3ull;
	if (r == 0 && object && may_be_cell) {
		/* before MAKE_CELL ran, the slot of an argument holds the argument itself */
		pyrepr_type(reader, object, type, sizeof(type));
		if (!strcmp(type, "cell"))
			r = pyreader_u64(reader, object, reader->objects->ob_header, &object);
	}
	if (r == 0)
		*ret_object = object;
	return r;
}

static int slot_write(struct slots *slots, uint64_t name, bool may_be_cell)
{
	_cleanup_(text_done) struct text value = {0};
	_cleanup_free_ char *key = NULL;
	uint64_t object = 0;
	int r = slot_object(slots, may_be_cell, &object);

	if (r < 0 || !object)
		return r;
	r = pystring_read(slots->reader, name, NAME_MAX_CHARS, &key);
	if (r < 0)
		return r;
	pyrepr_add(slots->reader, object, &value);
	if (value.failed)
		return -ENOMEM;
	json_bytes(slots->json, key, value.data, value.size);
	return 0;
}

/* One slot a name of the tuple; kinds: address of the byte of the first, or 0. */
static int slots_write(struct slots *slots, uint64_t names, uint64_t kinds, bool cells)
{
	const struct pyreader *reader = slots->reader;
	uint64_t count, name;
	uint8_t kind = cells ? KIND_CELL_OR_FREE : 0;
	int r = pyreader_u64(reader, names, reader->objects->tuple_size, &count);

	for (uint64_t i = 0; r == 0 && i < count && slots->left; i++, slots->left--) {
		r = mem_u64(reader->mem, names + reader->objects->tuple_items + 8 * i, &name);
		if (r == 0 && kinds)
			r = mem_u8(reader->mem, kinds + i, &kind);
		if (r == 0)
			r = slot_write(slots, name, kind & KIND_CELL_OR_FREE);
		slots->base += 8;
	}
	return r;
}

static int locals_old(struct slots *slots, uint64_t code)
{
	const struct py_objects *o = slots->reader->objects;
	const uint16_t tuples[] = {o->co_varnames, o->co_cellvars, o->co_freevars};

	for (size_t i = 0; i < ARRAY_SIZE(tuples); i++) {
		uint64_t names;
		int r = pyreader_u64(slots->reader, code, tuples[i], &names);

		if (r == 0)
			r = slots_write(slots, names, 0, i > 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int locals_new(struct slots *slots, uint64_t code)
{
	const struct py_objects *o = slots->reader->objects;
	uint64_t names, kinds;
	int r = pyreader_u64(slots->reader, code, o->co_localsplusnames, &names);

	if (r == 0)
		r = pyreader_u64(slots->reader, code, o->co_localspluskinds, &kinds);
	if (r < 0)
		return r;
	return slots_write(slots, names, kinds + slots->reader->layout->bytes_data, false);
}

int pylocals_read(const struct pyreader *reader, const struct pystack_frame *frame, char **ret_json)
{
	_cleanup_(text_done) struct text text = {0};
	struct json json;
	struct slots slots = {
	    .reader = reader,
	    .json = &json,
	    .base = frame->address + reader->objects->f_localsplus,
	    .left = PYLOCALS_MAX,
	};
	int r;

	json_init(&json, &text);
	json_object(&json, NULL);
	r = reader->layout->flags & PY_INTERP_FRAMES ? locals_new(&slots, frame->code)
						     : locals_old(&slots, frame->code);
	json_end(&json);
	if (r < 0)
		return r;
	if (text.failed)
		return -ENOMEM;
	*ret_json = TAKE_PTR(text.data);
	return 0;
}
