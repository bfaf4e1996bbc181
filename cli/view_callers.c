/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One function between those that called it and those that it called. */
#include "cli/view.h"

#include <math.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "cli/view_merge.h"
#include "cli/view_number.h"

enum column { SHARE, TIME, FUNCTION, PLACE, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [SHARE] = {.title = "SHARE%", .min = 6, .max = 6, .right = true},
    [TIME] = {.title = "TIME", .min = 5, .max = 6, .right = true, .drop = 1},
    [FUNCTION] = {.title = "FUNCTION", .min = 16, .max = 60, .cut = true},
    [PLACE] = {.title = "FILE:LINE", .min = 16},
};

static void fill_row(struct view_grid *grid, const json_t *function, double ns, double total,
		     enum view_style style)
{
	const char *name = field_string(function, "function");
	double share = total > 0 ? 100 * ns / total : NAN;
	char text[VIEW_NUMBER_MAX];

	if (!view_grid_row(grid, view_json_function_id(function)))
		return;
	view_number_percent(share, text);
	view_grid_number(grid, SHARE, style, text, share);
	view_number_time(ns, text);
	view_grid_number(grid, TIME, VIEW_PLAIN, text, ns);
	view_grid_text(grid, FUNCTION, style, name ? name : "(no name)");
	view_grid_place(grid, PLACE, VIEW_DIM, NULL, field_string(function, "file"),
			field_int_or(function, "line", 0));
}

static void fill_edges(struct view_grid *grid, const json_t *edges, double total,
		       const char *heading, const char *none)
{
	json_t *edge;
	size_t i;

	view_grid_heading(grid, 0, VIEW_TITLE, json_array_size(edges) ? heading : none);
	json_array_foreach((json_t *)edges, i, edge)
	    fill_row(grid, edge, view_json_number(edge, "total_ns"), total, VIEW_PLAIN);
}

static void fill_around(struct view_grid *grid, const json_t *function)
{
	double total = view_json_number(function, "total_ns");

	fill_edges(grid, json_object_get(function, "callers"), total, "Called by",
		   "Called by nothing seen");
	view_grid_heading(grid, 0, VIEW_TITLE, "In itself");
	fill_row(grid, function, view_json_number(function, "own_ns"), total, VIEW_BOLD);
	fill_edges(grid, json_object_get(function, "callees"), total, "Calls",
		   "Calls nothing seen");
}

static void callers_fill(struct view_grid *grid, const json_t *document,
			 const struct view_target *target)
{
	json_t *functions = view_merge_functions(document, target), *function;
	size_t i;

	json_array_foreach(functions, i,
			   function) if (view_json_function_id(function) == target->function)
	{
		fill_around(grid, function);
		break;
	}
	json_decref(functions);
}

static void callers_path(const struct view_target *target, struct text *path)
{
	view_functions.path(target, path);
}

const struct view view_callers = {
    .title = "Callers",
    .nothing = "This function did not run in the window.",
    .columns = columns,
    .width = COLUMNS,
    .path = callers_path,
    .fill = callers_fill,
};
