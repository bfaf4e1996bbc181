/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys and figures, explained. */
#include "cli/tui_keys.h"
#include "cli/view.h"

enum column { KEYS, WHAT, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [KEYS] = {.title = "KEYS", .min = 14, .max = 16, .right = true},
    [WHAT] = {.title = "", .min = 20},
};

static void help_fill(struct view_grid *grid, const json_t *document,
		      const struct view_target *target)
{
	const struct tui_help *row;

	(void)document;
	(void)target;
	for (size_t i = 0; (row = tui_keys_help(i)); i++) {
		if (!row->keys) {
			view_grid_heading(grid, i, VIEW_TITLE, row->what);
		} else if (view_grid_row(grid, i)) {
			view_grid_text(grid, KEYS, VIEW_BOLD, row->keys);
			view_grid_text(grid, WHAT, VIEW_PLAIN, row->what);
		}
	}
}

const struct view view_help = {
    .title = "Help",
    .columns = columns,
    .width = COLUMNS,
    .still = true,
    .scroll = true,
    .fill = help_fill,
};
