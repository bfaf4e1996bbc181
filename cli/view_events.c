/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What happened while this `top` looked, the newest first. */
#include "cli/field.h"
#include "cli/view.h"

#include <string.h>

enum column { TIME, KIND, WHAT, COLUMNS };

static const struct view_column columns[COLUMNS] = {
    [TIME] = {.title = "TIME", .min = 8, .max = 8},
    [KIND] = {.title = "EVENT", .min = 7, .max = 7},
    [WHAT] = {.title = "WHAT", .min = 20},
};

static enum view_style kind_style(const char *kind)
{
	static const struct {
		const char *kind;
		enum view_style style;
	} styles[] = {
	    {"began", VIEW_PYTHON},
	    {"lost", VIEW_WARN},
	    {"pyprofd", VIEW_ERROR},
	};

	for (size_t i = 0; kind && i < sizeof(styles) / sizeof(styles[0]); i++)
		if (strcmp(styles[i].kind, kind) == 0)
			return styles[i].style;
	return VIEW_PLAIN;
}

static void events_fill(struct view_grid *grid, const json_t *document,
			const struct view_target *target)
{
	const char *kind;
	json_t *event;
	size_t i;

	(void)target;
	json_array_foreach((json_t *)document, i, event)
	{
		if (!view_grid_row(grid, (uint64_t)field_int_or(event, "number", 0) + 1))
			return;
		kind = field_string(event, "kind");
		view_grid_text(grid, TIME, VIEW_PLAIN, field_string(event, "time"));
		view_grid_text(grid, KIND, kind_style(kind), kind);
		view_grid_text(grid, WHAT, VIEW_PLAIN, field_string(event, "what"));
	}
}

const struct view view_events = {
    .title = "Events",
    .nothing = "Nothing happened since this top began: no process came or went, nothing was lost.",
    .columns = columns,
    .width = COLUMNS,
    .fill = events_fill,
};
