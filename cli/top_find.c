/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What asks the reader for a line: search, filter, user, order, time. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/top_live.h"
#include "daemon/base/cleanup.h"

static void find_search(struct top_live *live, const char *text)
{
	snprintf(live->search, sizeof(live->search), "%s", text);
	if (*text && !top_page_search(top_live_page(live), text, 0))
		top_live_say(live, VIEW_WARN, "No match for \"%s\"", text);
}

static void find_filter(struct top_live *live, const char *text)
{
	struct top_page *page = top_live_page(live);

	snprintf(page->filter, sizeof(page->filter), "%s", text);
	top_page_refill(page);
}

static void find_user(struct top_live *live, const char *text)
{
	snprintf(live->user, sizeof(live->user), "%s", text);
	top_page_refill(&live->pages[0]);
}

/* "pid unit cpu …", of the columns that the open page can be ordered by. */
static void find_columns(const struct view *view, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < view->width; i++) {
		const char *title = view->columns[i].title;
		int length = (int)strcspn(title, "% ");

		if (view->columns[i].sort != VIEW_SORT_NONE && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? " " : "",
						 length, title);
	}
	for (; *out; out++)
		*out = (char)tolower((unsigned char)*out);
}

static void find_order(struct top_live *live, const char *text)
{
	struct top_page *page = top_live_page(live);
	size_t column = view_grid_named(page->view->columns, page->view->width, text);
	char names[128];

	find_columns(page->view, names, sizeof(names));
	if (column < page->view->width) {
		page->order.column = column;
		page->order.sorted = true;
		page->order.inverted = false;
		top_page_refill(page);
	} else if (*text) {
		top_live_say(live, VIEW_WARN, "Columns to order by: %s", names);
	}
}

static const struct prompt {
	enum tui_action action;
	const char *label;
	void (*answer)(struct top_live *live, const char *text);
} prompts[] = {
    {TUI_SEARCH, "Find: ", find_search},
    {TUI_FILTER, "Show rows with: ", find_filter},
    {TUI_USER, "Processes of user (empty: all): ", find_user},
    {TUI_SORT_PICK, "Order by column: ", find_order},
    {TUI_JUMP, "Go to (14:02:11, -90, -5m; empty: now): ", top_time_jump},
};

void top_find_prompt(struct top_live *live, long action)
{
	const char *text = action == TUI_FILTER ? top_live_page(live)->filter : "";

	live->prompt_for = (enum tui_action)action;
	for (size_t i = 0; i < ARRAY_SIZE(prompts); i++)
		if (prompts[i].action == live->prompt_for)
			tui_prompt_open(&live->prompt, prompts[i].label, text);
}

void top_find_answer(struct top_live *live)
{
	for (size_t i = 0; i < ARRAY_SIZE(prompts); i++)
		if (prompts[i].action == live->prompt_for)
			prompts[i].answer(live, live->prompt.text);
}

void top_find_step(struct top_live *live, long step)
{
	if (!*live->search)
		top_find_prompt(live, TUI_SEARCH);
	else if (!top_page_search(top_live_page(live), live->search, (int)step))
		top_live_say(live, VIEW_WARN, "No match for \"%s\"", live->search);
}
