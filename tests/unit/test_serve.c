/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The server as a client meets it: routes, errors, rights, waiting, recordings, its socket. */
#include "tests/unit/serving_client.h"
#include "tests/unit/serving_host.h"

#include <sys/time.h>

static struct host host;

static int start(void **state)
{
	(void)state;
	host_start(&host);
	return 0;
}

/* A server that fails or leaks (in a sanitizer build) ends with another status. */
static int stop(void **state)
{
	int status = host_server_stop(&host);

	(void)state;
	host_stop(&host);
	if (status)
		fprintf(stderr, "the server ended with %d\n", status);
	return status;
}

static json_t *ask(const char *method, const char *path, int *ret_status)
{
	return client_ask(host.socket, method, path, ret_status);
}

/* Asks with pids filled in: %w WEB, %f FREE, %o OLD, %n a pid that is none, %s this test. */
static const char *path_of(const char *pattern)
{
	static char path[512];
	size_t n = 0;

	for (; *pattern && n < sizeof(path) - 16; pattern++) {
		if (*pattern != '%' || !strchr("wfonsp", pattern[1])) {
			path[n++] = *pattern;
			continue;
		}
		pattern++;
		n += (size_t)sprintf(path + n, "%d",
				     *pattern == 'w'   ? host.web
				     : *pattern == 'f' ? host.free
				     : *pattern == 'o' ? host.old
				     : *pattern == 'p' ? HOST_PAST_PID
				     : *pattern == 's' ? getpid()
						       : 0x3fffffff);
	}
	path[n] = '\0';
	return path;
}

static const struct {
	const char *method, *path;
	int status;
	const char *code;
} cases[] = {
    {"GET", "/v1/version", 200, ""},
    {"GET", "/", 404, "not_found"},
    {"GET", "/v1", 404, "not_found"},
    {"GET", "/v1/version/", 404, "not_found"},
    {"GET", "/v1/processes/", 404, "not_found"},
    {"GET", "/v1/processes/x", 404, "not_found"},
    {"GET", "/v1/processes/-1", 404, "not_found"},
    {"GET", "/v1/processes/%w/x", 404, "not_found"},
    {"GET", "/v1/processes/99999999999999999999999999", 404, "not_found"},
    {"GET", "/v1/processes/9999999999", 404, "no_such_pid"},
    {"GET", "/v1/processes/0", 404, "no_such_pid"},
    {"GET", "/%2e%2e/%00/etc", 404, "not_found"},
    {"POST", "/v1/version", 405, "usage"},
    {"DELETE", "/v1/processes", 405, "usage"},
    {"GET", "/v1/recordings", 405, "usage"},
    {"PUT", "/v1/recordings/1", 405, "usage"},
    {"GET", "/v1/version?x=1", 400, "usage"},
    {"GET", "/v1/processes?pids=1", 400, "usage"},
    {"GET", "/v1/processes?pid=1x", 400, "bad_number"},
    {"GET", "/v1/processes?pid=", 400, "bad_number"},
    {"GET", "/v1/processes?pid=0", 400, "bad_number"},
    {"GET", "/v1/processes?pid=-5", 400, "bad_number"},
    {"GET", "/v1/processes?pid=4294967296", 400, "bad_number"},
    {"GET", "/v1/processes?exited=perhaps", 400, "usage"},
    {"GET", "/v1/processes?unit=", 400, "usage"},
    {"GET", "/v1/processes", 200, ""},
    {"GET", "/v1/processes?exited=1", 200, ""},
    {"GET", "/v1/processes?all=1", 200, ""},
    {"GET", "/v1/processes?pid=%w", 200, ""},
    {"GET", "/v1/processes?pid=%w&pid=%f", 200, ""},
    {"GET", "/v1/processes?pid=%w&pid=%n", 404, "no_such_pid"},
    {"GET", "/v1/processes?pid=%s", 404, "not_python"},
    {"GET", "/v1/processes?pid=%p", 404, "no_such_pid"},
    {"GET", "/v1/processes?pid=%p&exited=1", 200, ""},
    {"GET", "/v1/processes?unit=web", 200, ""},
    {"GET", "/v1/processes?unit=web.service", 200, ""},
    {"GET", "/v1/processes?unit=we*", 200, ""},
    {"GET", "/v1/processes?unit=we", 404, "no_match"},
    {"GET", "/v1/processes?comm=web", 200, ""},
    {"GET", "/v1/processes?comm=web&unit=other", 404, "no_match"},
    {"GET", "/v1/processes?container=abc", 404, "no_match"},
    {"GET", "/v1/processes?user=no-such-user", 404, "no_match"},
    {"GET", "/v1/processes/%w", 200, ""},
    {"GET", "/v1/processes/%p", 200, ""},
    {"GET", "/v1/processes/%n", 404, "no_such_pid"},
    {"GET", "/v1/processes/%s", 404, "not_python"},
    {"GET", "/v1/processes/%n/stacks", 404, "no_such_pid"},
    {"GET", "/v1/processes/%w/stacks?locals=maybe", 400, "usage"},
    {"GET", "/v1/top?window=0", 400, "bad_number"},
    {"GET", "/v1/top?window=61", 400, "bad_number"},
    {"GET", "/v1/top?window=1.5", 400, "bad_number"},
    {"GET", "/v1/functions", 400, "ambiguous"},
    {"GET", "/v1/functions?all=1", 200, ""},
    {"GET", "/v1/functions?pid=%o", 422, "unsupported_version"},
    {"GET", "/v1/functions?pid=%w&window=5&seconds=1", 400, "usage"},
    {"GET", "/v1/functions?pid=%w&seconds=abc", 400, "bad_number"},
    {"GET", "/v1/functions?pid=%w&seconds=1e3", 400, "bad_number"},
    {"GET", "/v1/functions?pid=%w&seconds=0", 400, "bad_number"},
    {"GET", "/v1/functions?pid=%w&seconds=.", 400, "bad_number"},
    {"GET", "/v1/functions?pid=%w&seconds=999999", 400, "bad_number"},
    {"GET", "/v1/lines", 400, "ambiguous"},
    {"GET", "/v1/profile?pid=%w", 400, "usage"},
    {"GET", "/v1/profile?pid=%w&seconds=1&format=pprof", 400, "usage"},
    {"GET", "/v1/profile?pid=%w&seconds=1&resource=disk", 400, "usage"},
    {"GET", "/v1/profile?pid=%w&seconds=1&hz=0", 400, "bad_number"},
    {"GET", "/v1/profile?pid=%w&seconds=1&hz=10000", 400, "bad_number"},
    {"GET", "/v1/profile?pid=%w&seconds=1&hz=777", 500, "internal"},
    {"GET", "/v1/profile?pid=%o&seconds=1", 422, "unsupported_version"},
    {"GET", "/v1/profile?seconds=1", 400, "ambiguous"},
    {"POST", "/v1/recordings?hz=99", 400, "ambiguous"},
    {"POST", "/v1/recordings?pid=%n", 404, "no_such_pid"},
    {"POST", "/v1/recordings?pid=%s", 404, "not_python"},
    {"GET", "/v1/recordings/4000000000", 404, "not_found"},
    {"GET", "/v1/recordings/99999999999", 404, "not_found"},
    {"DELETE", "/v1/recordings/1234", 404, "not_found"},
};

