/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/symbol/strings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/map.h"
#include "daemon/base/set.h"

struct string {
	struct set_node node;
	uint32_t references;
	uint32_t size : 31, cut : 1;
	char bytes[];
};

_Static_assert(sizeof(struct string) + 1 <= STRINGS_OVERHEAD, "changed size");

struct key {
	const char *bytes;
	size_t size;
	bool cut;
};

static struct {
	struct set set;
	size_t bytes;
} strings;

static struct string *string_of(const char *bytes)
{
	return (struct string *)(uintptr_t)(bytes - offsetof(struct string, bytes));
}

static bool string_equal(const struct set_node *node, const void *data)
{
	const struct string *string = (const struct string *)node;
	const struct key *key = data;

	return string->size == key->size && string->cut == key->cut &&
	       !memcmp(string->bytes, key->bytes, key->size);
}

static size_t string_room(const struct string *string)
{
	return sizeof(*string) + string->size + 1;
}

static struct string *string_new(const struct key *key, uint64_t hash)
{
	struct string *string = calloc(1, sizeof(*string) + key->size + 1);

	if (!string)
		return NULL;
	string->size = (uint32_t)key->size & INT32_MAX;
	string->cut = key->cut;
	memcpy(string->bytes, key->bytes, key->size);
	if (!set_insert(&strings.set, &string->node, hash)) {
		free(string);
		return NULL;
	}
	strings.bytes += string_room(string);
	return string;
}

static const char *intern(const struct key *key)
{
	uint64_t hash = map_hash(key->bytes, key->size);
	struct string *string = (struct string *)set_find(&strings.set, hash, string_equal, key);

	if (!string)
		string = string_new(key, hash);
	if (!string)
		return NULL;
	string->references++;
	return string->bytes;
}

const char *strings_intern(const char *bytes, size_t size)
{
	return intern(&(struct key){bytes, size, false});
}

const char *strings_intern_cut(const char *bytes, size_t size)
{
	return intern(&(struct key){bytes, size, true});
}

const char *strings_ref(const char *bytes)
{
	string_of(bytes)->references++;
	return bytes;
}

size_t strings_size(const char *bytes)
{
	return string_of(bytes)->size;
}

bool strings_is_cut(const char *bytes)
{
	return string_of(bytes)->cut;
}

void strings_unref(const char *bytes)
{
	struct string *string;

	if (!bytes)
		return;
	string = string_of(bytes);
	if (--string->references)
		return;
	strings.bytes -= string_room(string);
	set_remove(&strings.set, &string->node);
	free(string);
}

size_t strings_count(void)
{
	return strings.set.count;
}

size_t strings_bytes(void)
{
	return strings.bytes + set_bytes(&strings.set);
}
