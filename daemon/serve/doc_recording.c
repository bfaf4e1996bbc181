/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/recordings: begun, looked at and ended by three requests, so that a client can show progress
 * and stop when it likes. */
#include "daemon/serve/doc.h"

#include <limits.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/members.h"
#include "daemon/serve/record_document.h"
#include "daemon/serve/selector.h"

static void write_recording(struct request *request, struct active *active)
{
	struct process_ticks ticks;
	struct json json;

	members_ticks(active, &ticks);
	request_begin(request, &json);
	json_uint(&json, "id", active->id);
	json_bool(&json, "running", active->running);
	json_uint(&json, "hz", active->recording.hz);
	json_real(&json, "seconds", recordings_seconds(active), 3);
	json_uint(&json, "samples", ticks.samples);
	fields_events(&json, &ticks);
	json_end(&json);
}

int doc_recording_new(struct request *request)
{
	_cleanup_(selector_done) struct selector selector = {0};
	const struct query *query = &request->query;
	unsigned max = request->peer->all ? API_HZ_MAX : API_HZ_MAX_OWNER;
	struct recording_spec spec = {
	    .selector = &selector, .peer = request->peer, .connection = request->client};
	struct active *active = NULL;
	int r;

	if ((r = query_resource(query, &spec.resources, &request->error)) < 0 ||
	    (r = query_uint(query, "hz", 1, max, 0, &spec.hz, &request->error)) < 0 ||
	    (r = query_seconds(query, "seconds", 0.05, RECORDING_SECONDS_MAX, 0, &spec.seconds,
			       &request->error)) < 0 ||
	    (r = query_flag(query, "children", &spec.children, &request->error)) < 0 ||
	    (r = selector_parse(query, &selector, &request->error)) < 0 ||
	    (r = recordings_start(request->serving->recordings, &spec, &active, &request->error)) <
		0)
		return r;
	request_keep_connection(request);
	write_recording(request, active);
	return 0;
}

/* Others' recordings do not exist, as far as a caller can tell. */
static int recording_find(struct request *request, struct active **ret_active)
{
	struct active *active =
	    request->id > UINT_MAX
		? NULL
		: recordings_find(request->serving->recordings, (unsigned)request->id);

	if (!active || (request->peer->uid != 0 && active->peer.uid != request->peer->uid))
		return error_set(&request->error, API_NOT_FOUND, "%s", request->path);
	*ret_active = active;
	return 0;
}

int doc_recording_get(struct request *request)
{
	struct active *active = NULL;
	int r = recording_find(request, &active);

	if (r < 0)
		return r;
	write_recording(request, active);
	return 0;
}

int doc_recording_end(struct request *request)
{
	struct view view = {.request = request};
	int r = recording_find(request, &view.active);

	if (r < 0)
		return r;
	recordings_stop(view.active);
	view.profile = view.active->recording.profile;
	view.seconds = recordings_seconds(view.active);
	view.hz = view.active->recording.hz;
	view.resources = view.active->recording.resources;
	view.started_wall_ns = view.active->recording.started_wall_ns;
	r = record_document(&view);
	recordings_drop(view.active);
	return r;
}