static void routes_and_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = path_of(cases[i].path);
		int status = 0;
		json_t *body;

		body = ask(cases[i].method, path, &status);
		if (status != cases[i].status || strcmp(client_code(body), cases[i].code))
			fail_msg("%s %s: %d %s", cases[i].method, path, status,
				 json_dumps(body, JSON_COMPACT));
		json_decref(body);
	}
}

static void errors_name_subject_and_remedy(void **state)
{
	int status;
	json_t *body = ask("GET", path_of("/v1/functions?pid=%o"), &status), *error;

	(void)state;
	error = json_object_get(body, "error");
	assert_non_null(strstr(client_text(error, "message"), "CPython 2.7 is not supported"));
	assert_true(strlen(client_text(error, "remedy")) > 0);
	json_decref(body);
	body = ask("GET", "/v1/functions", &status);
	error = json_object_get(body, "error");
	assert_non_null(strstr(client_text(error, "message"), "(web)"));
	assert_non_null(strstr(client_text(error, "message"), "(free)"));
	assert_null(strstr(client_text(error, "message"), "past"));
	json_decref(body);
	/* Hostile words come back as JSON, whatever they hold. */
	body = ask("GET", "/v1/processes?comm=%22%0a%ff%1b", &status);
	assert_int_equal(status, 404);
	json_decref(body);
}

static void user_selects(void **state)
{
	int status;
	json_t *body;

	(void)state;
	if (geteuid() != 0) {
		puts("SKIP: needs root, for a second user");
		skip();
	}
	body = ask("GET", "/v1/processes?user=65534", &status);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 1);
	assert_non_null(client_process(body, host.free));
	json_decref(body);
	body = ask("GET", "/v1/processes?user=root", &status);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 2);
	json_decref(body);
}

