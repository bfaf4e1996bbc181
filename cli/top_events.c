/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_events.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/field.h"
#include "cli/format.h"
#include "cli/process_list.h"
#include "cli/process_name.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

#define NS_PER_S 1000000000ll
#define FRESH_S 2 /* start times are rounded to ticks of a clock that is not ours */
#define RISE_S 10 /* losses that rise again within this are one event */

static struct top_event *event_at(struct top_events *events, size_t number)
{
	return &events->events[number % TOP_EVENTS_MAX];
}

static void event_tell(struct top_events *events, int64_t wall_s, const char *kind,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

static void event_tell(struct top_events *events, int64_t wall_s, const char *kind,
		       const char *format, ...)
{
	struct top_event *event = event_at(events, events->told++);
	va_list args;

	*event = (struct top_event){.wall_s = wall_s, .kind = kind};
	va_start(args, format);
	vsnprintf(event->what, sizeof(event->what), format, args);
	va_end(args);
	events->changes++;
}

static void clock_print(int64_t wall_s, char out[16])
{
	time_t time = (time_t)wall_s;
	struct tm tm = {};

	localtime_r(&time, &tm);
	strftime(out, 16, "%H:%M:%S", &tm);
}

static void process_began(struct top_events *events, const json_t *process, int64_t wall_s)
{
	int64_t pid = field_int_or(process, "pid", 0);
	int64_t start_s = field_int_or(process, "start_time_ns", 0) / NS_PER_S;
	const char *reason = field_string(process, "reason");
	_cleanup_(text_done) struct text command = {};
	char name[64], clock[16];

	process_name(process, name, sizeof(name));
	process_list_command(&command, process);
	if (json_is_false(json_object_get(process, "supported")))
		event_tell(events, wall_s, "found", "%" PRId64 " %s: %s", pid, name,
			   reason ? reason : "not supported");
	else if (start_s && start_s + FRESH_S < events->before_s) {
		clock_print(start_s, clock);
		event_tell(events, wall_s, "found", "%" PRId64 " %s, which runs since %s: %s", pid,
			   name, clock, command.data ? command.data : "");
	} else {
		event_tell(events, wall_s, "began", "%" PRId64 " %s: %s", pid, name,
			   command.data ? command.data : "");
	}
}

static void process_ended(struct top_events *events, const json_t *process, int64_t wall_s)
{
	int64_t start = field_int_or(process, "start_time_ns", 0);
	char name[64], age[FORMAT_SIZE];

	process_name(process, name, sizeof(name));
	format_age(age, (double)MAX(wall_s - start / NS_PER_S, 0));
	event_tell(events, wall_s, "ended", "%" PRId64 " %s%s%s", field_int_or(process, "pid", 0),
		   name, start ? " after " : "", start ? age : "");
}

static int roll_compare(const void *pa, const void *pb)
{
	const json_t *a = *(json_t *const *)pa, *b = *(json_t *const *)pb;
	int64_t x = field_int_or(a, "pid", 0), y = field_int_or(b, "pid", 0);

	if (x == y) {
		x = field_int_or(a, "start_time_ns", 0);
		y = field_int_or(b, "start_time_ns", 0);
	}
	return (x > y) - (x < y);
}

/* The processes of a document by pid; an array of borrowed references, or NULL. */
static json_t **roll_read(const json_t *document, size_t *ret_count)
{
	json_t *processes = json_object_get(document, "processes"), *process;
	json_t **roll = calloc(json_array_size(processes) + 1, sizeof(json_t *));
	size_t i;

	*ret_count = 0;
	if (!roll)
		return NULL;
	json_array_foreach(processes, i, process) roll[(*ret_count)++] = process;
	qsort(roll, *ret_count, sizeof(json_t *), roll_compare);
	return roll;
}

static void roll_compare_all(struct top_events *events, const json_t *now, int64_t wall_s)
{
	size_t nold, nnew, i = 0, k = 0;
	_cleanup_free_ json_t **old = roll_read(events->before, &nold);
	_cleanup_free_ json_t **new = roll_read(now, &nnew);

	if (!old || !new)
		return;
	while (i < nold || k < nnew) {
		int order = i == nold ? 1 : k == nnew ? -1 : roll_compare(&old[i], &new[k]);

		if (order < 0)
			process_ended(events, old[i], wall_s);
		else if (order > 0)
			process_began(events, new[k], wall_s);
		i += order <= 0;
		k += order >= 0;
	}
}

static void events_forget(struct top_events *events)
{
	json_decref(events->before);
	events->before = NULL;
}

static void events_back(struct top_events *events, int64_t wall_s)
{
	char age[FORMAT_SIZE];

	if (!events->away_s)
		return;
	format_age(age, (double)MAX(wall_s - events->away_s, 0));
	event_tell(events, wall_s, "pyprofd", "answers again, after %s", age);
	events->away_s = 0;
}

void top_events_top(struct top_events *events, json_t *document, int64_t wall_s)
{
	events_back(events, wall_s);
	if (events->before)
		roll_compare_all(events, document, wall_s);
	events_forget(events);
	events->before = json_incref(document);
	events->before_s = wall_s;
}

static struct top_lost *lost_find(struct top_events *events, const char *reason)
{
	for (size_t i = 0; i < events->nlost; i++)
		if (strcmp(events->lost[i].reason, reason) == 0)
			return &events->lost[i];
	return NULL;
}

/* A reason that rises all the time is one event, which moves to the top. */
static void lost_rise(struct top_events *events, struct top_lost *lost, int64_t more,
		      int64_t wall_s)
{
	bool goes_on = lost->rise && wall_s - lost->last_s <= RISE_S &&
		       lost->event + TOP_EVENTS_MAX > events->told;
	char since[16], count[FORMAT_SIZE];

	lost->rise = goes_on ? lost->rise + more : more;
	lost->since_s = goes_on ? lost->since_s : wall_s;
	lost->last_s = wall_s;
	clock_print(lost->since_s, since);
	format_count(count, (uint64_t)lost->rise);
	if (goes_on) {
		struct top_event *event = event_at(events, lost->event);

		event->wall_s = wall_s;
		snprintf(event->what, sizeof(event->what), "%s: %s events since %s", lost->reason,
			 count, since);
		events->changes++;
		return;
	}
	lost->event = events->told;
	event_tell(events, wall_s, "lost", "%s: %s event%s", lost->reason, count,
		   lost->rise == 1 ? "" : "s");
}

static void lost_count(struct top_events *events, const char *reason, int64_t count, bool news,
		       int64_t wall_s)
{
	struct top_lost *lost = lost_find(events, reason);

	if (!lost && events->nlost < TOP_EVENTS_LOST_MAX) {
		lost = &events->lost[events->nlost++];
		*lost = (struct top_lost){};
		snprintf(lost->reason, sizeof(lost->reason), "%s", reason);
	}
	if (!lost)
		return;
	if (news && count > lost->count)
		lost_rise(events, lost, count - lost->count, wall_s);
	lost->count = count;
}

/* A daemon that is younger than it was is another one: nothing compares. */
static bool status_restarted(struct top_events *events, double uptime, int64_t wall_s)
{
	bool restarted = isless(uptime, events->uptime);

	if (restarted) {
		event_tell(events, wall_s, "pyprofd", "was started anew");
		events_forget(events);
		events->nlost = 0;
	}
	return restarted;
}

void top_events_status(struct top_events *events, const json_t *document, int64_t wall_s)
{
	double uptime = view_json_number(document, "uptime_seconds");
	bool news = events->uptime > 0 && !status_restarted(events, uptime, wall_s);
	const json_t *lost = json_object_get(document, "lost");
	const char *reason;
	json_t *count;

	events_back(events, wall_s);
	json_object_foreach((json_t *)lost, reason, count) if (json_is_integer(count))
	    lost_count(events, reason, json_integer_value(count), news, wall_s);
	events->uptime = isfinite(uptime) ? uptime : 0;
}

void top_events_away(struct top_events *events, const char *why, int64_t wall_s)
{
	if (events->away_s)
		return;
	events->away_s = wall_s;
	events_forget(events);
	event_tell(events, wall_s, "pyprofd", "%s", why);
}

static void event_add(json_t *array, const struct top_event *event, size_t number)
{
	char clock[16];

	clock_print(event->wall_s, clock);
	/* nocheck: the end of a text that was cut may be half a character */
	json_array_append_new(array, json_pack("{s:I,s:s,s:s,s:o}", "number", (json_int_t)number,
					       "time", clock, "kind", event->kind, "what",
					       json_string_nocheck(event->what)));
}

static int event_compare(const void *pa, const void *pb, void *arg)
{
	struct top_events *events = arg;
	size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
	int64_t x = event_at(events, a)->wall_s, y = event_at(events, b)->wall_s;
	int order = (x < y) - (x > y);

	return order ? order : (a < b) - (a > b);
}

json_t *top_events_document(const struct top_events *events)
{
	size_t first = events->told > TOP_EVENTS_MAX ? events->told - TOP_EVENTS_MAX : 0;
	size_t numbers[TOP_EVENTS_MAX], count = 0;
	json_t *array = json_array();

	for (size_t i = first; i < events->told; i++)
		numbers[count++] = i;
	qsort_r(numbers, count, sizeof(*numbers), event_compare, (void *)events);
	for (size_t i = 0; i < count; i++)
		event_add(array, &events->events[numbers[i] % TOP_EVENTS_MAX], numbers[i]);
	return array;
}

void top_events_done(struct top_events *events)
{
	events_forget(events);
}
