/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/base/blob.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/map.h"

struct blob {
	struct set_node node;
	uint32_t references;
	uint32_t size : 31, mark : 1;
	char bytes[];
};

_Static_assert(sizeof(struct blob) % 8 == 0, "what is in a blob is aligned");
_Static_assert(sizeof(struct blob) == BLOB_OVERHEAD, "changed size");

struct key {
	const void *bytes;
	size_t size;
	bool mark;
};

static struct blob *blob_of(const void *bytes)
{
	return (struct blob *)((uintptr_t)bytes - offsetof(struct blob, bytes));
}

static bool blob_equal(const struct set_node *node, const void *data)
{
	const struct blob *blob = (const struct blob *)node;
	const struct key *key = data;

	return blob->size == key->size && blob->mark == key->mark &&
	       !memcmp(blob->bytes, key->bytes, key->size);
}

static size_t blob_room(const struct blob *blob)
{
	return sizeof(*blob) + blob->size + 1;
}

static struct blob *blob_new(struct blobs *blobs, const struct key *key, uint64_t hash)
{
	struct blob *blob = key->size <= INT32_MAX ? malloc(sizeof(*blob) + key->size + 1) : NULL;

	if (!blob)
		return NULL;
	blob->references = 0;
	blob->size = (uint32_t)key->size & INT32_MAX;
	blob->mark = key->mark;
	memcpy(blob->bytes, key->bytes, key->size);
	blob->bytes[key->size] = '\0';
	if (!set_insert(&blobs->set, &blob->node, hash)) {
		free(blob);
		return NULL;
	}
	blobs->bytes += blob_room(blob);
	return blob;
}

const void *blob_take(struct blobs *blobs, const void *bytes, size_t size, bool mark)
{
	struct key key = {bytes, size, mark};
	uint64_t hash = map_hash(bytes, size);
	struct blob *blob = (struct blob *)set_find(&blobs->set, hash, blob_equal, &key);

	if (!blob)
		blob = blob_new(blobs, &key, hash);
	if (!blob)
		return NULL;
	blob->references++;
	return blob->bytes;
}

const void *blob_ref(const void *bytes)
{
	blob_of(bytes)->references++;
	return bytes;
}

size_t blob_size(const void *bytes)
{
	return blob_of(bytes)->size;
}

bool blob_mark(const void *bytes)
{
	return blob_of(bytes)->mark;
}

void blob_drop(struct blobs *blobs, const void *bytes)
{
	struct blob *blob;

	if (!bytes)
		return;
	blob = blob_of(bytes);
	if (--blob->references)
		return;
	blobs->bytes -= blob_room(blob);
	set_remove(&blobs->set, &blob->node);
	free(blob);
}

size_t blobs_bytes(const struct blobs *blobs)
{
	return blobs->bytes + set_bytes(&blobs->set);
}