static const struct {
	const char *path;
	int status;
	const char *code;
} foreign[] = {
    {"/v1/processes?pid=%w", 403, "no_permission"},
    {"/v1/processes?unit=web", 403, "no_permission"},
    {"/v1/processes/%w", 403, "no_permission"},
    {"/v1/processes/%w/stacks", 403, "no_permission"},
    {"/v1/processes/%w/stacks?locals=1", 403, "no_permission"},
    {"/v1/functions?pid=%w", 403, "no_permission"},
    {"/v1/lines?pid=%w", 403, "no_permission"},
    {"/v1/profile?pid=%w&seconds=1", 403, "no_permission"},
    {"/v1/profile?pid=%s&seconds=1&children=1", 403, "no_permission"},
    {"/v1/profile?pid=%f&seconds=1&hz=1000", 400, "bad_number"},
    {"/v1/processes?pid=%f", 200, ""},
    {"/v1/functions?pid=%f", 200, ""},
    {"/v1/functions", 200, ""}, /* the only one that it may see */
    {"/v1/status", 200, ""},
};

static void another_user_sees_only_its_own(void **state)
{
	int status;
	json_t *body;

	(void)state;
	if (geteuid() != 0) {
		puts("SKIP: needs root, for a second user");
		skip();
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		const char *path = path_of(foreign[i].path);

		body = client_ask_as(HOST_NOBODY, host.socket, path, &status);
		if (status != foreign[i].status || strcmp(client_code(body), foreign[i].code))
			fail_msg("%s: %d %s", path, status, json_dumps(body, JSON_COMPACT));
		json_decref(body);
	}
	body = client_ask_as(HOST_NOBODY, host.socket, "/v1/processes", &status);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 1);
	assert_non_null(client_process(body, host.free));
	json_decref(body);
	body = client_ask_as(HOST_NOBODY, host.socket, "/v1/processes?exited=1", &status);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 0);
	json_decref(body);
	body = client_ask_as(HOST_NOBODY, host.socket, "/v1/functions?all=1", &status);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 1);
	json_decref(body);
	body = client_ask_as(HOST_NOBODY, host.socket, "/v1/status", &status);
	assert_int_equal(json_array_size(json_object_get(body, "per_process")), 1);
	json_decref(body);
	body = client_ask_as(1, host.socket, "/v1/processes", &status);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 0);
	json_decref(body);
}

static double now(void)
{
	struct timeval at;

	gettimeofday(&at, NULL);
	return (double)at.tv_sec + (double)at.tv_usec / 1e6;
}

/* While one client waits for its seconds, others are served. */
static void waiting_holds_up_nobody(void **state)
{
	int waits = client_connect(host.socket), status;
	double began = now(), answered;
	char *text;
	json_t *body;

	(void)state;
	client_send(waits, "GET", path_of("/v1/profile?pid=%w&seconds=1"));
	usleep(50000);
	body = ask("GET", "/v1/version", &status);
	answered = now();
	assert_true(answered - began < 0.6);
	json_decref(body);
	text = client_receive(waits, &status);
	assert_non_null(text);
	assert_int_equal(status, 200);
	assert_true(now() - began >= 0.9);
	assert_true(now() - began < 1.5); /* late by less than the server's idle turn */
	free(text);
	/* The same connection goes on after a suspended request. */
	body = client_on(waits, "GET", "/v1/version", &status);
	assert_int_equal(status, 200);
	json_decref(body);
	close(waits);
}

static void hang_up_while_waiting(void **state)
{
	int status;
	json_t *body;

	(void)state;
	/* More than the recordings that may run at once: each must end with its client. */
	for (int i = 0; i < 20; i++) {
		int fd = client_connect(host.socket);

		client_send(fd, "GET", path_of("/v1/profile?pid=%w&seconds=600"));
		usleep(20000);
		close(fd);
		usleep(20000);
	}
	body = ask("GET", path_of("/v1/profile?pid=%w&seconds=0.1"), &status);
	assert_int_equal(status, 200);
	json_decref(body);
}

static void recordings_are_limited(void **state)
{
	int fds[17], status;
	json_t *body;

	(void)state;
	for (int i = 0; i < 17; i++) {
		fds[i] = client_connect(host.socket);
		body = client_on(fds[i], "POST", path_of("/v1/recordings?pid=%w"), &status);
		assert_int_equal(status, i < 16 ? 200 : 503);
		assert_string_equal(client_code(body), i < 16 ? "" : "busy");
		json_decref(body);
	}
	for (int i = 0; i < 17; i++)
		close(fds[i]);
	usleep(100000);
	body = ask("GET", path_of("/v1/profile?pid=%w&seconds=0.1"), &status);
	assert_int_equal(status, 200);
	json_decref(body);
}

