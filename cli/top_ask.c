/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is asked of the daemon, and what becomes of the answers. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/top_live.h"
#include "cli/view_json.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

/* With R: all seconds since; else what was asked for on the command line. */
static unsigned ask_window(const struct top_live *live)
{
	int64_t seconds = (top_live_now() - live->reset_ms + 999) / 1000;

	return live->reset_ms ? (unsigned)MIN(MAX(seconds, 1), TOP_WINDOW_MAX)
			      : live->options->window;
}

bool top_ask_from_reset(const struct top_live *live)
{
	return live->reset_ms && top_live_now() - live->reset_ms <= TOP_WINDOW_MAX * 1000;
}

static void ask_away(struct top_live *live, const struct failure *failure)
{
	live->away = true;
	live->failure = *failure;
	top_events_away(&live->events, failure->message, time(NULL));
}

static struct top_page *ask_page(struct top_live *live, enum top_question question)
{
	return question == TOP_ASK_TOP ? &live->pages[0] : top_live_page(live);
}

/* Of several processes those that still run: one that ended would make an error of all. */
static void target_prune(const struct top_live *live, struct view_target *target)
{
	size_t kept = 0;

	for (size_t i = 0; i < target->npids; i++)
		if (view_json_process(live->newest, target->pids[i]))
			target->pids[kept++] = target->pids[i];
	target->npids = kept ? kept : MIN(target->npids, 1u);
	if (target->npids)
		target->pid = target->pids[0];
}

static void ask_path(struct top_live *live, struct top_page *page, struct text *path)
{
	struct view_target target;

	if (!page->view->single || !page->gathered)
		target_prune(live, &page->target);
	target = page->target;
	if (page->view->single && target.npids > 1)
		target.pid = target.pids[page->part];
	page->view->path(&target, path);
}

void top_ask(struct top_live *live, enum top_question question)
{
	struct top_page *page = ask_page(live, question);
	_cleanup_(text_done) struct text path = {};
	struct failure failure;

	page->target.window = ask_window(live);
	if (question == TOP_ASK_STATUS)
		text_puts(&path, API_ROUTE_STATUS);
	else
		ask_path(live, page, &path);
	page->asked = question == TOP_ASK_STATUS ? page->asked : true;
	if (path.failed || !tui_fetch_start(&live->fetches[question], live->options->socket,
					    path.data, top_live_now()))
		return;
	failure_set(&failure, API_NO_DAEMON, "%s", live->options->socket);
	ask_away(live, &failure);
}

/* An answer for one of several processes: true when all are there, in *document then. */
static bool page_gather(struct top_live *live, struct top_page *page, json_t **document)
{
	if (!page->view->single || page->target.npids < 2)
		return true;
	if (!page->gathered)
		page->gathered = TAKE_PTR(*document);
	else
		json_array_extend(json_object_get(page->gathered, "processes"),
				  json_object_get(*document, "processes"));
	json_decref(*document);
	*document = NULL;
	if (++page->part < page->target.npids) {
		top_ask(live, TOP_ASK_PAGE);
		return false;
	}
	*document = TAKE_PTR(page->gathered);
	page->part = 0;
	return true;
}

static void answer_top(struct top_live *live, json_t *document, int64_t now)
{
	int64_t wall_s = time(NULL);
	size_t size;
	const char *body = tui_fetch_body(&live->fetches[TOP_ASK_TOP], &size);

	top_past_keep(&live->past, now, wall_s, body, size, document, &live->model.self);
	top_events_top(&live->events, document, wall_s);
	json_decref(live->newest);
	live->newest = document;
	if (!live->past_ms)
		top_time_show(live);
}

static void answer_page(struct top_live *live, json_t *document)
{
	struct top_page *page = top_live_page(live);

	if (!page_gather(live, page, &document))
		return;
	top_time_clock(time(NULL), page->clock);
	top_page_update(page, document);
}

static void ask_answer(struct top_live *live, enum top_question question, json_t *document,
		       int64_t now)
{
	live->away = false;
	live->answered_ms = now;
	if (question == TOP_ASK_TOP) {
		answer_top(live, document, now);
	} else if (question == TOP_ASK_PAGE) {
		answer_page(live, document);
	} else {
		top_model_status(&live->model, document);
		top_events_status(&live->events, document, time(NULL));
		json_decref(document);
	}
}

static void ask_failure(struct top_live *live, enum top_question question,
			const struct failure *failure)
{
	struct top_page *page = ask_page(live, question);

	page->part = 0;
	json_decref(page->gathered);
	page->gathered = NULL;
	if (failure->error == API_NO_DAEMON) {
		ask_away(live, failure);
	} else if (question != TOP_ASK_STATUS) {
		page->failed = true;
		page->failure = *failure;
	}
}

void top_ask_step(struct top_live *live, enum top_question question, int64_t now)
{
	struct tui_fetch *fetch = &live->fetches[question];
	struct failure failure = {};
	json_t *document = NULL;

	if (fetch->fd < 0 || !tui_fetch_step(fetch, now))
		return;
	if (tui_fetch_take(fetch, live->options->socket, &document, &failure))
		ask_failure(live, question, &failure);
	else
		ask_answer(live, question, document, now);
}
