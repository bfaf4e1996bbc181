/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/profile/profile.h"

#include <stdlib.h>

struct profile {
	struct stacks *stacks;
	struct map *entries; /* profile_key → profile_value */
	size_t limit;
	uint64_t samples, overflowed;
	uint64_t failed; /* samples for which there was no memory at all */
};

/* Keys are compared bytewise. */
_Static_assert(sizeof(struct profile_key) == 32, "padding in the key");

struct profile *profile_new(struct stacks *stacks, size_t limit_entries)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile)
		return NULL;
	profile->stacks = stacks;
	profile->limit = limit_entries;
	profile->entries = map_new(sizeof(struct profile_key), sizeof(struct profile_value));
	if (!profile->entries) {
		free(profile);
		return NULL;
	}
	return profile;
}

void profile_free(struct profile *profile)
{
	const void *key;

	if (!profile)
		return;
	for (size_t at = 0; map_next(profile->entries, &at, &key);)
		stacks_unref(profile->stacks, ((const struct profile_key *)key)->stack);
	map_free(profile->entries);
	free(profile);
}

static bool put(struct profile *profile, const struct profile_key *key,
		const struct profile_value *more)
{
	bool is_new;
	struct profile_value *value = map_put(profile->entries, key, &is_new);

	if (!value)
		return false;
	if (is_new)
		stacks_ref(key->stack);
	value->weight += more->weight;
	value->samples += more->samples;
	profile->samples += more->samples;
	return true;
}

static bool put_overflow(struct profile *profile, const struct profile_key *key,
			 const struct profile_value *more)
{
	struct profile_key joined = *key;
	bool done;

	profile->overflowed += more->samples;
	joined.tid = 0;
	joined.stack = stacks_overflow(profile->stacks);
	if (!joined.stack)
		return false;
	if (map_count(profile->entries) >= 2 * profile->limit &&
	    !map_get(profile->entries, &joined))
		joined.generation = 0;
	done = put(profile, &joined, more);
	stacks_unref(profile->stacks, joined.stack);
	return done;
}

static void add(struct profile *profile, const struct profile_key *key,
		const struct profile_value *more)
{
	bool room = map_count(profile->entries) < profile->limit;
	bool done = room || map_get(profile->entries, key) ? put(profile, key, more)
							   : put_overflow(profile, key, more);

	if (!done)
		profile->failed += more->samples;
}

void profile_add(struct profile *profile, const struct profile_key *key, uint64_t weight)
{
	add(profile, key, &(struct profile_value){weight, 1});
}

void profile_merge(struct profile *profile, const struct profile *from, uint32_t resources)
{
	const struct profile_value *value;
	const struct profile_key *key;

	for (size_t at = 0; (value = profile_next(from, &at, &key));)
		if (resources & RESOURCE_BIT(key->resource))
			add(profile, key, value);
	/* A sample that lost its stack there is not told from others here. */
	profile->overflowed += from->overflowed;
	profile->failed += from->failed;
}

size_t profile_count(const struct profile *profile)
{
	return map_count(profile->entries);
}

uint64_t profile_samples(const struct profile *profile)
{
	return profile->samples;
}

uint64_t profile_overflowed(const struct profile *profile)
{
	return profile->overflowed + profile->failed;
}

const struct profile_value *profile_next(const struct profile *profile, size_t *at,
					 const struct profile_key **ret_key)
{
	const void *key;
	const struct profile_value *value = map_next(profile->entries, at, &key);

	if (value)
		*ret_key = key;
	return value;
}

size_t profile_bytes(const struct profile *profile)
{
	return sizeof(*profile) + map_bytes(profile->entries);
}