static void recording_in_three_requests(void **state)
{
	int fd = client_connect(host.socket), status;
	json_t *body = client_on(fd, "POST", path_of("/v1/recordings?pid=%w&hz=50"), &status);
	json_int_t id = client_integer(body, "id"), samples;
	char path[64];

	(void)state;
	/* Below the daemon's rate there is the daemon's rate. */
	assert_int_equal(client_integer(body, "hz"), HOST_HZ);
	json_decref(body);
	snprintf(path, sizeof(path), "/v1/recordings/%lld", (long long)id);
	usleep(300000);
	body = client_on(fd, "GET", path, &status);
	assert_int_equal(status, 200);
	assert_true(json_is_true(json_object_get(body, "running")));
	samples = client_integer(body, "samples");
	assert_in_range(samples, 20, 80);
	assert_true(client_number(body, "seconds") >= 0.25);
	/* One tick of three was lost, and the kernel's counters say so. */
	assert_in_range(client_integer(body, "events"), samples + samples / 2 - 2,
			samples + samples / 2 + 2);
	assert_in_range(client_integer(json_object_get(body, "lost"), "unreadable"),
			samples / 2 - 2, samples / 2 + 2);
	json_decref(body);
	body = client_on(fd, "DELETE", path, &status);
	assert_int_equal(status, 200);
	assert_string_equal(client_text(body, "resource"), "cpu");
	assert_true(client_integer(body, "samples") >= samples);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 1);
	json_decref(body);
	body = client_on(fd, "GET", path, &status);
	assert_int_equal(status, 404);
	json_decref(body);
	close(fd);
}

static void recording_ends_with_its_connection(void **state)
{
	int fd = client_connect(host.socket), status;
	json_t *body = client_on(fd, "POST", path_of("/v1/recordings?pid=%w"), &status);
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/v1/recordings/%lld", (long long)client_integer(body, "id"));
	json_decref(body);
	body = ask("GET", path, &status);
	assert_int_equal(status, 200);
	json_decref(body);
	close(fd);
	usleep(100000);
	body = ask("GET", path, &status);
	assert_int_equal(status, 404);
	json_decref(body);
}

/* Above the daemon's rate: only samples of the recording's own events count, and they are detached
 * at the end (the server's exit status says whether each start had its stop). */
static void recording_at_a_higher_rate(void **state)
{
	int fd = client_connect(host.socket), status;
	json_t *body;

	(void)state;
	client_send(fd, "GET", path_of("/v1/profile?pid=%w&seconds=0.5&hz=999"));
	usleep(100000);
	/* Another rate at the same time is refused, the same is not. */
	body = ask("GET", path_of("/v1/profile?pid=%w&seconds=0.2&hz=500"), &status);
	assert_string_equal(client_code(body), "busy");
	json_decref(body);
	free(client_receive(fd, &status));
	assert_int_equal(status, 200);
	body = client_on(fd, "GET", path_of("/v1/profile?pid=%w&seconds=0.5&hz=999"), &status);
	assert_int_equal(client_integer(body, "hz"), 999);
	assert_in_range(client_integer(body, "samples"), 350, 650);
	/* parse() alone: handle() has no session sample. */
	assert_int_equal(json_array_size(json_object_get(body, "stacks")), 1);
	json_decref(body);
	close(fd);
}

static void recording_ends_with_its_target(void **state)
{
	pid_t target = host_idle_process("target", geteuid());
	int fd = client_connect(host.socket), status;
	char path[64];
	json_t *body;

	(void)state;
	/* It is no Python process yet, as a command that is about to be run: children=1 says so. */
	snprintf(path, sizeof(path), "/v1/recordings?pid=%d&children=1", target);
	body = client_on(fd, "POST", path, &status);
	assert_int_equal(status, 200);
	snprintf(path, sizeof(path), "/v1/recordings/%lld", (long long)client_integer(body, "id"));
	json_decref(body);
	usleep(400000);
	body = client_on(fd, "GET", path, &status);
	assert_true(json_is_true(json_object_get(body, "running")));
	json_decref(body);
	host_end(&target);
	usleep(600000);
	body = client_on(fd, "GET", path, &status);
	assert_true(json_is_false(json_object_get(body, "running")));
	json_decref(body);
	close(fd);
}

