/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The full-screen `top`: what is open, what is asked, and what the reader set. The loop is in
 * top_live.c, what keys do in top_act.c, the picture in top_draw.c.
 */
#ifndef PYPROF_CLI_TOP_LIVE_H
#define PYPROF_CLI_TOP_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/top_model.h"
#include "cli/top_page.h"
#include "cli/tui_fetch.h"
#include "cli/tui_keys.h"
#include "cli/tui_prompt.h"
#include "cli/tui_record.h"

#define TOP_PAGES_MAX 8
#define TOP_WINDOW_MAX 60 /* seconds that the daemon keeps */
#define TOP_INTERVAL_MS 1000
#define TOP_MESSAGE_MS 6000

enum top_question { TOP_ASK_TOP, TOP_ASK_STATUS, TOP_ASK_PAGE, TOP_QUESTIONS };

struct top_live {
	const struct options *options;
	struct top_model model;
	struct top_page pages[TOP_PAGES_MAX];
	size_t depth;   /* pages open; [0] lists the processes */
	int widths[32]; /* of the columns of the open page, as last drawn */
	size_t height;  /* rows of the body, as last drawn */

	struct tui_fetch fetches[TOP_QUESTIONS];
	int64_t interval_ms, next_ms; /* refresh */
	int64_t answered_ms;          /* the last time the daemon answered; 0: never */
	bool away;                    /* the daemon does not answer: `failure` */
	struct failure failure;

	struct tui_prompt prompt;
	enum tui_action prompt_for;
	char search[TUI_PROMPT_MAX], user[TUI_PROMPT_MAX];
	int64_t reset_ms; /* count from then on; 0: the rolling window */
	bool paused, quit;
	char message[256];
	enum view_style message_style;
	int64_t message_ms; /* until then */

	struct tui_record record;
	int64_t record_ms; /* begun */
};

int64_t top_live_now(void); /* monotonic, milliseconds */
struct top_page *top_live_page(struct top_live *live);
/* Asks at once what the open page needs. */
void top_live_ask(struct top_live *live, enum top_question question);
/* Opens a page on top of the others, with the window and selectors in force. */
void top_live_open(struct top_live *live, const struct view *view, struct view_target target,
		   const char *label);
void top_live_close(struct top_live *live);
void top_live_say(struct top_live *live, enum view_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Shows the processes in this order until the reader leaves. Returns the exit code. */
int top_live_run(const struct options *options, const struct view_order *order);

/* The views of a process, by number key. */
#define TOP_TABS 3
extern const struct view *const top_tabs[TOP_TABS];

void top_act(struct top_live *live, enum tui_action action);
/* A prompt was answered. */
void top_act_prompt(struct top_live *live);

void top_draw(struct top_live *live);

#endif
