/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_model.h"

#include <math.h>
#include <stdio.h>

#include "cli/field.h"
#include "cli/view_json.h"

void top_model_init(struct top_model *model, const char *host)
{
	*model = (struct top_model){
	    .threads = NAN,
	    .window = NAN,
	    .cores = NAN,
	    .python = NAN,
	    .other = NAN,
	    .idle = NAN,
	    .self = {.hz = NAN, .percent = NAN, .bytes = NAN, .lost = NAN},
	};
	snprintf(model->host, sizeof(model->host), "%s", host);
}

/* Shares of one core become shares of the host. */
static void model_host(struct top_model *model, const json_t *host)
{
	double python = view_json_number(host, "python_percent");
	double other = view_json_number(host, "other_percent");
	double idle = view_json_number(host, "idle_percent");
	double whole = (python + other + idle) / 100;

	model->cores = view_json_number(host, "cores");
	model->python = whole > 0 ? python / whole : NAN;
	model->other = whole > 0 ? other / whole : NAN;
	model->idle = whole > 0 ? idle / whole : NAN;
}

void top_model_top(struct top_model *model, const json_t *document)
{
	const json_t *processes = json_object_get(document, "processes"), *process;
	size_t i;

	model->known = true;
	model->processes = json_array_size(processes);
	model->threads = 0;
	json_array_foreach((json_t *)processes, i, process) model->threads +=
	    (double)field_int_or(process, "threads", 0);
	model->window = view_json_number(document, "window_seconds");
	model_host(model, json_object_get(document, "host"));
}

static double ratio_percent(double part, double whole)
{
	return whole > 0 && part >= 0 ? 100 * part / whole : NAN;
}

static struct top_point point_read(const json_t *document)
{
	const json_t *lost = json_object_get(document, "lost");

	return (struct top_point){
	    .uptime = view_json_number(document, "uptime_seconds"),
	    .cpu = view_json_number(document, "cpu_seconds"),
	    .events = view_json_number(document, "events"),
	    .lost = json_is_object(lost) ? (double)field_sum(lost) : NAN,
	};
}

/* The oldest point that is not too old; nothing at all, the daemon's start, where there is none. */
static struct top_point model_before(struct top_model *model, const struct top_point *now)
{
	size_t keep = 0;

	for (size_t i = 0; i < model->npoints; i++)
		if (model->points[i].uptime > now->uptime - TOP_MODEL_SECONDS &&
		    model->points[i].uptime < now->uptime && model->points[i].events <= now->events)
			model->points[keep++] = model->points[i];
	model->npoints = keep;
	return keep ? model->points[0] : (struct top_point){};
}

static void model_keep(struct top_model *model, const struct top_point *now)
{
	const struct top_point *last = &model->points[model->npoints ? model->npoints - 1 : 0];

	if (model->npoints == TOP_MODEL_POINTS ||
	    (model->npoints && now->uptime - last->uptime < TOP_MODEL_SECONDS / TOP_MODEL_POINTS))
		return;
	model->points[model->npoints++] = *now;
}

void top_model_status(struct top_model *model, const json_t *document)
{
	struct top_point now = point_read(document), before = model_before(model, &now);

	model->self = (struct top_self){
	    .known = true,
	    .hz = view_json_number(document, "hz"),
	    .bytes = view_json_number(document, "private_bytes"),
	    .percent = ratio_percent(now.cpu - before.cpu, now.uptime - before.uptime),
	    .lost = ratio_percent(now.lost - before.lost, now.events - before.events),
	};
	model_keep(model, &now);
}
