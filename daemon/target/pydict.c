/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A dict is a table of keys with values beside them, or (split) a table of keys shared by a class's
 * instances and an array of values of its own. dict.c of 3.6–3.10: entries of 24 bytes after an
 * index of 2^n slots; 3.11+: entries of 16 bytes where all keys are str. Instances (3.11+) may keep
 * their values without any dict: before the object (3.11), through a tagged pointer (3.12), or
 * behind the object's head (3.13+).
 */
#include "daemon/target/pydict.h"

#include <errno.h>
#include <stdbool.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pystring.h"

#define TYPE_INLINE_VALUES (1ull << 2) /* Py_TPFLAGS_INLINE_VALUES, 3.13+ */
#define TYPE_MANAGED_DICT (1ull << 4)  /* Py_TPFLAGS_MANAGED_DICT, 3.11+ */
#define ATTRIBUTES_MAX 4096

struct keys {
	uint64_t entries; /* address */
	uint64_t nentries;
	unsigned entry_size, key_at; /* the value follows the key */
};

/* Bytes of the index of ≤ 3.10, from the number of its slots. */
static uint64_t index_bytes(uint64_t size)
{
	return size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8);
}

static int keys_old(const struct pyreader *reader, uint64_t at, struct keys *keys)
{
	uint64_t size;
	int r = pyreader_u64(reader, at, reader->objects->dk_size, &size);

	if (r < 0)
		return r;
	if (size > 1ull << 40)
		return -EBADMSG;
	*keys = (struct keys){
	    .entries = at + reader->objects->dk_indices + index_bytes(size),
	    .entry_size = 24,
	    .key_at = 8,
	};
	return 0;
}

static int keys_new(const struct pyreader *reader, uint64_t at, struct keys *keys)
{
	uint8_t log2_bytes, kind;
	int r = mem_u8(reader->mem, at + reader->objects->dk_log2_index_bytes, &log2_bytes);

	if (r == 0)
		r = mem_u8(reader->mem, at + reader->objects->dk_kind, &kind);
	if (r < 0)
		return r;
	if (log2_bytes > 40)
		return -EBADMSG;
	*keys = (struct keys){
	    .entries = at + reader->objects->dk_indices + (1ull << log2_bytes),
	    .entry_size = kind ? 16 : 24,
	    .key_at = kind ? 0 : 8,
	};
	return 0;
}

static int keys_read(const struct pyreader *reader, uint64_t at, struct keys *ret_keys)
{
	int r = reader->objects->dk_log2_index_bytes != PY_NONE ? keys_new(reader, at, ret_keys)
								: keys_old(reader, at, ret_keys);

	if (r < 0)
		return r;
	return pyreader_u64(reader, at, reader->objects->dk_nentries, &ret_keys->nentries);
}

/* values: address of the array of a split table, else 0. */
static int keys_each(const struct pyreader *reader, uint64_t at, uint64_t values, size_t limit,
		     pydict_fn fn, void *data)
{
	struct keys keys;
	int r = keys_read(reader, at, &keys);

	for (uint64_t i = 0; r == 0 && i < MIN(keys.nentries, limit); i++) {
		uint64_t pair[2]; /* key, value */

		r = mem_read(reader->mem, keys.entries + i * keys.entry_size + keys.key_at, pair,
			     sizeof(pair));
		if (r == 0 && values)
			r = mem_u64(reader->mem, values + 8 * i, &pair[1]);
		if (r == 0 && pair[0] && pair[1])
			r = fn(data, pair[0], pair[1]);
	}
	return r;
}

static uint64_t values_array(const struct pyreader *reader, uint64_t values)
{
	uint16_t offset = reader->objects->dv_values;

	return values + (offset == PY_NONE ? 0 : offset);
}

int pydict_each(const struct pyreader *reader, uint64_t dict, size_t limit, pydict_fn fn,
		void *data)
{
	uint64_t keys, values;
	int r = pyreader_u64(reader, dict, reader->objects->dict_keys, &keys);

	if (r == 0)
		r = pyreader_u64(reader, dict, reader->objects->dict_values, &values);
	if (r < 0)
		return r;
	return keys_each(reader, keys, values ? values_array(reader, values) : 0, limit, fn, data);
}

