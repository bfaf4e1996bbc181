/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/top: the host and each Python process over the last seconds: exact CPU use, and its sampled
 * split, GIL share and hottest line. */
#include "daemon/serve/doc.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/selector.h"

#define WINDOW_DEFAULT 5

/* What the window holds of one process. */
struct share {
	uint64_t by_class[3]; /* enum leaf_class */
	uint64_t gil, total;
	struct {
		const struct frame *frame;
		uint64_t weight;
	} hot;
};

struct hot_key {
	uint64_t generation;
	const struct frame *frame; /* a function's line is one frame */
};

struct top {
	struct profile *profile;
	double seconds;
	struct map *shares; /* generation → struct share */
	struct map *hot;    /* struct hot_key → weight (uint64_t) */
	uint64_t total;     /* weight of all */
};

static void top_done(struct top *top)
{
	profile_free(top->profile);
	map_free(top->shares);
	map_free(top->hot);
}

/* The innermost Python line: what it calls in C is its time. */
static const struct frame *hot_frame(const struct stack *stack)
{
	for (uint32_t i = 0; i < stack->nframes; i++)
		if (stack->frames[i]->kind == FRAME_KIND_PYTHON)
			return stack->frames[i];
	return stack->nframes ? stack->frames[0] : NULL;
}

static int entry_add(struct top *top, const struct profile_key *key, uint64_t weight)
{
	struct share *share = map_put(top->shares, &key->generation, NULL);
	struct hot_key hot = {.generation = key->generation, .frame = hot_frame(key->stack)};
	uint64_t *sum;

	if (!share)
		return -1;
	share->by_class[MIN(key->leaf, LEAF_SYSTEM)] += weight;
	share->total += weight;
	top->total += weight;
	if (key->gil == GIL_HELD)
		share->gil += weight;
	if (!hot.frame)
		return 0;
	sum = map_put(top->hot, &hot, NULL);
	if (!sum)
		return -1;
	*sum += weight;
	if (*sum > share->hot.weight) {
		share->hot.weight = *sum;
		share->hot.frame = hot.frame;
	}
	return 0;
}

static int top_gather(struct request *request, unsigned window, struct top *top)
{
	const struct server_config *config = &request->serving->config;
	const struct profile_value *value;
	const struct profile_key *key;

	if (config->hooks.drain)
		config->hooks.drain(config->hooks.data);
	top->profile = window_last(config->window, RESOURCE_BIT(RESOURCE_CPU), window,
				   loop_now_ns(), &top->seconds);
	top->shares = map_new(sizeof(uint64_t), sizeof(struct share));
	top->hot = map_new(sizeof(struct hot_key), sizeof(uint64_t));
	if (!top->profile || !top->shares || !top->hot)
		return -1;
	for (size_t at = 0; (value = profile_next(top->profile, &at, &key));)
		if (entry_add(top, key, value->weight) < 0)
			return -1;
	return 0;
}

/* Idle is exact, Python is sampled, the rest is other: their sum is 100 × cores. */
static void write_host(struct request *request, struct json *json, const struct top *top)
{
	double python = fields_percent(top->total, top->seconds), other;
	struct usage_host host;

	json_object(json, "host");
	if (usage_of_host(request->serving->usage, (uint64_t)(top->seconds * 1e9), &host) < 0)
		host = (struct usage_host){.idle_percent = NAN, .busy_percent = NAN};
	other = host.busy_percent - python;
	if (host.cores)
		json_uint(json, "cores", host.cores);
	else
		json_null(json, "cores");
	fields_real(json, "python_percent", python);
	/* Sampling may see a little more than the clock; below nothing there is nothing. */
	fields_real(json, "other_percent", other < 0 ? 0 : other);
	fields_real(json, "idle_percent", host.idle_percent);
	json_end(json);
}

static void write_hot(struct json *json, const struct share *share)
{
	if (!share->hot.frame) {
		json_null(json, "hot");
		return;
	}
	json_object(json, "hot");
	fields_place(json, share->hot.frame, share->hot.frame->line);
	fields_real(json, "percent", 100.0 * (double)share->hot.weight / (double)share->total);
	json_end(json);
}

static void write_gil(struct json *json, const struct process *process, const struct share *share,
		      double seconds)
{
	if (process->python->image.free_threaded)
		json_null(json, "gil_percent");
	else
		fields_real(json, "gil_percent", fields_percent(share->gil, seconds));
}

static void write_split(struct json *json, const struct share *share, double seconds)
{
	fields_real(json, "python_percent", fields_percent(share->by_class[LEAF_PYTHON], seconds));
	fields_real(json, "native_percent", fields_percent(share->by_class[LEAF_NATIVE], seconds));
	fields_real(json, "system_percent", fields_percent(share->by_class[LEAF_SYSTEM], seconds));
}

static void write_unsampled(struct json *json)
{
	static const char *const names[] = {"python_percent", "native_percent", "system_percent",
					    "gil_percent", "hot"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_null(json, names[i]);
}

static void write_process(struct request *request, struct json *json, struct process *process,
			  const struct top *top)
{
	static const struct share nothing;
	const struct share *share = map_get(top->shares, &process->generation);

	json_object(json, NULL);
	fields_process(json, request->serving, process, (uint64_t)(top->seconds * 1e9));
	if (process->python->image.state == PY_SUPPORTED) {
		share = share ? share : &nothing;
		write_split(json, share, top->seconds);
		write_gil(json, process, share, top->seconds);
		write_hot(json, share);
	} else {
		write_unsampled(json); /* "reason" says why */
	}
	json_end(json);
}

int doc_top(struct request *request)
{
	_cleanup_(selector_done) struct selector selector = {0};
	_cleanup_(selection_done) struct selection selection = {0};
	_cleanup_(top_done) struct top top = {0};
	struct json json;
	unsigned window;
	int r;

	if ((r = query_uint(&request->query, "window", 1, WINDOW_SECONDS, WINDOW_DEFAULT, &window,
			    &request->error)) < 0 ||
	    (r = selector_parse(&request->query, &selector, &request->error)) < 0)
		return r;
	if (top_gather(request, window, &top) < 0)
		return error_set(&request->error, API_INTERNAL, "out of memory");
	r = selector_resolve(&selector, request->serving->config.processes, request->peer,
			     SELECT_ALL, false, &selection, &request->error);
	if (r < 0)
		return r;
	usage_asked(request->serving->usage);
	request_begin(request, &json);
	json_real(&json, "window_seconds", top.seconds, 3);
	write_host(request, &json, &top);
	json_array(&json, "processes");
	for (size_t i = 0; i < selection.nprocesses; i++)
		write_process(request, &json, selection.processes[i], &top);
	json_end(&json);
	json_end(&json);
	return 0;
}
