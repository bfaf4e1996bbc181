/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/tui.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

static volatile sig_atomic_t stopped;

int64_t top_live_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct top_page *top_live_page(struct top_live *live)
{
	return &live->pages[live->depth - 1];
}

void top_live_say(struct top_live *live, enum view_style style, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(live->message, sizeof(live->message), format, args);
	va_end(args);
	live->message_style = style;
	live->message_ms = top_live_now() + TOP_MESSAGE_MS;
}

void top_live_open(struct top_live *live, const struct view *view, struct view_target target,
		   const char *label)
{
	struct top_page *page;

	if (live->depth == TOP_PAGES_MAX)
		return;
	page = &live->pages[live->depth++];
	target.options = live->options;
	target.user = live->user;
	target.tags = &live->tags;
	top_page_init(page, view, &target);
	snprintf(page->label, sizeof(page->label), "%s", label);
	tui_fetch_done(&live->fetches[TOP_ASK_PAGE]);
	if (view->path)
		top_ask(live, TOP_ASK_PAGE);
	else
		top_page_refill(page);
}

void top_live_close(struct top_live *live)
{
	if (live->depth <= 1)
		return;
	tui_fetch_done(&live->fetches[TOP_ASK_PAGE]);
	top_page_done(&live->pages[--live->depth]);
	if (live->depth > 1 && !top_live_page(live)->view->still && !live->paused)
		top_ask(live, TOP_ASK_PAGE);
}

/* Slow answers are waited for: what is under way is not asked again. */
static void live_refresh(struct top_live *live, int64_t now)
{
	const struct top_page *page = top_live_page(live);

	live->next_ms = now + live->interval_ms;
	if (live->paused && live->answered_ms)
		return;
	if (live->fetches[TOP_ASK_TOP].fd < 0)
		top_ask(live, TOP_ASK_TOP);
	if (live->fetches[TOP_ASK_STATUS].fd < 0)
		top_ask(live, TOP_ASK_STATUS);
	if (live->depth > 1 && page->view->path && (!page->view->still || !page->document) &&
	    live->fetches[TOP_ASK_PAGE].fd < 0)
		top_ask(live, TOP_ASK_PAGE);
}

static void live_record(struct top_live *live)
{
	struct tui_record *record = &live->record;
	bool ok;

	if (record->fd < 0 || !tui_record_step(record, &ok))
		return;
	if (ok && live->record_flame)
		top_live_say(live, VIEW_BOLD, "Flame graph: drop %s on speedscope.app",
			     record->file);
	else if (ok)
		top_live_say(live, VIEW_BOLD, "Recorded %s into %s", record->what, record->file);
	else
		top_live_say(live, VIEW_ERROR, "Recording failed: %s",
			     record->said.size ? record->said.data : "no reason was given");
}

/* The events change without an answer of their own. */
static void live_events(struct top_live *live)
{
	struct top_page *page = top_live_page(live);

	if (page->view != &view_events || (page->document && page->part == live->events.changes))
		return;
	page->part = live->events.changes;
	top_page_update(page, top_events_document(&live->events));
}

static void live_keys(struct top_live *live)
{
	int key;

	while (!live->quit && (key = tui_key()) >= 0) {
		if (!live->prompt.open) {
			live->message_ms = 0;
			top_act(live, tui_keys_action(key));
		} else if (tui_prompt_key(&live->prompt, key) == TUI_PROMPT_DONE) {
			top_find_answer(live);
		}
	}
}

/* Sleeps until a key, an answer or the next refresh. */
static void live_wait(struct top_live *live)
{
	struct pollfd fds[TOP_QUESTIONS + 2] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = live->record.fd, .events = POLLIN},
	};
	int64_t left = live->next_ms - top_live_now();

	for (size_t i = 0; i < TOP_QUESTIONS; i++)
		fds[i + 2] = tui_fetch_poll(&live->fetches[i]);
	if (poll(fds, ARRAY_SIZE(fds), (int)MIN(MAX(left, 0), 1000)) < 0)
		return;
	live->quit |= (fds[0].revents & (POLLHUP | POLLERR)) && !(fds[0].revents & POLLIN);
}

static void live_loop(struct top_live *live)
{
	while (!live->quit && !stopped) {
		int64_t now = top_live_now();

		if (now >= live->next_ms)
			live_refresh(live, now);
		live_events(live);
		top_draw(live);
		live_wait(live);
		now = top_live_now();
		for (size_t i = 0; i < TOP_QUESTIONS; i++)
			top_ask_step(live, (enum top_question)i, now);
		live_record(live);
		live_keys(live);
	}
}

static void signal_stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void live_signals(void)
{
	struct sigaction stop = {.sa_handler = signal_stop};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
}

static void live_init(struct top_live *live, const struct options *options)
{
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	live->options = options;
	live->depth = 1;
	live->interval_ms =
	    options->interval > 0 ? (int64_t)(options->interval * 1000) : TOP_INTERVAL_MS;
	live->record = TUI_RECORD_IDLE;
	top_model_init(&live->model, host);
	top_page_init(
	    &live->pages[0], &view_processes,
	    &(struct view_target){.options = options, .user = live->user, .tags = &live->tags});
	for (size_t i = 0; i < TOP_QUESTIONS; i++)
		live->fetches[i] = TUI_FETCH_IDLE;
}

static void live_done(struct top_live *live)
{
	for (size_t i = 0; i < TOP_QUESTIONS; i++)
		tui_fetch_done(&live->fetches[i]);
	for (size_t i = 0; i < live->depth; i++)
		top_page_done(&live->pages[i]);
	tui_record_done(&live->record);
	top_events_done(&live->events);
	top_past_done(&live->past);
	json_decref(live->newest);
}

int top_live_run(const struct options *options, const struct view_order *order)
{
	_cleanup_free_ struct top_live *live = calloc(1, sizeof(*live));
	const char *term = getenv("TERM");

	if (!live)
		return failure_say(API_INTERNAL, "out of memory");
	live_init(live, options);
	live->pages[0].order = *order;
	live_signals();
	if (tui_start(format_colored(STDOUT_FILENO, options->color)))
		return failure_say(API_USAGE,
				   "the terminal \"%s\" is not known; set TERM or use --batch",
				   term ? term : "");
	live_loop(live);
	tui_stop();
	live_done(live);
	return 0;
}
