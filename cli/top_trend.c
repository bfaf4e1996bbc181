/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_trend.h"

#include <math.h>
#include <stdlib.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

#define WINDOW_MIN_MS 1000

/* The moment that is nearest; NULL: none is as near as half a window. */
static const struct top_moment *trend_moment(const struct top_past *past, int64_t at_ms,
					     int64_t window_ms)
{
	size_t until = top_past_until(past, at_ms);
	const struct top_moment *before = until ? top_past_at(past, until - 1) : NULL;
	const struct top_moment *after = top_past_at(past, until), *nearest = before;

	if (!before || (after && after->at_ms - at_ms < at_ms - before->at_ms))
		nearest = after;
	return nearest && llabs(nearest->at_ms - at_ms) <= window_ms / 2 ? nearest : NULL;
}

static void trend_process(json_t *process, const struct top_moment *const *moments)
{
	int64_t pid = field_int_or(process, "pid", 0);
	int64_t start = field_int_or(process, "start_time_ns", 0);
	json_t *trend = json_array();

	for (size_t i = 0; i < TOP_TREND_WINDOWS; i++) {
		double cpu = moments[i] ? top_moment_cpu(moments[i], pid, start) : NAN;

		json_array_append_new(trend, isfinite(cpu) ? json_real(cpu) : json_null());
	}
	json_object_set_new(process, "trend", trend);
}

void top_trend_add(json_t *document, const struct top_past *past, int64_t at_ms)
{
	const struct top_moment *moments[TOP_TREND_WINDOWS];
	double seconds = view_json_number(document, "window_seconds");
	int64_t window_ms = isfinite(seconds) ? (int64_t)(fmin(seconds, 3600) * 1000) : 0;
	json_t *processes = json_object_get(document, "processes"), *process;
	size_t i;

	window_ms = MAX(window_ms, WINDOW_MIN_MS);
	for (i = 0; i < TOP_TREND_WINDOWS; i++)
		moments[i] = trend_moment(past, at_ms - (int64_t)(i + 1) * window_ms, window_ms);
	json_array_foreach(processes, i, process) trend_process(process, moments);
}
