/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_tree.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define NONE SIZE_MAX

/* A shown row. Nodes are numbered as the rows were shown, so siblings keep their order. */
struct node {
	size_t row; /* of the grid */
	size_t parent, child, last_child, sibling;
	unsigned level;
	bool placed;
};

struct tree {
	struct view_grid *grid;
	struct node *nodes;
	size_t *by_id; /* nodes in the order of their ids */
	size_t count, placed;
};

static uint64_t node_id(const struct tree *tree, size_t node)
{
	return tree->grid->rows[tree->nodes[node].row].id;
}

static int id_compare(const void *pa, const void *pb, void *arg)
{
	uint64_t a = node_id(arg, *(const size_t *)pa), b = node_id(arg, *(const size_t *)pb);

	return (a > b) - (a < b);
}

/* The node with this id; NONE: it is not shown. */
static size_t node_find(const struct tree *tree, uint64_t id)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (node_id(tree, tree->by_id[middle]) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tree->count && node_id(tree, tree->by_id[low]) == id ? tree->by_id[low] : NONE;
}

static void node_link(struct tree *tree, size_t at)
{
	struct node *node = &tree->nodes[at];
	uint64_t id = tree->grid->rows[node->row].parent;
	size_t parent = id ? node_find(tree, id) : NONE;

	if (parent == NONE || parent == at)
		return;
	node->parent = parent;
	if (tree->nodes[parent].child == NONE)
		tree->nodes[parent].child = at;
	else
		tree->nodes[tree->nodes[parent].last_child].sibling = at;
	tree->nodes[parent].last_child = at;
}

/* One character for each level above, an arm and a space: 80 columns leave little for a name. */
static void branch_draw(const struct tree *tree, size_t at, char *out)
{
	const char *parts[VIEW_TREE_LEVELS] = {};
	size_t count = 0;

	out[0] = '\0';
	if (!tree->nodes[at].level)
		return;
	parts[count++] = tree->nodes[at].sibling == NONE ? "└ " : "├ ";
	for (at = tree->nodes[at].parent; tree->nodes[at].level && count < VIEW_TREE_LEVELS;
	     at = tree->nodes[at].parent)
		parts[count++] = tree->nodes[at].sibling == NONE ? " " : "│";
	while (count-- > 0)
		strcat(out, parts[count]);
}

static void node_place(struct tree *tree, size_t at, unsigned level)
{
	struct node *node = &tree->nodes[at];

	node->placed = true;
	node->level = level;
	tree->grid->order[tree->placed++] = node->row;
	branch_draw(tree, at, tree->grid->rows[node->row].branch);
}

/* The first of a row of siblings that has no place yet; in a ring some have. */
static size_t node_unplaced(const struct tree *tree, size_t at)
{
	while (at != NONE && tree->nodes[at].placed)
		at = tree->nodes[at].sibling;
	return at;
}

/* The node and all under it, without recursion: chains of parents may be long. */
static void tree_place(struct tree *tree, size_t root)
{
	size_t at = root;

	node_place(tree, root, 0);
	for (;;) {
		size_t child = node_unplaced(tree, tree->nodes[at].child);

		tree->nodes[at].child = child; /* the next look begins there */
		if (child != NONE) {
			node_place(tree, child, tree->nodes[at].level + 1);
			at = child;
		} else if (at == root) {
			return;
		} else {
			at = tree->nodes[at].parent;
		}
	}
}

bool view_tree_arrange(struct view_grid *grid)
{
	_cleanup_free_ struct node *nodes = calloc(grid->shown + 1, sizeof(*nodes));
	_cleanup_free_ size_t *by_id = calloc(grid->shown + 1, sizeof(*by_id));
	struct tree tree = {.grid = grid, .nodes = nodes, .by_id = by_id, .count = grid->shown};

	if (!nodes || !by_id)
		return false;
	for (size_t i = 0; i < tree.count; i++) {
		nodes[i] = (struct node){grid->order[i], NONE, NONE, NONE, NONE, 0, false};
		by_id[i] = i;
	}
	qsort_r(by_id, tree.count, sizeof(*by_id), id_compare, &tree);
	for (size_t i = 0; i < tree.count; i++)
		node_link(&tree, i);
	for (size_t i = 0; i < tree.count; i++)
		if (nodes[i].parent == NONE)
			tree_place(&tree, i);
	for (size_t i = 0; i < tree.count; i++)
		if (!nodes[i].placed)
			tree_place(&tree, i);
	return true;
}
