/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libmicrohttpd inside the event loop: its epoll descriptor is one of ours, so there is no second
 * thread. Requests that wait are suspended there; a client that hangs up meanwhile is noticed here,
 * as libmicrohttpd does not look at suspended connections.
 *
 * Answers are built whole in memory before they are sent: a document is one moment's.
 */
#include "daemon/serve/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/log.h"
#include "daemon/serve/listen.h"
#include "daemon/serve/request.h"
#include "daemon/serve/route.h"

#define CONNECTIONS_MAX 64u
#define IDLE_SECONDS 10u
#define MEMORY_MAX 16384u /* of a connection: its request line and headers must fit */
#define UPLOAD_MAX 65536u /* bodies are read and ignored */
#define RUNS_MAX 16
#define NS_PER_S 1000000000ull

/* One connection; the address stands for it. */
struct client {
	struct peer peer;
};

struct server {
	struct serving serving; /* first: handlers see this part */
	char *socket;
	int listen, lock;
	struct MHD_Daemon *http;
	struct loop_source *watch;
	struct loop_source *timer; /* while there are connections */
	struct loop_source *soon;  /* a run that is due in the loop's next turn */
	unsigned connections;
	struct request *waiting;
	bool stopping;
};

static struct server *server_of(struct request *request)
{
	return (struct server *)request->serving;
}

/* Lets libmicrohttpd work until it has nothing to do at once. At the limit of connections it looks
 * at the listening socket again only in the run after one has gone. */
static void server_run(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout;
	unsigned runs = 0, before;

	do {
		before = server->connections;
		MHD_run(server->http);
	} while (++runs < RUNS_MAX &&
		 (server->connections < before ||
		  (MHD_get_timeout(server->http, &timeout) == MHD_YES && timeout == 0)));
}

static void server_readable(void *data, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	server_run(data);
}

/* Idle connections are closed by the clock, not by an event. */
static void server_turn(void *data, uint64_t expirations)
{
	(void)expirations;
	server_run(data);
}

/* Requests */

static void waiting_add(struct request *request)
{
	struct server *server = server_of(request);

	request->next_waiting = server->waiting;
	server->waiting = request;
}

static void waiting_remove(struct request *request)
{
	struct request **at = &server_of(request)->waiting;

	while (*at && *at != request)
		at = &(*at)->next_waiting;
	if (*at)
		*at = request->next_waiting;
}

static void request_free(struct request *request)
{
	if (!request)
		return;
	waiting_remove(request);
	loop_remove(request->serving->config.loop, request->hangup);
	if (request->work_free)
		request->work_free(request->work);
	free(request->method);
	free(request->path);
	text_done(&request->body);
	free(request);
}

void request_begin_body(struct text *body, struct json *json)
{
	json_init(json, body);
	json_object(json, NULL);
	json_string(json, "schema", API_SCHEMA);
}

void request_begin(struct request *request, struct json *json)
{
	request_begin_body(&request->body, json);
}

void request_keep_connection(struct request *request)
{
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
}

static void server_soon_turn(void *data, uint64_t expirations)
{
	struct server *server = data;

	(void)expirations;
	loop_remove(server->serving.config.loop, server->soon);
	server->soon = NULL;
	server_run(server);
}

/* libmicrohttpd tells nobody that it was resumed. Without memory for this the timer does it. */
static void server_soon(struct server *server)
{
	if (!server->soon)
		server->soon =
		    loop_add_timer(server->serving.config.loop, 1, 0, server_soon_turn, server);
}

/* The answer is ready. It is sent in the loop's next turn, never inside the caller. */
static void request_ready(struct request *request, int result)
{
	request->state = REQUEST_READY;
	request->result = result;
	loop_remove(request->serving->config.loop, request->hangup);
	request->hangup = NULL;
	waiting_remove(request);
	MHD_resume_connection(request->connection);
	server_soon(server_of(request));
}

