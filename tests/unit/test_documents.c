/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The documents: every field of the JSON is there, and figures follow from the samples that
 * serving_host.h adds. */
#include "tests/unit/serving_client.h"
#include "tests/unit/serving_host.h"

static struct host host;

static int start(void **state)
{
	(void)state;
	host_start(&host);
	usleep(1500000); /* what the shares are taken of */
	return 0;
}

static int stop(void **state)
{
	int status = host_server_stop(&host);

	(void)state;
	host_stop(&host);
	return status;
}

static json_t *get(const char *format, ...) __attribute__((format(printf, 1, 2)));
static json_t *get(const char *format, ...)
{
	char path[512];
	va_list args;
	int status;
	json_t *body;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	body = client_ask(host.socket, "GET", path, &status);
	if (status != 200)
		fail_msg("%s: %d %s", path, status, json_dumps(body, JSON_COMPACT));
	return body;
}

/* Every name of the list is a key, null or not. */
static void assert_keys(json_t *object, const char *names)
{
	char copy[512], *at, *name;

	snprintf(copy, sizeof(copy), "%s", names);
	for (name = strtok_r(copy, " ", &at); name; name = strtok_r(NULL, " ", &at))
		if (!json_object_get(object, name))
			fail_msg("%s lacks in %s", name, json_dumps(object, JSON_COMPACT));
}

static void assert_null_key(json_t *object, const char *key)
{
	if (!json_is_null(json_object_get(object, key)))
		fail_msg("%s is not null", key);
}

#define PS_KEYS                                                                                    \
	"pid ns_pid ppid start_time_ns ended_time_ns comm cmdline uid user unit container python " \
	"supported reason threads cpu_percent rss_bytes samples"

static void version(void **state)
{
	json_t *body = get("/v1/version");

	(void)state;
	assert_keys(body, "version abi api kernel features");
	assert_int_equal(client_integer(body, "api"), 1);
	assert_true(json_is_true(json_object_get(json_object_get(body, "features"), "bpf_loop")));
	assert_true(json_is_false(json_object_get(json_object_get(body, "features"), "tail")));
	json_decref(body);
}

/* Decision 16: each CPU's kinds and losses make up what was due. */
static void status_sums(json_t *cpu)
{
	static const char *const kinds[] = {"python", "native", "other", "kernel", "idle", "self"};
	json_int_t sum = 0;
	const char *reason;
	json_t *count;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		sum += client_integer(cpu, kinds[i]);
	json_object_foreach(json_object_get(cpu, "lost"), reason, count)
	{
		sum += json_integer_value(count);
	}
	assert_int_equal(sum, client_integer(cpu, "due"));
}

static void status(void **state)
{
	json_t *body = get("/v1/status"), *cpu, *process, *source;
	size_t i;

	(void)state;
	assert_keys(body, "version uptime_seconds hz kernel cpus events samples lost per_process "
			  "sources cost_percent budget_percent cpu_seconds private_bytes rss_bytes "
			  "map_bytes limits");
	assert_int_equal(json_array_size(json_object_get(body, "cpus")), 2);
	json_array_foreach(json_object_get(body, "cpus"), i, cpu)
	{
		status_sums(cpu);
	}
	cpu = json_array_get(json_object_get(body, "cpus"), 0);
	assert_int_equal(client_integer(json_object_get(cpu, "lost"), "skipped"), 2);
	assert_int_equal(client_integer(json_object_get(cpu, "lost"), "unreadable"), 1);
	assert_int_equal(client_integer(body, "events"), 200);
	assert_int_equal(client_integer(body, "samples"), 40);
	process = client_find(json_object_get(body, "per_process"), "pid", host.web);
	assert_keys(process, "pid events samples native lost");
	assert_int_equal(client_integer(process, "events"),
			 client_integer(process, "samples") + client_integer(process, "native") +
			     client_integer(json_object_get(process, "lost"), "unreadable"));
	source = json_array_get(json_object_get(body, "sources"), 0);
	assert_keys(source, "name attached reason mode price_ns per_second cost_percent");
	assert_null_key(source, "cost_percent");
	assert_true(client_integer(body, "private_bytes") > 0);
	assert_true(client_integer(body, "rss_bytes") >= client_integer(body, "private_bytes"));
	assert_true(client_number(body, "cpu_seconds") > 0);
	assert_int_equal(client_integer(json_object_get(body, "limits"), "frames"), 1024);
	json_decref(body);
}

