/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hash set of structures that embed a set_node as their first member; it owns none of them. Insert,
 * find and remove are O(1). It shrinks as it empties: what is interned comes and goes with the
 * processes of the host, and memory must not stay at its peak.
 *
 *	node = set_find(&set, hash, equal, &key);
 */
#ifndef PYPROF_DAEMON_BASE_SET_H
#define PYPROF_DAEMON_BASE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct set_node {
	struct set_node *next; /* in the same slot */
	uint64_t hash;
};

struct set {
	struct set_node **slots;
	size_t size; /* slots, a power of two; 0 before the first insert */
	size_t count;
};

/* Whether the node, whose hash fits, is the one that the key means. */
typedef bool (*set_equal_fn)(const struct set_node *node, const void *key);

struct set_node *set_find(const struct set *set, uint64_t hash, set_equal_fn equal,
			  const void *key);
/* The caller has looked: no equal node is in. False when out of memory. */
bool set_insert(struct set *set, struct set_node *node, uint64_t hash);
void set_remove(struct set *set, struct set_node *node);
/* Any node, NULL when empty: while ((node = set_first(&set))) { set_remove(&set, node); … } */
struct set_node *set_first(const struct set *set);
size_t set_bytes(const struct set *set);  /* of the slots */
size_t set_growth(const struct set *set); /* what one more node adds to them */
void set_done(struct set *set);

#endif
