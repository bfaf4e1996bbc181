/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/tui_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/field.h"
#include "cli/http.h"
#include "daemon/base/cleanup.h"

#define FETCH_TIMEOUT_MS 10000      /* a dump of 1,000 threads takes about a second */
#define FETCH_ANSWER_MAX (32 << 20) /* 1,000 processes take 1 MiB */

static void fetch_close(struct tui_fetch *fetch)
{
	if (fetch->fd >= 0)
		close(fetch->fd);
	fetch->fd = -1;
}

static int fetch_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int tui_fetch_start(struct tui_fetch *fetch, const char *socket, const char *path, int64_t now_ms)
{
	tui_fetch_done(fetch);
	/* HTTP/1.0: the server closes behind the answer and uses no chunks. */
	text_printf(&fetch->request, "GET %s HTTP/1.0\r\nHost: pyprof\r\n\r\n", path);
	if (fetch->request.failed)
		return -ENOMEM;
	fetch->deadline_ms = now_ms + FETCH_TIMEOUT_MS;
	fetch->fd = fetch_connect(socket);
	if (fetch->fd < 0) {
		int error = fetch->fd;

		fetch->fd = -1;
		return error;
	}
	return 0;
}

struct pollfd tui_fetch_poll(const struct tui_fetch *fetch)
{
	return (struct pollfd){
	    .fd = fetch->fd,
	    .events = fetch->sent < fetch->request.size ? POLLOUT : POLLIN,
	};
}

/* True when the connection is of no more use. */
static bool fetch_send(struct tui_fetch *fetch)
{
	while (fetch->sent < fetch->request.size) {
		ssize_t n = send(fetch->fd, fetch->request.data + fetch->sent,
				 fetch->request.size - fetch->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno != EAGAIN && errno != EINTR;
		fetch->sent += (size_t)n;
	}
	return false;
}

static bool fetch_receive(struct tui_fetch *fetch)
{
	char bytes[16384];

	for (;;) {
		ssize_t n = recv(fetch->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0)
			return true;
		text_add(&fetch->answer, bytes, (size_t)n);
		if (fetch->answer.failed || fetch->answer.size > FETCH_ANSWER_MAX)
			return true;
	}
}

/* Where the body begins; 0 while the head is not whole or is none. */
static size_t answer_head(const struct text *answer, struct http_head *ret_head)
{
	size_t size = answer->size ? http_head_size(answer->data, answer->size) : 0;

	return size && !http_head_parse(answer->data, size, ret_head) ? size : 0;
}

/* A server that keeps the connection open says how long the body is. */
static bool answer_whole(const struct text *answer)
{
	struct http_head head;
	size_t body = answer_head(answer, &head);

	return body && head.length >= 0 && answer->size - body >= (uint64_t)head.length;
}

bool tui_fetch_step(struct tui_fetch *fetch, int64_t now_ms)
{
	bool over = fetch_send(fetch) || fetch_receive(fetch) || answer_whole(&fetch->answer);

	fetch->timed_out = !over && now_ms >= fetch->deadline_ms;
	return over || fetch->timed_out;
}

static void take_error(const json_t *document, struct failure *ret_failure)
{
	const json_t *error = json_object_get(document, "error");
	const char *code = field_string(error, "code");
	const char *message = field_string(error, "message"),
		   *remedy = field_string(error, "remedy");

	failure_set(ret_failure, code ? failure_by_code(code) : API_INTERNAL, "%s",
		    message ? message : "the daemon answered without a reason");
	if (message)
		snprintf(ret_failure->message, sizeof(ret_failure->message), "%s", message);
	if (remedy)
		snprintf(ret_failure->remedy, sizeof(ret_failure->remedy), "%s", remedy);
}

int tui_fetch_take(struct tui_fetch *fetch, const char *socket, json_t **ret_document,
		   struct failure *ret_failure)
{
	struct http_head head;
	size_t body = answer_head(&fetch->answer, &head);
	json_t *document;

	fetch_close(fetch);
	if (!body || head.chunked) {
		failure_set(ret_failure, API_NO_DAEMON, "%s", socket);
		return fetch->timed_out ? -ETIMEDOUT : -EPIPE;
	}
	document = json_loadb(fetch->answer.data + body, fetch->answer.size - body, 0, NULL);
	if (document && head.status == 200) {
		*ret_document = document;
		return 0;
	}
	take_error(document, ret_failure);
	json_decref(document);
	return -EPROTO;
}

const char *tui_fetch_body(const struct tui_fetch *fetch, size_t *ret_size)
{
	struct http_head head;
	size_t body = answer_head(&fetch->answer, &head);

	*ret_size = fetch->answer.size - body;
	return fetch->answer.data + body;
}

void tui_fetch_done(struct tui_fetch *fetch)
{
	fetch_close(fetch);
	text_done(&fetch->request);
	text_done(&fetch->answer);
	*fetch = TUI_FETCH_IDLE;
}