static void processes(void **state)
{
	json_t *body = get("/v1/processes"), *web, *old, *free_one;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 3);
	web = client_process(body, host.web);
	assert_keys(web, PS_KEYS);
	assert_string_equal(client_text(web, "comm"), "web");
	assert_string_equal(client_text(web, "unit"), "web.service");
	assert_null_key(web, "ended_time_ns");
	assert_int_equal(client_integer(web, "ppid"), getpid());
	assert_int_equal(client_integer(web, "uid"), geteuid());
	assert_int_equal(client_integer(web, "threads"), 1);
	assert_true(client_integer(web, "rss_bytes") > 0);
	assert_true(client_integer(web, "samples") > 100);
	assert_true(client_number(web, "cpu_percent") < 50);
	assert_string_equal(client_text(json_object_get(web, "python"), "version"), "3.11.2");
	assert_string_equal(client_text(json_object_get(web, "python"), "build"), "gil");
	assert_true(json_array_size(json_object_get(web, "cmdline")) >= 1);
	free_one = client_process(body, host.free);
	assert_string_equal(client_text(json_object_get(free_one, "python"), "build"),
			    "free-threaded");
	old = client_process(body, host.old);
	assert_true(json_is_false(json_object_get(old, "supported")));
	assert_string_equal(client_text(old, "reason"), "CPython 2.7 is not supported");
	json_decref(body);
}

/* A worker names itself after its start: the next looks see it. */
static void names_follow(void **state)
{
	const char *name = "";
	json_t *body = NULL;

	(void)state;
	kill(host.web, SIGUSR1);
	for (int i = 0; i < 120 && strcmp(name, "renamed"); i++) {
		json_decref(body);
		usleep(100000);
		body = get("/v1/processes?pid=%d", host.web);
		name = client_text(client_process(body, host.web), "comm");
	}
	assert_string_equal(name, "renamed");
	json_decref(body);
}

static void exited(void **state)
{
	json_t *body = get("/v1/processes?exited=1"), *past, *cmdline;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 1);
	past = client_process(body, HOST_PAST_PID);
	assert_keys(past, PS_KEYS);
	assert_true(client_integer(past, "ended_time_ns") > 0);
	assert_null_key(past, "cpu_percent");
	assert_null_key(past, "rss_bytes");
	assert_null_key(past, "start_time_ns");
	assert_int_equal(client_integer(past, "samples"), 1);
	cmdline = json_object_get(past, "cmdline");
	assert_int_equal(json_array_size(cmdline), 2);
	assert_string_equal(json_string_value(json_array_get(cmdline, 1)), "--flag");
	json_decref(body);
}

static void top(void **state)
{
	json_t *body = get("/v1/top?window=1"), *web, *free_one, *old, *hot, *the_host;
	double seconds = client_number(body, "window_seconds"), python, all;

	(void)state;
	assert_true(seconds > 0.5 && seconds < 2.5);
	web = client_process(body, host.web);
	assert_keys(web, PS_KEYS " python_percent native_percent system_percent gil_percent hot");
	/* 7 and 3 of 10 ms: 70 % and 30 % of a core. */
	python = client_number(web, "python_percent");
	all = python + client_number(web, "system_percent");
	assert_true(python / all > 0.69 && python / all < 0.71);
	assert_true(all > 60 && all < 110);
	assert_true(client_number(web, "native_percent") == 0);
	assert_true(client_number(web, "gil_percent") == python);
	hot = json_object_get(web, "hot");
	assert_string_equal(client_text(hot, "function"), "parse");
	assert_string_equal(client_text(hot, "file"), host.app);
	assert_int_equal(client_integer(hot, "line"), 3);
	assert_true(client_number(hot, "percent") > 69 && client_number(hot, "percent") < 71);
	free_one = client_process(body, host.free);
	assert_null_key(free_one, "gil_percent");
	assert_true(client_number(free_one, "native_percent") > 0);
	old = client_process(body, host.old);
	assert_null_key(old, "python_percent");
	assert_null_key(old, "hot");
	the_host = json_object_get(body, "host");
	assert_keys(the_host, "cores python_percent other_percent idle_percent");
	assert_int_equal(client_integer(the_host, "cores"), sysconf(_SC_NPROCESSORS_ONLN));
	assert_null(client_process(body, HOST_PAST_PID));
	json_decref(body);
}

