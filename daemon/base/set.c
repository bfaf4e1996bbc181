/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Chains, at most one node a slot on average, at least one in eight. */
#include "daemon/base/set.h"

#include <stdlib.h>

#define SET_FIRST_SIZE 16

static struct set_node **slot_of(const struct set *set, uint64_t hash)
{
	return &set->slots[hash & (set->size - 1)];
}

struct set_node *set_find(const struct set *set, uint64_t hash, set_equal_fn equal, const void *key)
{
	struct set_node *node = set->size ? *slot_of(set, hash) : NULL;

	while (node && (node->hash != hash || !equal(node, key)))
		node = node->next;
	return node;
}

static bool set_resize(struct set *set, size_t size)
{
	struct set to = {calloc(size, sizeof(*to.slots)), size, set->count};

	if (!to.slots)
		return false;
	for (size_t i = 0; i < set->size; i++) {
		for (struct set_node *node = set->slots[i], *next; node; node = next) {
			struct set_node **slot = slot_of(&to, node->hash);

			next = node->next;
			node->next = *slot;
			*slot = node;
		}
	}
	free(set->slots);
	*set = to;
	return true;
}

bool set_insert(struct set *set, struct set_node *node, uint64_t hash)
{
	struct set_node **slot;

	if (set->count >= set->size && !set_resize(set, set->size ? set->size * 2 : SET_FIRST_SIZE))
		return false;
	slot = slot_of(set, hash);
	node->hash = hash;
	node->next = *slot;
	*slot = node;
	set->count++;
	return true;
}

void set_remove(struct set *set, struct set_node *node)
{
	struct set_node **at = slot_of(set, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	set->count--;
	if (!set->count)
		set_done(set);
	else if (set->count * 8 < set->size && set->size > SET_FIRST_SIZE)
		set_resize(set, set->size / 2); /* out of memory: it stays large, and right */
}

struct set_node *set_first(const struct set *set)
{
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			return set->slots[i];
	return NULL;
}

size_t set_growth(const struct set *set)
{
	if (set->count < set->size)
		return 0;
	return (set->size ? set->size : SET_FIRST_SIZE) * sizeof(*set->slots);
}

size_t set_bytes(const struct set *set)
{
	return set->size * sizeof(*set->slots);
}

void set_done(struct set *set)
{
	free(set->slots);
	*set = (struct set){0};
}
