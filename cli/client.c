/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "cli/field.h"
#include "cli/http.h"

#define HEAD_MAX (64u << 10)  /* a head of ours is under 1 KiB */
#define BODY_MAX (512u << 20) /* a profile of many hosts' worth of stacks; more is a fault */
#define LINE_MAX_BYTES 1024   /* of a chunk's size */
#define READ_SIZE (64u << 10)

struct client {
	char *socket;
	int fd;
	unsigned timeout; /* seconds */
	bool used;        /* an answer came over this connection */
	bool answered;    /* a byte of the present answer came */
	struct text in;   /* bytes read and not yet taken */
	size_t at;        /* first of them */
};

struct client *client_new(const char *socket)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	*client = (struct client){.socket = strdup(socket), .fd = -1, .timeout = CLIENT_TIMEOUT};
	if (client->socket)
		return client;
	free(client);
	return NULL;
}

static void disconnect(struct client *client)
{
	close_ptr(&client->fd);
	client->fd = -1;
	client->used = false;
	client->at = client->in.size = 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	disconnect(client);
	text_done(&client->in);
	free(client->socket);
	free(client);
}

static void timeout_apply(const struct client *client)
{
	struct timeval time = {.tv_sec = client->timeout};

	if (client->fd < 0)
		return;
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

void client_set_timeout(struct client *client, unsigned seconds)
{
	client->timeout = seconds;
	timeout_apply(client);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

static int connect_now(struct client *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (client->fd >= 0)
		return 0;
	if (strlen(client->socket) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, client->socket);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	timeout_apply(client);
	do {
		r = connect(client->fd, (struct sockaddr *)&address, sizeof(address));
	} while (r < 0 && errno == EINTR);
	if (!r)
		return 0;
	r = -errno;
	disconnect(client);
	return r;
}

static int send_all(struct client *client, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(client->fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Reads something more behind what is there; 0, -ECONNRESET at the end, or -errno. */
static int fill(struct client *client)
{
	_cleanup_free_ char *bytes = malloc(READ_SIZE);
	ssize_t n;

	if (!bytes)
		return -ENOMEM;
	if (client->at == client->in.size)
		client->at = client->in.size = 0;
	do {
		n = recv(client->fd, bytes, READ_SIZE, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -ECONNRESET;
	client->answered = true;
	text_add(&client->in, bytes, (size_t)n);
	return client->in.failed ? -ENOMEM : 0;
}

static const char *unread(const struct client *client)
{
	return client->in.data ? client->in.data + client->at : "";
}

static size_t unread_size(const struct client *client)
{
	return client->in.size - client->at;
}

static int head_read(struct client *client, struct http_head *ret_head)
{
	size_t size;
	int r;

	while (!(size = http_head_size(unread(client), unread_size(client)))) {
		if (unread_size(client) > HEAD_MAX)
			return -EMSGSIZE;
		r = fill(client);
		if (r)
			return r;
	}
	r = http_head_parse(unread(client), size, ret_head);
	client->at += size;
	return r;
}

/* Moves `size` bytes to *body; body NULL drops them. */
static int take(struct client *client, uint64_t size, struct text *body)
{
	if (body && size > BODY_MAX - MIN(body->size, BODY_MAX))
		return -EMSGSIZE;
	while (size) {
		size_t part = MIN(unread_size(client), size);
		int r;

		if (body)
			text_add(body, unread(client), part);
		if (body && body->failed)
			return -ENOMEM;
		client->at += part;
		size -= part;
		if (!size)
			break;
		r = fill(client);
		if (r)
			return r;
	}
	return 0;
}

static int until_end(struct client *client, struct text *body)
{
	int r;

	do {
		r = take(client, unread_size(client), body);
	} while (!r && !(r = fill(client)));
	return r == -ECONNRESET ? 0 : r;
}

/* A line without its end: where it begins in what is unread, and its size. It counts as taken. */
static int line_read(struct client *client, const char **ret_line, size_t *ret_size)
{
	const char *end;
	int r;

	while (!(end = memmem(unread(client), unread_size(client), "\r\n", 2))) {
		if (unread_size(client) > LINE_MAX_BYTES)
			return -EMSGSIZE;
		r = fill(client);
		if (r)
			return r;
	}
	*ret_line = unread(client);
	*ret_size = (size_t)(end - *ret_line);
	client->at += *ret_size + 2;
	return 0;
}

static int chunks_read(struct client *client, struct text *body)
{
	const char *line;
	uint64_t chunk;
	size_t size;
	int r;

	for (;;) {
		r = line_read(client, &line, &size);
		if (!r)
			r = http_chunk_size(line, size, &chunk);
		if (r || !chunk)
			break;
		r = take(client, chunk, body);
		if (!r)
			r = take(client, 2, NULL);
		if (r)
			return r;
	}
	/* trailer fields, to the empty line */
	while (!r && !(r = line_read(client, &line, &size)) && size)
		;
	return r;
}

static int body_read(struct client *client, struct http_head *head, struct text *body)
{
	if (head->status == 204 || head->status == 304)
		return 0;
	if (head->chunked)
		return chunks_read(client, body);
	if (head->length >= 0)
		return take(client, (uint64_t)head->length, body);
	head->close = true;
	return until_end(client, body);
}

/* One question and its answer over one connection. */
static int ask(struct client *client, const char *request, size_t size, struct http_head *ret_head,
	       struct text *body)
{
	struct http_head head;
	int r = connect_now(client);

	if (r)
		return r;
	client->answered = false;
	r = send_all(client, request, size);
	if (r)
		return r;
	do {
		r = head_read(client, &head);
	} while (!r && head.status < 200);
	if (!r)
		r = body_read(client, &head, body);
	if (r)
		return r;
	client->used = true;
	if (head.close)
		disconnect(client);
	*ret_head = head;
	return 0;
}

static void failure_of_errno(const struct client *client, int r, struct failure *ret_failure)
{
	const char *socket = client->socket;

	if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR || r == -ENOTSOCK)
		failure_set(ret_failure, API_NO_DAEMON, "%s", socket);
	else if (r == -EACCES || r == -EPERM)
		failure_set(ret_failure, API_NO_PERMISSION, "%s", socket);
	else if (r == -ENAMETOOLONG)
		failure_set(ret_failure, API_USAGE, "the socket's path is longer than 107 bytes");
	else if (r == -EAGAIN)
		failure_set(ret_failure, API_BUSY, "pyprofd on %s did not answer in %u s", socket,
			    client->timeout);
	else if (r == -ECONNRESET || r == -EPIPE)
		failure_set(ret_failure, API_BUSY, "pyprofd on %s ended the connection", socket);
	else if (r == -EBADMSG)
		failure_set(ret_failure, API_INTERNAL, "what answers on %s is not pyprofd", socket);
	else if (r == -EMSGSIZE)
		failure_set(ret_failure, API_INTERNAL, "the answer on %s is too large", socket);
	else
		failure_set(ret_failure, API_INTERNAL, "%s: %s", socket, strerror(-r));
}

static int parse(const struct text *body, json_t **ret)
{
	/* JSON_ALLOW_NUL: a target's name may hold one. The second try is for figures over 2^63. */
	size_t flags = JSON_ALLOW_NUL;
	json_t *document;

	document = json_loadb(body->data ? body->data : "", body->size, flags, NULL);
	if (!document)
		document = json_loadb(body->data ? body->data : "", body->size,
				      flags | JSON_DECODE_INT_AS_REAL, NULL);
	if (!document)
		return -EBADMSG;
	*ret = document;
	return 0;
}

/* The daemon's error document: its own words, the exit code of the table. */
static void failure_of_answer(int status, const struct text *body, struct failure *ret_failure)
{
	_cleanup_json_ json_t *document = NULL;
	const char *code, *message, *remedy;
	json_t *error;

	if (!parse(body, &document)) {
		error = json_object_get(document, "error");
		code = field_string(error, "code");
		message = field_string(error, "message");
		remedy = field_string(error, "remedy");
		if (code && message) {
			failure_set(ret_failure, failure_by_code(code), "%s", "");
			snprintf(ret_failure->message, sizeof(ret_failure->message), "%s", message);
			if (remedy)
				snprintf(ret_failure->remedy, sizeof(ret_failure->remedy), "%s",
					 remedy);
			return;
		}
	}
	failure_set(ret_failure, API_INTERNAL, "pyprofd answered with HTTP status %d", status);
}

int client_text(struct client *client, const char *method, const char *path, struct text *ret_body,
		struct failure *ret_failure)
{
	_cleanup_(text_done) struct text request = {}, body = {};
	struct http_head head;
	bool kept = client->fd >= 0 && client->used;
	int r;

	text_printf(&request,
		    "%s %s HTTP/1.1\r\nHost: pyprofd\r\nAccept: application/json\r\n%s\r\n", method,
		    path, strcmp(method, "POST") ? "" : "Content-Length: 0\r\n");
	r = request.failed ? -ENOMEM : ask(client, request.data, request.size, &head, &body);
	if ((r == -ECONNRESET || r == -EPIPE) && kept && !client->answered) {
		disconnect(client);
		r = ask(client, request.data, request.size, &head, &body);
	}
	if (r) {
		failure_of_errno(client, r, ret_failure);
		disconnect(client);
		return r;
	}
	if (head.status >= 300) {
		failure_of_answer(head.status, &body, ret_failure);
		return -EREMOTEIO;
	}
	*ret_body = body;
	body = (struct text){};
	return 0;
}

int client_json(struct client *client, const char *method, const char *path, json_t **ret_document,
		struct failure *ret_failure)
{
	_cleanup_(text_done) struct text body = {};
	int r = client_text(client, method, path, &body, ret_failure);

	if (r)
		return r;
	r = parse(&body, ret_document);
	if (r)
		failure_of_errno(client, r, ret_failure);
	return r;
}
