/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The functions of a process: time in themselves and with all they call. */
#include "cli/view.h"

#include <inttypes.h>
#include <string.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "cli/view_merge.h"
#include "cli/view_number.h"
#include "daemon/api.h"

enum column { SELF, TOTAL, SELF_TIME, TOTAL_TIME, FUNCTION, PLACE, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [SELF] = {.title = "SELF%", .min = 5, .max = 6, .right = true, .sort = VIEW_SORT_NUMBER},
    [TOTAL] =
	{.title = "TOTAL%", .min = 6, .max = 6, .right = true, .drop = 1, .sort = VIEW_SORT_NUMBER},
    [SELF_TIME] =
	{.title = "SELF", .min = 5, .max = 6, .right = true, .drop = 2, .sort = VIEW_SORT_NUMBER},
    [TOTAL_TIME] =
	{.title = "TOTAL", .min = 5, .max = 6, .right = true, .drop = 3, .sort = VIEW_SORT_NUMBER},
    [FUNCTION] = {.title = "FUNCTION", .min = 16, .max = 48, .sort = VIEW_SORT_TEXT, .cut = true},
    [PLACE] = {.title = "FILE:LINE", .min = 16, .sort = VIEW_SORT_TEXT},
};

static void functions_path(const struct view_target *target, struct text *path)
{
	text_puts(path, API_ROUTE_FUNCTIONS);
	view_target_query(target, path);
}

static void fill_percent(struct view_grid *grid, size_t column, double value)
{
	char text[VIEW_NUMBER_MAX];

	view_number_percent(value, text);
	view_grid_number(grid, column, value == 0 ? VIEW_DIM : VIEW_BOLD, text, value);
}

static void fill_time(struct view_grid *grid, size_t column, double ns)
{
	char text[VIEW_NUMBER_MAX];

	view_number_time(ns, text);
	view_grid_number(grid, column, ns == 0 ? VIEW_DIM : VIEW_PLAIN, text, ns);
}

static enum view_style kind_style(const json_t *function)
{
	const char *kind = field_string(function, "kind");

	if (kind && strcmp(kind, "native") == 0)
		return VIEW_NATIVE;
	return kind && strcmp(kind, "kernel") == 0 ? VIEW_SYSTEM : VIEW_PLAIN;
}

static void fill_function(struct view_grid *grid, const json_t *function)
{
	const char *name = field_string(function, "function");

	if (!view_grid_row(grid, view_json_function_id(function)))
		return;
	fill_percent(grid, SELF, view_json_number(function, "own_percent"));
	fill_percent(grid, TOTAL, view_json_number(function, "total_percent"));
	fill_time(grid, SELF_TIME, view_json_number(function, "own_ns"));
	fill_time(grid, TOTAL_TIME, view_json_number(function, "total_ns"));
	view_grid_text(grid, FUNCTION, kind_style(function), name ? name : "(no name)");
	view_grid_place(grid, PLACE, VIEW_DIM, NULL, field_string(function, "file"),
			field_int_or(function, "line", 0));
}

static void functions_fill(struct view_grid *grid, const json_t *document,
			   const struct view_target *target)
{
	json_t *functions = view_merge_functions(document, target), *function;
	size_t i;

	json_array_foreach(functions, i, function) fill_function(grid, function);
	json_decref(functions);
}

const struct view view_functions = {
    .title = "Functions",
    .nothing = "No sample of this process in the window: it used no CPU.",
    .columns = columns,
    .width = COLUMNS,
    .order = {.column = SELF, .sorted = true},
    .path = functions_path,
    .fill = functions_fill,
};