static json_t *function_of(json_t *process, const char *name)
{
	json_t *functions = json_object_get(process, "functions"), *function;
	size_t i;

	json_array_foreach(functions, i, function)
	{
		if (strcmp(json_string_value(json_object_get(function, "function")), name) == 0)
			return function;
	}
	fail_msg("no function %s", name);
	return NULL;
}

static void functions(void **state)
{
	json_t *body = get("/v1/functions?pid=%d", host.web), *web, *parse, *handle, *module, *call;

	(void)state;
	web = client_process(body, host.web);
	assert_int_equal(json_array_size(json_object_get(web, "functions")), 3);
	parse = json_array_get(json_object_get(web, "functions"), 0);
	assert_keys(parse, "function file line calls primitive_calls reason own_ns total_ns "
			   "own_percent total_percent samples fidelity callers callees");
	assert_string_equal(client_text(parse, "function"), "parse");
	assert_int_equal(client_integer(parse, "line"), 2); /* where it is defined */
	assert_null_key(parse, "calls");
	assert_string_equal(client_text(parse, "fidelity"), "S");
	handle = function_of(web, "handle");
	module = function_of(web, "<module>");
	/* parse() ran 7 of 10 ms, handle() 3 by itself and all with it. */
	assert_int_equal(client_integer(parse, "own_ns") * 3, client_integer(handle, "own_ns") * 7);
	assert_int_equal(client_integer(handle, "total_ns"),
			 client_integer(parse, "own_ns") + client_integer(handle, "own_ns"));
	assert_int_equal(client_integer(module, "own_ns"), 0);
	assert_int_equal(client_integer(module, "total_ns"), client_integer(handle, "total_ns"));
	call = json_array_get(json_object_get(parse, "callers"), 0);
	assert_string_equal(client_text(call, "function"), "handle");
	assert_int_equal(client_integer(call, "total_ns"), client_integer(parse, "own_ns"));
	call = json_array_get(json_object_get(handle, "callees"), 0);
	assert_string_equal(client_text(call, "function"), "parse");
	assert_int_equal(json_array_size(json_object_get(module, "callers")), 0);
	json_decref(body);
}

static void recursion_counts_once(void **state)
{
	json_t *body = get("/v1/functions?pid=%d", host.free), *process, *walk, *main_one;

	(void)state;
	process = client_process(body, host.free);
	walk = function_of(process, "walk");
	main_one = function_of(process, "main");
	assert_int_equal(client_integer(walk, "total_ns"), client_integer(walk, "own_ns"));
	assert_int_equal(client_integer(main_one, "total_ns"),
			 client_integer(walk, "total_ns") + client_integer(main_one, "own_ns"));
	/* It calls itself, and main calls it. */
	assert_int_equal(json_array_size(json_object_get(walk, "callers")), 2);
	json_decref(body);
}

static void functions_of_the_ended(void **state)
{
	json_t *body = get("/v1/functions?pid=%d", HOST_PAST_PID), *past, *function;

	(void)state;
	past = client_process(body, HOST_PAST_PID);
	function = json_array_get(json_object_get(past, "functions"), 0);
	/* Bytes that are no UTF-8 become U+FFFD; ESC is escaped. */
	assert_string_equal(client_text(function, "function"), "old\xef\xbf\xbd\x1b[31m");
	assert_int_equal(client_integer(function, "own_ns"), 5 * MS);
	json_decref(body);
}

static void functions_from_now_on(void **state)
{
	json_t *body = get("/v1/functions?all=1&seconds=0.3"), *web;

	(void)state;
	assert_true(client_number(body, "seconds") > 0.25 && client_number(body, "seconds") < 0.6);
	web = client_process(body, host.web);
	assert_in_range(client_integer(function_of(web, "parse"), "samples"), 15, 60);
	assert_null(client_process(body, HOST_PAST_PID));
	json_decref(body);
}

