/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads _Py_DebugOffsets (CPython 3.13+, pycore_debug_offsets.h), the table at the head of
 * _PyRuntime by which an interpreter tells its own layout: table's words → [pylayout_debug] →
 * offsets. The table is the target's, so every word is checked: bounds, alignment, and that fields
 * of one struct do not overlap. Its order is stable inside a minor version and differs between
 * them.
 */
#include "daemon/target/pylayout.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pylayout_table.h"

#define COOKIE "xdebugpy"
#define FIRST_MINOR 13
#define LAST_MINOR 15
#define MINORS (LAST_MINOR - FIRST_MINOR + 1)
#define ABI_FROZEN 0xc0 /* PY_RELEASE_LEVEL of a release candidate: alphas and betas still move */

enum { WORD_COOKIE, WORD_VERSION, WORD_FREE_THREADED };

/* Which struct a word is an offset in. */
enum part { RUNTIME, INTERP, THREAD, THREAD_FAR, FRAME, CODE, OBJECT, PARTS };

/* No field that we use lies further; the first ones keep the spans of pylayout_span(). */
static const uint32_t part_size[PARTS] = {
    [RUNTIME] = 1 << 20, [INTERP] = 1 << 20, [THREAD] = 248,  [THREAD_FAR] = 4096,
    [FRAME] = 128,       [CODE] = 248,       [OBJECT] = 2048,
};

static const size_t words_of[MINORS] = {73, 95, 111};

/* A word and where it goes. index 0: that minor version lacks it. */
struct word {
	uint8_t index[MINORS];
	uint8_t part, width;
	uint16_t layout, objects; /* 1 + place in the struct that takes it, 0 in the other */
	uint8_t bytes;            /* of the taking field */
};

#define LAYOUT(field, a, b, c, part, width)                                                        \
	{                                                                                          \
		{a, b, c}, part, width, 1 + offsetof(struct py_layout, field), 0,                  \
		    sizeof(((struct py_layout *)0)->field)                                         \
	}
#define OBJECTS(field, a, b, c, part, width)                                                       \
	{                                                                                          \
		{a, b, c}, part, width, 0, 1 + offsetof(struct py_objects, field),                 \
		    sizeof(((struct py_objects *)0)->field)                                        \
	}

