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
	    .hz = NAN,
	    .self_percent = NAN,
	    .self_bytes = NAN,
	    .lost_percent = NAN,
	    .before_time = NAN,
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

void top_model_status(struct top_model *model, const json_t *document, double now_seconds)
{
	const json_t *lost_reasons = json_object_get(document, "lost");
	double cpu = view_json_number(document, "cpu_seconds");
	double uptime = view_json_number(document, "uptime_seconds");
	double events = view_json_number(document, "events");
	double lost = json_is_object(lost_reasons) ? (double)field_sum(lost_reasons) : NAN;
	bool again = model->before_time < now_seconds && uptime >= model->before_uptime &&
		     cpu >= model->before_cpu && events >= model->before_events;

	model->status_known = true;
	model->hz = view_json_number(document, "hz");
	model->self_bytes = view_json_number(document, "private_bytes");
	model->self_percent =
	    again ? ratio_percent(cpu - model->before_cpu, now_seconds - model->before_time)
		  : ratio_percent(cpu, uptime);
	model->lost_percent =
	    again ? ratio_percent(lost - model->before_lost, events - model->before_events)
		  : ratio_percent(lost, events);
	model->before_time = now_seconds;
	model->before_cpu = cpu;
	model->before_events = events;
	model->before_lost = lost;
	model->before_uptime = uptime;
}