static void bad_http(void **state)
{
	static const char *const bytes[] = {"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
					    "\xff\xfe\x00\x01", "GET /v1/version HTTP/1.1\r\n"};
	int status, fd;
	char *long_line = malloc(100000);
	json_t *body;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		fd = client_connect(host.socket);
		assert_true(send(fd, bytes[i], strlen(bytes[i]), MSG_NOSIGNAL) >= 0);
		close(fd);
	}
	/* A request line over the limit is refused, not stored. */
	memset(long_line, 'a', 100000);
	memcpy(long_line, "GET /", 5);
	fd = client_connect(host.socket);
	send(fd, long_line, 100000, MSG_NOSIGNAL);
	free(client_receive(fd, &status));
	close(fd);
	free(long_line);
	body = ask("GET", "/v1/version", &status);
	assert_int_equal(status, 200);
	json_decref(body);
}

static void connections_are_limited(void **state)
{
	int fds[80], status;
	json_t *body;

	(void)state;
	for (int i = 0; i < 80; i++)
		fds[i] = client_connect(host.socket);
	usleep(100000);
	for (int i = 0; i < 80; i++)
		close(fds[i]);
	usleep(100000);
	body = ask("GET", "/v1/version", &status);
	assert_int_equal(status, 200);
	json_decref(body);
}

static void large_body_is_refused(void **state)
{
	int fd = client_connect(host.socket), status = 0;
	char head[200], *body = calloc(1, 200000);

	(void)state;
	snprintf(head, sizeof(head),
		 "POST /v1/recordings?all=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
	send(fd, head, strlen(head), MSG_NOSIGNAL);
	send(fd, body, 200000, MSG_NOSIGNAL);
	free(body);
	assert_null(client_receive(fd, &status));
	close(fd);
}

static void second_server_refuses(void **state)
{
	struct stat at;
	int code = 0, status;
	json_t *body;

	(void)state;
	assert_int_equal(host_spawn(&host, &code), -1);
	assert_int_equal(code, 3); /* -EADDRINUSE */
	body = ask("GET", "/v1/version", &status);
	assert_int_equal(status, 200);
	json_decref(body);
	assert_int_equal(stat(host.socket, &at), 0);
	assert_int_equal(at.st_mode & 07777, 0666);
}

static void killed_server_is_replaced(void **state)
{
	int code, status;
	json_t *body;

	(void)state;
	host_end(&host.server);
	assert_int_equal(access(host.socket, F_OK), 0); /* what kill -9 leaves */
	host.server = host_spawn(&host, &code);
	assert_true(host.server > 0);
	body = ask("GET", "/v1/version", &status);
	assert_int_equal(status, 200);
	json_decref(body);
}

static void other_files_are_kept(void **state)
{
	struct host other = host;
	int code = 0;

	(void)state;
	snprintf(other.socket, sizeof(other.socket), "%s/app.py", host.folder);
	assert_int_equal(host_spawn(&other, &code), -1);
	assert_int_equal(access(other.socket, F_OK), 0);
}

/* The end of the daemon answers those who wait. */
static void stop_answers_who_waits(void **state)
{
	int fd = client_connect(host.socket), status = 0, code;
	char *text;

	(void)state;
	client_send(fd, "GET", path_of("/v1/profile?pid=%w&seconds=600"));
	usleep(100000);
	assert_int_equal(host_server_stop(&host), 0);
	text = client_receive(fd, &status);
	assert_int_equal(status, 503);
	assert_non_null(strstr(text, "busy"));
	free(text);
	close(fd);
	assert_int_equal(access(host.socket, F_OK), -1);
	host.server = host_spawn(&host, &code);
	assert_true(host.server > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(routes_and_errors),
	    cmocka_unit_test(errors_name_subject_and_remedy),
	    cmocka_unit_test(user_selects),
	    cmocka_unit_test(another_user_sees_only_its_own),
	    cmocka_unit_test(waiting_holds_up_nobody),
	    cmocka_unit_test(hang_up_while_waiting),
	    cmocka_unit_test(recordings_are_limited),
	    cmocka_unit_test(recording_in_three_requests),
	    cmocka_unit_test(recording_ends_with_its_connection),
	    cmocka_unit_test(recording_at_a_higher_rate),
	    cmocka_unit_test(recording_ends_with_its_target),
	    cmocka_unit_test(bad_http),
	    cmocka_unit_test(connections_are_limited),
	    cmocka_unit_test(large_body_is_refused),
	    cmocka_unit_test(second_server_refuses),
	    cmocka_unit_test(killed_server_is_replaced),
	    cmocka_unit_test(other_files_are_kept),
	    cmocka_unit_test(stop_answers_who_waits),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, start, stop);
}
