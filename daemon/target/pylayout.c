/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which row of the measured tables a version takes, and how many bytes one read must cover:
 * version → [pylayout] → offsets.
 */
#include "daemon/target/pylayout.h"

#include <errno.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pylayout_table.h"

/* What one read may cover: bpf/scratch.h keeps heads of 256 bytes, and sizes are masked by 255. */
#define SPAN_MAX 255
#define FRAME_SPAN_MAX 128

#define MINOR(version) (((version) >> 16) & 0xff)

/* Micro versions before this one have other offsets, of which a row of their own tells. */
#define PY_3_7_4 0x03070400u

static bool row_holds(const struct py_layout *row, uint32_t version, bool free_threaded)
{
	if (row->version >> 16 != version >> 16)
		return false;
	if (!(row->flags & PY_FREE_THREADED) == free_threaded)
		return false;
	return MINOR(version) != 7 || (row->version < PY_3_7_4) == (version < PY_3_7_4);
}

const struct py_layout *pylayout_row(uint32_t version, bool free_threaded)
{
	for (size_t i = 0; i < pylayout_table_size; i++)
		if (row_holds(&pylayout_table[i], version, free_threaded))
			return &pylayout_table[i];
	return NULL;
}

static void span_cover(unsigned *span, uint16_t offset, unsigned width)
{
	if (offset != PY_NONE)
		*span = MAX(*span, (unsigned)offset + width);
}

static unsigned span_thread(const struct py_layout *l)
{
	unsigned span = 0;

	span_cover(&span, l->ts_next, 8);
	span_cover(&span, l->ts_interp, 8);
	span_cover(&span, l->ts_frame, 8);
	span_cover(&span, l->ts_thread_id, 8);
	span_cover(&span, l->ts_native_id, 8);
	span_cover(&span, l->ts_holds_gil, 4);
	span_cover(&span, l->ts_gil_requested, 4);
	return span;
}

static unsigned span_frame(const struct py_layout *l)
{
	unsigned span = 0;

	span_cover(&span, l->f_previous, 8);
	span_cover(&span, l->f_code, 8);
	span_cover(&span, l->f_instr, l->flags & PY_INTERP_FRAMES ? 8 : 4);
	span_cover(&span, l->f_owner, 1);
	span_cover(&span, l->f_is_entry, 1);
	span_cover(&span, l->f_tlbc_index, 4);
	span_cover(&span, l->f_globals, 8);
	return span;
}

static unsigned span_code(const struct py_layout *l)
{
	unsigned span = 0;

	span_cover(&span, l->ob_type, 8);
	span_cover(&span, l->co_filename, 8);
	span_cover(&span, l->co_name, 8);
	span_cover(&span, l->co_qualname, 8);
	span_cover(&span, l->co_linetable, 8);
	span_cover(&span, l->co_firstlineno, 4);
	span_cover(&span, l->co_consts, 8);
	span_cover(&span, l->co_firsttraceable, 4);
	return span;
}

int pylayout_span(struct py_layout *layout)
{
	const struct py_objects *objects = pylayout_objects(layout);
	unsigned thread, frame, code;

	layout->f_globals = objects ? objects->f_globals : PY_NONE;
	thread = span_thread(layout);
	frame = span_frame(layout);
	code = span_code(layout);
	if (thread > SPAN_MAX || frame > FRAME_SPAN_MAX || code > SPAN_MAX)
		return -EBADMSG;
	layout->ts_span = thread;
	layout->f_size = frame;
	layout->co_span = code;
	return 0;
}

const struct py_objects *pylayout_objects(const struct py_layout *layout)
{
	bool free_threaded = layout->flags & PY_FREE_THREADED;

	if (layout->version >> 24 != 3)
		return NULL;
	for (size_t i = 0; i < pylayout_objects_table_size; i++) {
		const struct py_objects *o = &pylayout_objects_table[i];

		if (o->minor == MINOR(layout->version) && o->free_threaded == free_threaded)
			return o;
	}
	return NULL;
}

/* Alphas and betas still move fields. Level 0: not known. */
static bool prerelease(uint32_t version)
{
	unsigned level = version & 0xf0;

	return level == 0xa0 || level == 0xb0;
}

int pylayout_find(uint32_t version, struct py_layout *ret_layout, struct py_objects *ret_objects)
{
	const struct py_layout *row = pylayout_row(version, false);
	struct py_layout layout;
	int r;

	if (!row || MINOR(version) >= 13 || prerelease(version))
		return -EPROTONOSUPPORT;
	layout = *row;
	layout.version = version;
	r = pylayout_span(&layout);
	if (r < 0)
		return r;
	*ret_layout = layout;
	*ret_objects = *pylayout_objects(&layout);
	return 0;
}

uint32_t pylayout_by_runtime_size(uint64_t size)
{
	/* Releases of 3.11 and 3.12 differ by a few fields more or less. */
	static const struct {
		uint32_t version, size, slack;
	} sizes[] = {
	    {0x03070000, 1424, 0}, /* 3.7.0–3.7.3 */
	    {PY_3_7_4, 1520, 0},   {0x03080000, 1464, 0},      {0x03090000, 656, 0},
	    {0x030a0000, 672, 0},  {0x030b0000, 166688, 1024}, {0x030c0000, 459944, 4096},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (size >= sizes[i].size - sizes[i].slack &&
		    size <= sizes[i].size + sizes[i].slack)
			return sizes[i].version;
	return 0;
}
