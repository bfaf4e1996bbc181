/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The full-screen `top`: what is open, what is asked, and what the reader set. The loop is in
 * top_live.c, questions and answers in top_ask.c, moments gone by in top_time.c, the picture in
 * top_draw.c. Keys: top_act.c has the table, top_open.c what opens a view, top_find.c what asks the
 * reader for a line.
 */
#ifndef PYPROF_CLI_TOP_LIVE_H
#define PYPROF_CLI_TOP_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/top_events.h"
#include "cli/top_model.h"
#include "cli/top_page.h"
#include "cli/top_past.h"
#include "cli/top_tags.h"
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
	bool record_flame; /* say where to look at it as a flame graph */

	struct top_tags tags;
	struct top_events events;
	struct top_past past;
	int64_t past_ms; /* the moment that is shown, by top_live_now(); 0: the newest */
	json_t *newest;  /* document of /v1/top */
};

int64_t top_live_now(void); /* monotonic, milliseconds */
struct top_page *top_live_page(struct top_live *live);
/* Opens a page on top of the others, with the window and selectors in force. */
void top_live_open(struct top_live *live, const struct view *view, struct view_target target,
		   const char *label);
void top_live_close(struct top_live *live);
void top_live_say(struct top_live *live, enum view_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Shows the processes in this order until the reader leaves. Returns the exit code. */
int top_live_run(const struct options *options, const struct view_order *order);

/* Asks at once what the open page needs. */
void top_ask(struct top_live *live, enum top_question question);
/* All seconds since R are shown; the daemon keeps TOP_WINDOW_MAX of them. */
bool top_ask_from_reset(const struct top_live *live);
/* Takes what has come of an answer. */
void top_ask_step(struct top_live *live, enum top_question question, int64_t now);

/* The moment that is shown instead of the newest; NULL: none is, or it is no longer kept. */
const struct top_moment *top_time_moment(const struct top_live *live);
/* Puts the document of the moment in force on the first page. */
void top_time_show(struct top_live *live);
/* To the next (1) or previous (-1) moment. */
void top_time_step(struct top_live *live, long step);
/* To a moment as a reader writes it: "14:02:11", "14:02", "-90", "-5m"; "": the newest. */
void top_time_jump(struct top_live *live, const char *text);
void top_time_live(struct top_live *live);
/* "14:02:11" */
void top_time_clock(int64_t wall_s, char out[16]);

/* The views of a process, by number key. */
#define TOP_TABS 3
extern const struct view *const top_tabs[TOP_TABS];

/* The processes that a key acts on: the open page's, those marked, or the chosen row's. The count;
 * 0 after saying why, if there is more to say than that there is none. */
size_t top_open_pids(struct top_live *live, int64_t ret_pids[TOP_TAGS_MAX]);
void top_open_enter(struct top_live *live, long unused);
void top_open_tab(struct top_live *live, long tab);
void top_open_tab_step(struct top_live *live, long step);
void top_open_lines(struct top_live *live, long unused);
void top_open_dump(struct top_live *live, long unused);
void top_open_help(struct top_live *live, long unused);
void top_open_events(struct top_live *live, long unused);

void top_find_prompt(struct top_live *live, long action);
void top_find_step(struct top_live *live, long step);
/* The prompt was answered. */
void top_find_answer(struct top_live *live);

void top_act(struct top_live *live, enum tui_action action);

void top_draw(struct top_live *live);

#endif
