/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The order of a tree: children under their parents, siblings in the order they had. */
#ifndef PYPROF_CLI_VIEW_TREE_H
#define PYPROF_CLI_VIEW_TREE_H

#include "cli/view_grid.h"

#define VIEW_TREE_LEVELS 6 /* branches drawn; what is deeper stands under the last of them */

/*
 * Rearranges the shown rows of a grid and draws their branches. A row whose parent is not shown is
 * a root; so is one row of a ring of parents. False: out of memory, nothing has changed.
 */
bool view_tree_arrange(struct view_grid *grid);

#endif
