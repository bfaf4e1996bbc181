/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Query → profile + processes, over a past or a coming stretch of time. */
#include "daemon/serve/view.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/members.h"

static void view_free(void *data)
{
	struct view *view = data;

	if (!view)
		return;
	if (view->more_free)
		view->more_free(view->more);
	if (view->active)
		recordings_drop(view->active);
	profile_free(view->window);
	selector_done(&view->selector);
	free(view);
}

static int view_resume(struct request *request)
{
	struct view *view = request->work;

	return view->write(view);
}

/* The recording has ended by itself; what it gathered is the view. */
static int view_recorded(struct request *request)
{
	struct view *view = request->work;

	view->profile = view->active->recording.profile;
	view->seconds = recordings_seconds(view->active);
	request->resume = view_resume;
	return view->write(view);
}

static int seconds_begin(struct view *view, double seconds)
{
	struct request *request = view->request;
	struct recording_spec spec = {.selector = &view->selector,
				      .resources = view->resources,
				      .peer = request->peer,
				      .seconds = seconds,
				      .connection = request->client,
				      .done = request_wake,
				      .data = request};
	unsigned max = request->peer->all ? API_HZ_MAX : API_HZ_MAX_OWNER;
	int r;

	if ((r = query_flag(&request->query, "children", &spec.children, &request->error)) < 0 ||
	    (r = query_uint(&request->query, "hz", 1, max, 0, &spec.hz, &request->error)) < 0 ||
	    (r = recordings_start(request->serving->recordings, &spec, &view->active,
				  &request->error)) < 0)
		return r;
	/* A view ends with its request, which ends with the connection. */
	view->active->connection = NULL;
	view->hz = view->active->recording.hz;
	view->started_wall_ns = view->active->recording.started_wall_ns;
	request->resume = view_recorded;
	return REQUEST_WAITS;
}

static int window_begin(struct view *view, unsigned seconds)
{
	const struct server_config *config = &view->request->serving->config;
	_cleanup_(selection_done) struct selection selection = {0};
	int r;

	if (view->resources != RESOURCE_BIT(RESOURCE_CPU))
		return error_set(&view->request->error, API_USAGE,
				 "only cpu is counted all the time: ask with seconds=");
	if (config->hooks.drain)
		config->hooks.drain(config->hooks.data);
	r = selector_resolve(&view->selector, config->processes, view->request->peer, SELECT_ONLY,
			     true, &selection, &view->request->error);
	if (r < 0)
		return r;
	if (selection.nprocesses == 1 &&
	    selection.processes[0]->python->image.state == PY_UNSUPPORTED)
		return error_set(&view->request->error, API_UNSUPPORTED, "process %d: %s",
				 (int)selection.processes[0]->pid,
				 selection.processes[0]->python->image.reason);
	view->window =
	    window_last(config->window, view->resources, seconds, loop_now_ns(), &view->seconds);
	if (!view->window)
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	view->profile = view->window;
	view->hz = config->hz;
	view->started_wall_ns = loop_wall_ns() - (uint64_t)(view->seconds * 1e9);
	return view->write(view);
}

static int view_begin(struct view *view, unsigned window_default)
{
	struct request *request = view->request;
	const struct query *query = &request->query;
	bool forward = query_text(query, "seconds") || !window_default;
	double seconds;
	unsigned window;
	int r;

	if (query_text(query, "seconds") && query_text(query, "window"))
		return error_set(&request->error, API_USAGE,
				 "window and seconds exclude each other");
	if ((r = selector_parse(query, &view->selector, &request->error)) < 0 ||
	    (r = query_seconds(query, "seconds", 0.05, RECORDING_SECONDS_MAX, 0, &seconds,
			       &request->error)) < 0 ||
	    (r = query_uint(query, "window", 1, WINDOW_SECONDS, window_default, &window,
			    &request->error)) < 0)
		return r;
	if (query_text(query, "window"))
		forward = false;
	if (forward && seconds == 0)
		return error_set(&request->error, API_USAGE, "seconds or window is needed");
	return forward ? seconds_begin(view, seconds) : window_begin(view, window);
}

int view_open(struct request *request, unsigned window_default, uint32_t resources,
	      int (*write)(struct view *view))
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return error_set(&request->error, API_INTERNAL, "out of memory");
	view->request = request;
	view->write = write;
	view->resources = resources;
	request->work = view;
	request->work_free = view_free;
	request->resume = view_resume;
	return view_begin(view, window_default);
}

int view_again(struct view *view, int (*write)(struct view *view))
{
	view->write = write;
	view->request->resume = view_resume;
	return REQUEST_WAITS;
}

/* generation → 1, of everything in the profile. */
static struct map *profile_generations(const struct profile *profile)
{
	struct map *seen = map_new(sizeof(uint64_t), 1);
	const struct profile_key *key;

	for (size_t at = 0; seen && profile_next(profile, &at, &key);)
		map_put(seen, &key->generation, NULL);
	return seen;
}

static bool view_lists(const struct view *view, const struct process *process,
		       const struct map *seen)
{
	bool sampled = map_get(seen, &process->generation) != NULL;

	if (view->active) {
		if (process->ended_time_ns)
			return sampled;
		return sampled || members_has(view->active, process);
	}
	if (process->ended_time_ns && !sampled)
		return false;
	return selector_matches(&view->selector, process) &&
	       peer_may_see(view->request->peer, process);
}

/* Without a selector it was the only living one that was meant. */
static bool view_wants_only(const struct view *view)
{
	return !view->active && selector_empty(&view->selector);
}

static int process_order(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1)
				: (x->generation < y->generation ? -1 : 1);
}

int view_processes(struct view *view, struct selection *ret_selection)
{
	struct processes *processes = view->request->serving->config.processes;
	_cleanup_(selection_done) struct selection selection = {0};
	struct map *seen = profile_generations(view->profile);
	struct process *process;

	selection.processes = calloc(processes_count(processes) + 1, sizeof(process));
	if (!seen || !selection.processes) {
		map_free(seen);
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	}
	for (size_t at = 0; (process = processes_next(processes, &at));) {
		if (view_wants_only(view) && process->ended_time_ns)
			continue;
		if (view_lists(view, process, seen))
			selection.processes[selection.nprocesses++] = process;
	}
	map_free(seen);
	qsort(selection.processes, selection.nprocesses, sizeof(process), process_order);
	*ret_selection = selection;
	selection = (struct selection){0};
	return 0;
}

double view_percent(const struct view *view, uint64_t weight_ns)
{
	return fields_percent(weight_ns, view->seconds);
}