void request_wake(void *data)
{
	struct request *request = data;
	int r = request->resume(request);

	if (r != REQUEST_WAITS)
		request_ready(request, r);
}

/* Nobody will read the answer: end what it waits for. */
static void request_hangup(void *data, int fd, uint32_t events)
{
	struct request *request = data;

	(void)fd;
	(void)events;
	if (request->work_free)
		request->work_free(TAKE_PTR(request->work));
	request->work_free = NULL;
	request_ready(request, error_set(&request->error, API_INTERNAL, "the client has hung up"));
}

static void request_suspend(struct request *request)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	request->state = REQUEST_WAITING;
	waiting_add(request);
	MHD_suspend_connection(request->connection);
	/* No events asked for: only hang-up and error, which always come. */
	if (info)
		request->hangup = loop_add_fd(request->serving->config.loop, info->connect_fd, 0,
					      request_hangup, request);
}

static enum MHD_Result request_answer(struct request *request)
{
	struct MHD_Response *response;
	enum MHD_Result r;
	unsigned status = MHD_HTTP_OK;

	if (request->result == 0 && request->body.failed)
		request->result = error_set(&request->error, API_INTERNAL, "out of memory");
	if (request->result < 0) {
		text_done(&request->body);
		error_write(&request->error, &request->body);
		status = error_http(&request->error);
	}
	text_putc(&request->body, '\n');
	if (request->body.failed)
		return MHD_NO;
	response = MHD_create_response_from_buffer(request->body.size, request->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	request->body = (struct text){0};
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	r = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result argument_take(void *data, enum MHD_ValueKind kind, const char *key,
				     const char *value)
{
	(void)kind;
	query_add(data, key, value);
	return MHD_YES;
}

static const struct client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct request *request_new(struct server *server, struct MHD_Connection *connection,
				   const char *path, const char *method)
{
	const struct client *client = client_of(connection);
	struct request *request = client ? calloc(1, sizeof(*request)) : NULL;

	if (!request)
		return NULL;
	request->serving = &server->serving;
	request->connection = connection;
	request->client = client;
	request->peer = &client->peer;
	request->method = strdup(method);
	request->path = strdup(path);
	if (!request->method || !request->path) {
		request_free(request);
		return NULL;
	}
	return request;
}

static enum MHD_Result request_first(struct request *request)
{
	int r;

	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, argument_take,
				  &request->query);
	r = server_of(request)->stopping ? error_set(&request->error, API_BUSY, "pyprofd is ending")
					 : route_call(request);
	if (r == REQUEST_WAITS) {
		request_suspend(request);
		return MHD_YES;
	}
	request->state = REQUEST_READY;
	request->result = r;
	return request_answer(request);
}

/* libmicrohttpd calls this for the headers, for each piece of body, at the end, and after a
 * suspension. */
static enum MHD_Result server_handle(void *data, struct MHD_Connection *connection,
				     const char *path, const char *method, const char *version,
				     const char *upload, size_t *upload_size, void **ret_request)
{
	struct request *request = *ret_request;

	(void)version;
	(void)upload;
	if (!request) {
		*ret_request = request_new(data, connection, path, method);
		return *ret_request ? MHD_YES : MHD_NO;
	}
	if (*upload_size) {
		request->uploaded += *upload_size;
		*upload_size = 0;
		return request->uploaded > UPLOAD_MAX ? MHD_NO : MHD_YES;
	}
	switch (request->state) {
	case REQUEST_NEW:
		return request_first(request);
	case REQUEST_WAITING:
		return MHD_YES;
	default:
		return request_answer(request);
	}
}

static void server_completed(void *data, struct MHD_Connection *connection, void **ret_request,
			     enum MHD_RequestTerminationCode code)
{
	(void)data;
	(void)connection;
	(void)code;
	request_free(*ret_request);
	*ret_request = NULL;
}

/* Connections */

static void client_begin(struct server *server, struct MHD_Connection *connection,
			 void **ret_client)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	_cleanup_free_ struct client *client = calloc(1, sizeof(*client));

