/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One request on its way: server → route → document. A handler returns 0 with the document in
 * `body`, -EPROTO with `error` set, or REQUEST_WAITS after it has arranged for request_wake().
 */
#ifndef PYPROF_DAEMON_SERVE_REQUEST_H
#define PYPROF_DAEMON_SERVE_REQUEST_H

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/serve/error.h"
#include "daemon/serve/peer.h"
#include "daemon/serve/query.h"
#include "daemon/serve/recordings.h"
#include "daemon/serve/server.h"
#include "daemon/serve/usage.h"

#define REQUEST_WAITS 1

struct MHD_Connection;

/* What handlers may use of the server. */
struct serving {
	struct server_config config;
	struct recordings *recordings;
	struct usage *usage;
	uint64_t started_ns; /* loop_now_ns() */
};

struct request {
	struct serving *serving;
	struct MHD_Connection *connection;
	const struct peer *peer;
	const void *client; /* stands for the connection, over several requests */
	char *method, *path;
	unsigned long id; /* number in the path: a pid or a recording */
	struct query query;
	struct text body;
	struct error error;
	/* While it waits: what goes on at request_wake(), and what is freed with the request. */
	int (*resume)(struct request *request);
	void *work;
	void (*work_free)(void *work);
	/* The server's */
	enum { REQUEST_NEW, REQUEST_WAITING, REQUEST_READY } state;
	int result;
	size_t uploaded;
	struct loop_source *hangup;
	struct request *next_waiting;
};

/* From the event loop, once per REQUEST_WAITS: calls resume(), and answers unless it waits again.
 * `data` is the request, so that this is a callback. */
void request_wake(void *data);
/* The connection outlives pauses between its requests: it holds a recording. */
void request_keep_connection(struct request *request);
/* Starts the document: {"schema":…; the handler ends it with json_end(). */
void request_begin(struct request *request, struct json *json);
/* The same, elsewhere: for a body that is handed over when it is ready. */
void request_begin_body(struct text *body, struct json *json);

#endif