/* field, its word in 3.13, 3.14, 3.15, struct, bytes of the field there (its alignment too) */
static const struct word words[] = {
    LAYOUT(rt_interpreters_head, 5, 5, 5, RUNTIME, 8),
    LAYOUT(is_gil, 14, 15, 15, INTERP, 8),
    LAYOUT(is_next, 8, 8, 8, INTERP, 8),
    LAYOUT(is_threads_head, 9, 9, 9, INTERP, 8),
    LAYOUT(ts_next, 21, 24, 24, THREAD, 8),
    LAYOUT(ts_interp, 22, 25, 25, THREAD, 8),
    LAYOUT(ts_frame, 23, 26, 26, THREAD, 8),
    LAYOUT(ts_thread_id, 24, 27, 30, THREAD, 8),
    LAYOUT(ts_native_id, 25, 28, 31, THREAD, 8),
    LAYOUT(ts_holds_gil, 0, 0, 34, THREAD, 4),
    LAYOUT(ts_gil_requested, 0, 0, 35, THREAD, 4),
    LAYOUT(f_previous, 29, 32, 40, FRAME, 8),
    LAYOUT(f_code, 30, 33, 41, FRAME, 8),
    LAYOUT(f_instr, 31, 34, 42, FRAME, 8),
    LAYOUT(f_owner, 33, 36, 44, FRAME, 1),
    LAYOUT(f_tlbc_index, 0, 38, 46, FRAME, 4),
    LAYOUT(co_filename, 35, 40, 48, CODE, 8),
    LAYOUT(co_name, 36, 41, 49, CODE, 8),
    LAYOUT(co_qualname, 37, 42, 50, CODE, 8),
    LAYOUT(co_linetable, 38, 43, 51, CODE, 8),
    LAYOUT(co_firstlineno, 39, 44, 52, CODE, 4),
    LAYOUT(co_code_adaptive, 43, 48, 56, CODE, 2),
    LAYOUT(co_tlbc, 0, 49, 57, CODE, 8),
    LAYOUT(ob_type, 45, 51, 59, OBJECT, 8),
    LAYOUT(str_length, 69, 79, 91, OBJECT, 8),
    LAYOUT(str_state, 68, 78, 90, OBJECT, 4),
    LAYOUT(str_ascii, 70, 80, 92, OBJECT, 8),
    LAYOUT(str_compact, 0, 0, 93, OBJECT, 8),
    LAYOUT(bytes_size, 65, 75, 87, OBJECT, 8),
    LAYOUT(bytes_data, 66, 76, 88, OBJECT, 1),
    OBJECTS(is_imports_modules, 11, 12, 12, INTERP, 8),
    OBJECTS(is_sysdict, 12, 13, 13, INTERP, 8),
    OBJECTS(ts_status, 27, 30, 33, THREAD, 4),
    OBJECTS(ts_datastack_chunk, 26, 29, 32, THREAD_FAR, 8),
    OBJECTS(co_argcount, 40, 45, 53, CODE, 4),
    OBJECTS(co_localsplusnames, 41, 46, 54, CODE, 8),
    OBJECTS(co_localspluskinds, 42, 47, 55, CODE, 8),
    OBJECTS(f_localsplus, 32, 35, 43, FRAME, 8),
    OBJECTS(f_stackpointer, 0, 37, 45, FRAME, 8),
    OBJECTS(gi_iframe, 0, 85, 101, OBJECT, 8),
    OBJECTS(gi_frame_state, 0, 86, 102, OBJECT, 1),
    OBJECTS(ob_header, 44, 50, 58, OBJECT, 8),
    OBJECTS(tp_name, 47, 53, 61, OBJECT, 8),
    OBJECTS(tp_flags, 49, 55, 63, OBJECT, 8),
    OBJECTS(tp_basicsize, 0, 0, 64, OBJECT, 8),
    OBJECTS(tp_dictoffset, 0, 0, 65, OBJECT, 8),
    OBJECTS(ht_cached_keys, 0, 0, 67, OBJECT, 8),
    OBJECTS(tuple_size, 52, 58, 70, OBJECT, 8),
    OBJECTS(tuple_items, 51, 57, 69, OBJECT, 8),
    OBJECTS(list_size, 55, 61, 73, OBJECT, 8),
    OBJECTS(list_items, 54, 60, 72, OBJECT, 8),
    OBJECTS(set_used, 0, 63, 75, OBJECT, 8),
    OBJECTS(set_mask, 0, 65, 77, OBJECT, 8),
    OBJECTS(set_table, 0, 64, 76, OBJECT, 8),
    OBJECTS(float_value, 60, 70, 82, OBJECT, 8),
    OBJECTS(long_tag, 62, 72, 84, OBJECT, 8),
    OBJECTS(long_digits, 63, 73, 85, OBJECT, 4),
    OBJECTS(dict_keys, 57, 67, 79, OBJECT, 8),
    OBJECTS(dict_values, 58, 68, 80, OBJECT, 8),
};

struct table {
	uint64_t word[PYLAYOUT_DEBUG_SIZE / 8];
	unsigned minor; /* minus FIRST_MINOR */
	uint8_t used[PARTS][256];
};

/* The bytes of this field are no other field's. Only small structs are followed. */
static bool field_free(struct table *t, const struct word *w, uint64_t offset)
{
	if (w->part != THREAD && w->part != FRAME && w->part != CODE)
		return true;
	for (unsigned i = 0; i < w->width; i++)
		if (t->used[w->part][offset + i]++)
			return false;
	return true;
}