static void lines_with_source(void **state)
{
	uint64_t began = loop_now_ns();
	json_t *body = get("/v1/lines?pid=%d", host.web), *file, *line;

	(void)state;
	assert_true(loop_now_ns() - began < 500 * MS);
	file = json_array_get(json_object_get(client_process(body, host.web), "files"), 0);
	assert_string_equal(client_text(file, "file"), host.app);
	/* The file was written before the process began. */
	assert_true(json_is_false(json_object_get(file, "newer_than_process")));
	assert_int_equal(json_array_size(json_object_get(file, "lines")), 2);
	line = json_array_get(json_object_get(file, "lines"), 0);
	assert_keys(line,
		    "line source python_percent native_percent system_percent "
		    "memory_growth_bytes read_bytes write_bytes syscalls gpu_ioctl_ns wait_ns");
	assert_int_equal(client_integer(line, "line"), 3);
	assert_string_equal(client_text(line, "source"), "    return x + 1  # \xc3\xa9");
	assert_true(client_number(line, "python_percent") > 0);
	assert_null_key(line, "read_bytes");
	line = json_array_get(json_object_get(file, "lines"), 1);
	assert_int_equal(client_integer(line, "line"), 6);
	assert_string_equal(client_text(line, "source"), "    parse(1)");
	assert_true(client_number(line, "system_percent") > 0);
	json_decref(body);
}

static void lines_of_one_file(void **state)
{
	static const struct {
		const char *file;
		size_t found;
	} wanted[] = {{"app.py", 1}, {"/app.py", 1}, {"pp.py", 0}, {"other.py", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		json_t *body = get("/v1/lines?pid=%d&file=%s", host.web, wanted[i].file);
		json_t *files = json_object_get(client_process(body, host.web), "files");

		assert_int_equal(json_array_size(files), wanted[i].found);
		json_decref(body);
	}
}

/* A process of another user names a file of root's as its source: root asks, and still the answer
 * holds nothing that the process could not read by itself. */
static void lines_with_the_targets_rights(void **state)
{
	json_t *body, *file, *line;
	char *text;

	(void)state;
	if (geteuid() != 0) {
		puts("SKIP: needs root, for a second user");
		skip();
	}
	body = get("/v1/lines?pid=%d", host.free);
	file = json_array_get(json_object_get(client_process(body, host.free), "files"), 0);
	assert_string_equal(client_text(file, "file"), host.secret);
	assert_null_key(file, "newer_than_process");
	assert_true(strlen(client_text(file, "reason")) > 0);
	line = json_array_get(json_object_get(file, "lines"), 0);
	assert_null_key(line, "source");
	text = json_dumps(client_process(body, host.free), 0);
	assert_null(strstr(text, "\"secret\""));
	free(text);
	json_decref(body);
	/* Once it may, it is shown: the cause was the right, nothing else. */
	assert_int_equal(chmod(host.secret, 0644), 0);
	body = get("/v1/lines?pid=%d", host.free);
	file = json_array_get(json_object_get(client_process(body, host.free), "files"), 0);
	line = client_find(json_object_get(file, "lines"), "line", 2);
	assert_string_equal(client_text(line, "source"), "secret");
	assert_int_equal(chmod(host.secret, 0600), 0);
	json_decref(body);
}

static void newer_source_is_marked(void **state)
{
	json_t *body, *file;
	int fd = open(host.app, O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, "# edited\n", 9), 9);
	close(fd);
	body = get("/v1/lines?pid=%d", host.web);
	file = json_array_get(json_object_get(client_process(body, host.web), "files"), 0);
	assert_true(json_is_true(json_object_get(file, "newer_than_process")));
	json_decref(body);
}

/* What is no regular file is not read, and holds nothing up. */
static void fifo_as_source(void **state)
{
	json_t *body, *file;

	(void)state;
	assert_int_equal(unlink(host.app), 0);
	assert_int_equal(mkfifo(host.app, 0666), 0);
	body = get("/v1/lines?pid=%d", host.web);
	file = json_array_get(json_object_get(client_process(body, host.web), "files"), 0);
	assert_null_key(file, "newer_than_process");
	assert_int_equal(unlink(host.app), 0);
	host_file(host.app, host_app_text, 0644);
	json_decref(body);
}

