/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Moments gone by: the list of processes as this `top` saw it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/top_live.h"
#include "cli/top_trend.h"
#include "daemon/base/cleanup.h"

void top_time_clock(int64_t wall_s, char out[16])
{
	time_t time = (time_t)wall_s;
	struct tm tm = {};

	localtime_r(&time, &tm);
	strftime(out, 16, "%H:%M:%S", &tm);
}

const struct top_moment *top_time_moment(const struct top_live *live)
{
	size_t until = live->past_ms ? top_past_until(&live->past, live->past_ms) : 0;
	const struct top_moment *moment = until ? top_past_at(&live->past, until - 1) : NULL;

	return moment && moment->at_ms == live->past_ms ? moment : NULL;
}

void top_time_show(struct top_live *live)
{
	const struct top_moment *moment = top_time_moment(live);
	struct top_page *page = &live->pages[0];
	json_t *document = moment ? top_moment_document(moment) : json_incref(live->newest);

	if (!document)
		return;
	if (page->target.trend)
		top_trend_add(document, &live->past, moment ? moment->at_ms : live->answered_ms);
	top_model_top(&live->model, document);
	top_time_clock(moment ? moment->wall_s : time(NULL), page->clock);
	top_page_update(page, document);
}

void top_time_live(struct top_live *live)
{
	if (!live->past_ms)
		return;
	live->past_ms = 0;
	live->next_ms = 0;
	top_time_show(live);
}

static void time_go(struct top_live *live, size_t number)
{
	const struct top_moment *moment = top_past_at(&live->past, number);

	if (!moment || number + 1 == live->past.count) {
		top_time_live(live);
		return;
	}
	live->past_ms = moment->at_ms;
	top_time_show(live);
}

/* Only the list of processes is kept; what is below it is asked of the daemon. */
static bool time_possible(struct top_live *live)
{
	if (live->depth == 1 && live->past.count)
		return true;
	if (live->depth > 1)
		top_live_say(live, VIEW_WARN,
			     "Only the list of processes has a past: Esc leads back to it");
	return false;
}

void top_time_step(struct top_live *live, long step)
{
	size_t until =
	    live->past_ms ? top_past_until(&live->past, live->past_ms) : live->past.count;

	if (!time_possible(live))
		return;
	if (!until) /* the moment that was shown is gone: the oldest that is kept */
		time_go(live, 0);
	else if (step > 0)
		time_go(live, until);
	else if (until < 2)
		top_live_say(live, VIEW_WARN, "This top has seen nothing before that");
	else
		time_go(live, until - 2);
}

/* "-90", "-90s", "-5m": seconds before now. False: it is no such text. */
static bool parse_ago(const char *text, int64_t now_s, int64_t *ret_wall_s)
{
	char *end;
	long long number;

	if (*text != '-')
		return false;
	number = strtoll(text + 1, &end, 10);
	if (end == text + 1 || number < 0 || number > 86400)
		return false;
	if (*end == 'm')
		number *= 60;
	if (*end == 'm' || *end == 's')
		end++;
	*ret_wall_s = now_s - number;
	return !*end;
}

/* The time of day that was last: after midnight, "23:59" was yesterday. */
static bool parse_clock(const char *text, int64_t now_s, int64_t *ret_wall_s)
{
	time_t now = (time_t)now_s;
	unsigned hour, minute, second = 0;
	struct tm tm = {};
	int size = 0;

	if (sscanf(text, "%2u:%2u%n:%2u%n", &hour, &minute, &size, &second, &size) < 2 ||
	    text[size] || hour > 23 || minute > 59 || second > 60)
		return false;
	localtime_r(&now, &tm);
	tm.tm_hour = (int)hour;
	tm.tm_min = (int)minute;
	tm.tm_sec = (int)second;
	tm.tm_isdst = -1;
	*ret_wall_s = mktime(&tm);
	if (*ret_wall_s > now_s) {
		tm.tm_mday--;
		tm.tm_isdst = -1;
		*ret_wall_s = mktime(&tm);
	}
	return true;
}

static void time_none(struct top_live *live)
{
	char from[16], to[16];

	top_time_clock(top_past_at(&live->past, 0)->wall_s, from);
	top_time_clock(top_past_at(&live->past, live->past.count - 1)->wall_s, to);
	top_live_say(live, VIEW_WARN, "This top has seen %s to %s", from, to);
}

void top_time_jump(struct top_live *live, const char *text)
{
	size_t until = 0;
	int64_t wall_s;

	if (!*text) {
		top_time_live(live);
		return;
	}
	if (!time_possible(live))
		return;
	if (!parse_ago(text, time(NULL), &wall_s) && !parse_clock(text, time(NULL), &wall_s)) {
		top_live_say(live, VIEW_WARN, "Not a time: \"%s\"; 14:02:11, 14:02, -90 or -5m is",
			     text);
		return;
	}
	while (until < live->past.count && top_past_at(&live->past, until)->wall_s <= wall_s)
		until++;
	if (until)
		time_go(live, until - 1);
	else
		time_none(live);
}