static int word_apply(struct table *t, const struct word *w, struct py_layout *layout,
		      struct py_objects *objects)
{
	char *to = w->layout ? (char *)layout + w->layout - 1 : (char *)objects + w->objects - 1;
	uint64_t offset = t->word[w->index[t->minor]];
	uint16_t small;
	uint32_t large;

	memcpy(&small, to, sizeof(small));
	if (!w->index[t->minor] || (w->bytes == sizeof(small) && small == PY_NONE))
		return 0; /* GIL builds carry 0 for the fields of free-threaded ones */
	if (offset + w->width > part_size[w->part] || offset > part_size[w->part])
		return -EBADMSG;
	if (w->part <= INTERP && !offset)
		return -EBADMSG; /* other fields come first, in all three */
	if (offset % w->width || !field_free(t, w, offset))
		return -EBADMSG;
	small = (uint16_t)offset;
	large = (uint32_t)offset;
	memcpy(to, w->bytes == sizeof(small) ? (void *)&small : (void *)&large, w->bytes);
	return 0;
}

/*
 * The words of the GIL are offsets of &interp._gil and of its fields in the interpreter state; the
 * layout wants them relative to the struct. `enabled` is relative already, and measured.
 */
static int gil_apply(const struct table *t, struct py_layout *layout)
{
	static const uint8_t base_at[MINORS] = {15, 16, 16};
	uint64_t base = t->word[base_at[t->minor]];
	uint64_t locked = t->word[base_at[t->minor] + 2] - base;
	uint64_t holder = t->word[base_at[t->minor] + 3] - base;

	if (locked > (uint64_t)layout->gil_size - 4 || locked % 4 ||
	    holder > (uint64_t)layout->gil_size - 8 || holder % 8 || locked == holder)
		return -EBADMSG;
	layout->gil_locked = (uint16_t)locked;
	layout->gil_holder = (uint16_t)holder;
	return 0;
}

static int table_apply(struct table *t, struct py_layout *layout, struct py_objects *objects)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		r = word_apply(t, &words[i], layout, objects);
		if (r < 0)
			return r;
	}
	/* 3.13 and 3.14 do not tell it; PyCompactUnicodeObject adds utf8_length and utf8. */
	if (t->minor < 2)
		layout->str_compact = layout->str_ascii + 16;
	r = gil_apply(t, layout);
	return r < 0 ? r : pylayout_span(layout);
}

static int version_check(uint64_t version, uint64_t free_threaded)
{
	unsigned minor = (version >> 16) & 0xff, level = version & 0xf0;

	if (version >> 32 || version >> 24 != 3 || free_threaded > 1)
		return -EBADMSG;
	if (minor < FIRST_MINOR || minor > LAST_MINOR || level < ABI_FROZEN)
		return -EPROTONOSUPPORT;
	return 0;
}

int pylayout_read(const void *table, size_t size, struct py_layout *ret_layout,
		  struct py_objects *ret_objects, uint32_t *ret_version, bool *ret_free_threaded)
{
	struct table t = {0};
	struct py_objects objects;
	struct py_layout layout;
	int r;

	if (size < 3 * 8 || memcmp(table, COOKIE, 8))
		return -ENODATA;
	memcpy(t.word, table, MIN(size, sizeof(t.word)));
	*ret_version = (uint32_t)t.word[WORD_VERSION];
	*ret_free_threaded = t.word[WORD_FREE_THREADED] == 1;
	r = version_check(t.word[WORD_VERSION], t.word[WORD_FREE_THREADED]);
	if (r < 0)
		return r;
	t.minor = ((*ret_version >> 16) & 0xff) - FIRST_MINOR;
	if (size < words_of[t.minor] * 8)
		return -EBADMSG;
	layout = *pylayout_row(*ret_version, *ret_free_threaded);
	layout.version = *ret_version;
	objects = *pylayout_objects(&layout);
	r = table_apply(&t, &layout, &objects);
	if (r < 0)
		return r;
	*ret_layout = layout;
	*ret_objects = objects;
	return 0;
}