	/* Without a client every request of the connection is refused. */
	if (info && client && peer_of_socket(info->connect_fd, &client->peer) == 0)
		*ret_client = TAKE_PTR(client);
	if (server->connections++ == 0)
		server->timer = loop_add_timer(server->serving.config.loop, NS_PER_S, NS_PER_S,
					       server_turn, server);
}

static void client_end(struct server *server, void **ret_client)
{
	if (*ret_client)
		recordings_drop_connection(server->serving.recordings, *ret_client);
	free(*ret_client);
	*ret_client = NULL;
	if (--server->connections == 0) {
		loop_remove(server->serving.config.loop, server->timer);
		server->timer = NULL;
	}
}

static void server_connection(void *data, struct MHD_Connection *connection, void **ret_client,
			      enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		client_begin(data, connection, ret_client);
	else
		client_end(data, ret_client);
}

static void server_log(void *data, const char *format, va_list args)
{
	(void)data;
	log_vline(LOG_DEBUG, format, args);
}

/* Start and stop */

static int http_start(struct server *server)
{
	const union MHD_DaemonInfo *info;

	server->http = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
	    server_handle, server, MHD_OPTION_EXTERNAL_LOGGER, server_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, server->listen, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)MEMORY_MAX, MHD_OPTION_NOTIFY_COMPLETED, server_completed, server,
	    MHD_OPTION_NOTIFY_CONNECTION, server_connection, server, MHD_OPTION_END);
	if (!server->http)
		return -EIO;
	info = MHD_get_daemon_info(server->http, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EIO;
	server->watch = loop_add_fd(server->serving.config.loop, info->epoll_fd, EPOLLIN,
				    server_readable, server);
	return server->watch ? 0 : -errno;
}

static int parts_start(struct server *server)
{
	const struct server_config *config = &server->serving.config;

	server->serving.started_ns = loop_now_ns();
	server->serving.recordings = recordings_new(config);
	server->serving.usage = usage_new(config->loop, config->processes);
	server->socket = strdup(config->socket);
	if (!server->serving.recordings || !server->serving.usage || !server->socket)
		return -ENOMEM;
	return listen_open(config->socket, &server->listen, &server->lock);
}

int server_start(const struct server_config *config, struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->serving.config = *config;
	server->listen = server->lock = -1;
	r = parts_start(server);
	if (r == 0)
		r = http_start(server);
	if (r < 0) {
		server_stop(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

/* libmicrohttpd must not be stopped with suspended connections; what is left is answered first. */
static void http_stop(struct server *server)
{
	server->stopping = true;
	while (server->waiting) {
		struct request *request = server->waiting;

		if (request->work_free)
			request->work_free(TAKE_PTR(request->work));
		request->work_free = NULL;
		request_ready(request, error_set(&request->error, API_BUSY, "pyprofd is ending"));
	}
	server_run(server);
	loop_remove(server->serving.config.loop, server->watch);
	/* It closes the listening socket; the file and its lock are ours. */
	MHD_stop_daemon(server->http);
	server->http = NULL;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	if (server->listen >= 0)
		listen_close(server->socket, server->http ? -1 : server->listen, server->lock);
	if (server->http)
		http_stop(server);
	loop_remove(server->serving.config.loop, server->soon);
	loop_remove(server->serving.config.loop, server->timer);
	recordings_free(server->serving.recordings);
	usage_free(server->serving.usage);
	free(server->socket);
	free(server);
}

void server_sample(struct server *server, struct process *process, uint8_t source,
		   const struct profile_key *key, uint64_t weight, bool stale)
{
	recordings_sample(server->serving.recordings, process, source, key, weight, stale);
}

void server_process_started(struct server *server, struct process *process)
{
	recordings_process_started(server->serving.recordings, process);
}

void server_process_ended(struct server *server, struct process *process)
{
	recordings_process_ended(server->serving.recordings, process);
}
