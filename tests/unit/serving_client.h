/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A small HTTP client for tests of the server: plain sockets, so that it can ask as another user
 * and hang up when it likes. */
#ifndef PYPROF_TESTS_UNIT_SERVING_CLIENT_H
#define PYPROF_TESTS_UNIT_SERVING_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_SECONDS 20

static inline int client_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void client_send(int fd, const char *method, const char *path)
{
	char head[4096];
	int n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, path);

	assert_int_equal(send(fd, head, (size_t)n, MSG_NOSIGNAL), n);
}

/* Reads until the body that Content-Length promises is there; NULL when the server hung up. */
static inline char *client_receive(int fd, int *ret_status)
{
	size_t size = 0, room = 1 << 24, length;
	char *text = malloc(room), *body = NULL, *header, *copy;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t n = poll(&wait, 1, ANSWER_SECONDS * 1000) == 1
				? recv(fd, text + size, room - size - 1, 0)
				: -1;

		if (n <= 0)
			break;
		size += (size_t)n;
		text[size] = '\0';
		body = strstr(text, "\r\n\r\n");
		header = strcasestr(text, "\nContent-Length:");
		if (!body || !header)
			continue;
		body += 4;
		length = strtoul(header + strlen("\nContent-Length:"), NULL, 10);
		if (size - (size_t)(body - text) < length)
			continue;
		*ret_status = atoi(text + strlen("HTTP/1.1 "));
		copy = strdup(body);
		free(text);
		return copy;
	}
	free(text);
	return NULL;
}

static inline json_t *client_on(int fd, const char *method, const char *path, int *ret_status)
{
	char *text;
	json_error_t error;
	json_t *body;

	client_send(fd, method, path);
	text = client_receive(fd, ret_status);
	if (!text)
		fail_msg("%s %s: no answer", method, path);
	body = json_loads(text, 0, &error);
	if (!body)
		fail_msg("%s %s: no JSON: %s: %.300s", method, path, error.text, text);
	free(text);
	assert_string_equal(json_string_value(json_object_get(body, "schema")), "pyprof/1");
	return body;
}

static inline json_t *client_ask(const char *socket_path, const char *method, const char *path,
				 int *ret_status)
{
	int fd = client_connect(socket_path);
	json_t *body;

	assert_true(fd >= 0);
	body = client_on(fd, method, path, ret_status);
	close(fd);
	return body;
}

/* As another user: from a child, whose answer comes through a pipe. */
static inline json_t *client_ask_as(uid_t uid, const char *socket_path, const char *path,
				    int *ret_status)
{
	int ends[2], fd;
	char *text = calloc(1, 1 << 20);
	size_t size = 0;
	ssize_t n;
	json_t *body;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		if (setresuid(uid, uid, uid) < 0 || (fd = client_connect(socket_path)) < 0)
			_exit(1);
		client_send(fd, "GET", path);
		free(text);
		text = client_receive(fd, ret_status);
		if (text)
			dprintf(ends[1], "%d %s", *ret_status, text);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + size, (1 << 20) - 1 - size)) > 0)
		size += (size_t)n;
	close(ends[0]);
	waitpid(child, NULL, 0);
	*ret_status = atoi(text);
	body = json_loads(strchr(text, '{') ? strchr(text, '{') : "", 0, NULL);
	free(text);
	assert_non_null(body);
	return body;
}

/* The code of an error document, "" when it is none. */
static inline const char *client_code(json_t *body)
{
	const char *code =
	    json_string_value(json_object_get(json_object_get(body, "error"), "code"));

	return code ? code : "";
}

/* Of an array of objects, the one whose `key` is the number; NULL. */
static inline json_t *client_find(json_t *array, const char *key, json_int_t number)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		if (json_integer_value(json_object_get(item, key)) == number)
			return item;
	}
	return NULL;
}

static inline json_t *client_process(json_t *body, pid_t pid)
{
	return client_find(json_object_get(body, "processes"), "pid", pid);
}

static inline json_int_t client_integer(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("%s is no integer", key);
	return json_integer_value(value);
}

static inline double client_number(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		fail_msg("%s is no number", key);
	return json_number_value(value);
}

static inline const char *client_text(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		fail_msg("%s is no string", key);
	return json_string_value(value);
}

#endif
