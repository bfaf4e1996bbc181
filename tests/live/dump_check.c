/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dumps a process again and again, for tests: one JSON object a line, {"ns": duration, "processes":
 * [what dump_write() writes]}, or {"error": -errno}.
 *
 *	dump_check PID [COUNT [locals | names | quiet]]
 *
 * names: what dump_thread_names() tells instead. quiet: only durations.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/loop.h"
#include "daemon/target/dump.h"

static void write_name(void *data, uint64_t ident, pid_t tid, const char *name)
{
	struct json *json = data;

	json_object(json, NULL);
	json_uint(json, "ident", ident);
	json_int(json, "tid", tid);
	json_string(json, "name", name);
	json_end(json);
}

static int names(pid_t pid, struct json *json)
{
	struct python python;
	int r = python_find(pid, &python);

	json_array(json, "names");
	if (r == 0)
		r = dump_thread_names(&python, write_name, json);
	json_end(json);
	return r;
}

static int dump(pid_t pid, bool locals, bool quiet, struct json *json)
{
	struct dump_options options = {.locals = locals};
	uint64_t start = loop_now_ns();
	struct dump dump;
	int r = dump_take(pid, &options, &dump);

	if (r < 0)
		return r;
	json_uint(json, "ns", loop_now_ns() - start);
	if (!quiet) {
		json_array(json, "processes");
		dump_write(&dump, json);
		json_end(json);
	}
	dump_done(&dump);
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 3 ? argv[3] : "";
	pid_t pid = argc > 1 ? atoi(argv[1]) : 0;

	for (long i = argc > 2 ? atol(argv[2]) : 1; i > 0; i--) {
		struct text text = {0};
		struct json json;
		int r;

		json_init(&json, &text);
		json_object(&json, NULL);
		if (!strcmp(how, "names"))
			r = names(pid, &json);
		else
			r = dump(pid, !strcmp(how, "locals"), !strcmp(how, "quiet"), &json);
		if (r < 0)
			json_int(&json, "error", r);
		json_end(&json);
		puts(text.data);
		text_done(&text);
	}
	return 0;
}