static void profile_frames_fit(json_t *body)
{
	size_t nframes = json_array_size(json_object_get(body, "frames")), i, j;
	json_int_t samples = 0;
	json_t *stack, *index;

	json_array_foreach(json_object_get(body, "stacks"), i, stack)
	{
		assert_keys(stack, "pid start_time_ns tid thread task weight samples gil truncated "
				   "frames");
		samples += client_integer(stack, "samples");
		json_array_foreach(json_object_get(stack, "frames"), j, index)
		{
			assert_in_range(json_integer_value(index), 0, nframes - 1);
		}
	}
	assert_int_equal(samples, client_integer(body, "samples"));
}

static void profile(void **state)
{
	json_t *body = get("/v1/profile?pid=%d&seconds=0.4&format=json&resource=cpu", host.web);
	json_t *stack, *frame;
	json_int_t lost;

	(void)state;
	assert_keys(body, "resource unit hz started_time_ns seconds events samples lost processes "
			  "frames stacks");
	assert_string_equal(client_text(body, "unit"), "ns");
	assert_int_equal(client_integer(body, "hz"), HOST_HZ);
	profile_frames_fit(body);
	/* Two samples and one loss a turn. */
	lost = client_integer(json_object_get(body, "lost"), "unreadable");
	assert_int_equal(client_integer(body, "events"), client_integer(body, "samples") + lost);
	assert_in_range(client_integer(body, "samples"), 2 * lost - 2, 2 * lost + 2);
	assert_int_equal(json_array_size(json_object_get(body, "stacks")), 2);
	assert_int_equal(json_array_size(json_object_get(body, "frames")), 3);
	stack = json_array_get(json_object_get(body, "stacks"), 0);
	assert_int_equal(client_integer(stack, "pid"), host.web);
	frame = json_array_get(
	    json_object_get(body, "frames"),
	    (size_t)json_integer_value(json_array_get(json_object_get(stack, "frames"), 0)));
	assert_keys(frame, "function module file line kind");
	assert_string_equal(client_text(frame, "kind"), "python");
	assert_null_key(frame, "module");
	json_decref(body);
}

static void profile_of_all(void **state)
{
	json_t *body = get("/v1/profile?all=1&seconds=0.2");

	(void)state;
	profile_frames_fit(body);
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 3);
	assert_int_equal(json_array_size(json_object_get(body, "stacks")), 4);
	json_decref(body);
}

static void profile_of_the_past(void **state)
{
	json_t *body = get("/v1/profile?all=1&window=60");

	(void)state;
	profile_frames_fit(body);
	assert_non_null(client_process(body, HOST_PAST_PID));
	assert_null_key(body, "events");
	assert_null_key(body, "lost");
	assert_true(strlen(client_text(body, "reason")) > 0);
	json_decref(body);
}

static void children_are_taken(void **state)
{
	/* The processes are children of this test, which is no Python process. */
	json_t *body = get("/v1/profile?pid=%d&children=1&seconds=0.2", getpid());

	(void)state;
	assert_int_equal(json_array_size(json_object_get(body, "processes")), 3);
	assert_true(client_integer(body, "samples") > 10);
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(version),
	    cmocka_unit_test(status),
	    cmocka_unit_test(processes),
	    cmocka_unit_test(names_follow),
	    cmocka_unit_test(exited),
	    cmocka_unit_test(top),
	    cmocka_unit_test(functions),
	    cmocka_unit_test(recursion_counts_once),
	    cmocka_unit_test(functions_of_the_ended),
	    cmocka_unit_test(functions_from_now_on),
	    cmocka_unit_test(lines_with_source),
	    cmocka_unit_test(lines_of_one_file),
	    cmocka_unit_test(lines_with_the_targets_rights),
	    cmocka_unit_test(newer_source_is_marked),
	    cmocka_unit_test(fifo_as_source),
	    cmocka_unit_test(profile),
	    cmocka_unit_test(profile_of_all),
	    cmocka_unit_test(profile_of_the_past),
	    cmocka_unit_test(children_are_taken),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, start, stop);
}
