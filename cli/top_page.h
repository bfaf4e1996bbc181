/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A view that is open: its document, its rows, and where the reader is in them. Draws nothing. */
#ifndef PYPROF_CLI_TOP_PAGE_H
#define PYPROF_CLI_TOP_PAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/failure.h"
#include "cli/view.h"

#define TOP_PAGE_FILTER_MAX 128

struct top_page {
	const struct view *view;
	struct view_target target;
	char label[96]; /* what is looked at, for the line above the rows */
	struct view_grid grid;
	struct view_order order;
	char filter[TOP_PAGE_FILTER_MAX];
	json_t *document;
	char clock[16];   /* of the document */
	json_t *gathered; /* answers for some of several processes; `part` is asked next */
	size_t part;
	bool asked;  /* a question is under way or was answered */
	bool failed; /* the last one was: `failure` */
	struct failure failure;

	size_t at, top;  /* the chosen row, the first one on the screen */
	uint64_t chosen; /* identity of the chosen row */
	bool follow;     /* the chosen row stays chosen when it moves */
};

void top_page_init(struct top_page *page, const struct view *view,
		   const struct view_target *target);
/* A new document (its reference is taken over). */
void top_page_update(struct top_page *page, json_t *document);
/* Makes the rows anew after target, filter or order changed. */
void top_page_refill(struct top_page *page);
/* Moves by rows, over headings; turns following on. */
void top_page_move(struct top_page *page, long rows);
void top_page_first(struct top_page *page);
/* The next (step 1) or previous (-1) column to order by, among those shown: widths[] > 0. */
void top_page_sort(struct top_page *page, int step, const int *widths);
void top_page_invert(struct top_page *page);
/* Chooses the next match behind (step 1) or before (-1) the chosen row; step 0: from it on. */
bool top_page_search(struct top_page *page, const char *text, int step);
/* Scrolls so that the chosen row is among `height` rows. */
void top_page_scroll(struct top_page *page, size_t height);
/* The row that is chosen; NULL: none. */
const struct view_row *top_page_row(const struct top_page *page);
void top_page_done(struct top_page *page);

#endif