struct search {
	const struct pyreader *reader;
	const char *key;
	uint64_t value;
};

static int search_compare(void *data, uint64_t key, uint64_t value)
{
	struct search *search = data;

	if (!pystring_equals(search->reader, key, search->key))
		return 0;
	search->value = value;
	return 1;
}

static int search_result(const struct search *search, int r, uint64_t *ret_value)
{
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_value = search->value;
	return 0;
}

int pydict_get(const struct pyreader *reader, uint64_t dict, size_t limit, const char *key,
	       uint64_t *ret_value)
{
	struct search search = {reader, key, 0};

	return search_result(&search, pydict_each(reader, dict, limit, search_compare, &search),
			     ret_value);
}

/* An attribute among values that have no dict: the names are the type's shared keys. */
static int values_get(const struct pyreader *reader, uint64_t type, uint64_t values,
		      const char *name, uint64_t *ret_value)
{
	struct search search = {reader, name, 0};
	uint64_t keys;
	int r = pyreader_u64(reader, type, reader->objects->ht_cached_keys, &keys);

	if (r < 0)
		return r;
	r = keys_each(reader, keys, values_array(reader, values), ATTRIBUTES_MAX, search_compare,
		      &search);
	return search_result(&search, r, ret_value);
}

struct place {
	uint64_t dict;   /* the instance's dict, or 0 */
	uint64_t values; /* its values without a dict, or 0 */
};

static int place_311(const struct pyreader *reader, uint64_t object, struct place *place)
{
	int r = mem_u64(reader->mem, object - 32, &place->values);

	return r < 0 ? r : mem_u64(reader->mem, object - 24, &place->dict);
}

static int place_312(const struct pyreader *reader, uint64_t object, struct place *place)
{
	uint64_t word;
	int r = mem_u64(reader->mem, object - 24, &word);

	if (r < 0)
		return r;
	if (word & 1)
		place->values = word + 1;
	else
		place->dict = word;
	return 0;
}

static int place_313(const struct pyreader *reader, uint64_t object, uint64_t flags,
		     struct place *place)
{
	uint64_t before = reader->layout->flags & PY_FREE_THREADED ? 8 : 24;
	uint64_t values = object + reader->objects->ob_header;
	uint8_t valid;
	int r = mem_u64(reader->mem, object - before, &place->dict);

	if (r < 0 || place->dict || !(flags & TYPE_INLINE_VALUES))
		return r;
	r = mem_u8(reader->mem, values + reader->objects->dv_valid, &valid);
	if (r == 0 && valid)
		place->values = values;
	return r;
}

static int place_find(const struct pyreader *reader, uint64_t object, uint64_t type,
		      struct place *place)
{
	unsigned minor = pyreader_minor(reader);
	uint64_t flags, offset;
	int r = pyreader_u64(reader, type, reader->objects->tp_flags, &flags);

	if (r < 0)
		return r;
	if (minor >= 11 && flags & TYPE_MANAGED_DICT)
		return minor == 11   ? place_311(reader, object, place)
		       : minor == 12 ? place_312(reader, object, place)
				     : place_313(reader, object, flags, place);
	r = pyreader_u64(reader, type, reader->objects->tp_dictoffset, &offset);
	if (r < 0)
		return r;
	if (!offset || offset > 1u << 20) /* negative: a var-sized instance, none that is asked */
		return -ENOENT;
	return mem_u64(reader->mem, object + offset, &place->dict);
}

int pydict_attribute(const struct pyreader *reader, uint64_t object, const char *name,
		     uint64_t *ret_value)
{
	struct place place = {0};
	uint64_t type;
	int r = pyreader_type(reader, object, &type);

	if (r == 0)
		r = place_find(reader, object, type, &place);
	if (r < 0)
		return r;
	if (place.values)
		return values_get(reader, type, place.values, name, ret_value);
	if (place.dict)
		return pydict_get(reader, place.dict, ATTRIBUTES_MAX, name, ret_value);
	return -ENOENT;
}
