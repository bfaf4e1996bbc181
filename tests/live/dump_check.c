/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dumps a process again and again, for tests: one JSON object a line, {"ns": duration, "processes":
 * [what dump_write() writes]}, or {"error": -errno}.
 *
 *	dump_check PID [COUNT [locals | names | quiet | unproven]]
 *
 * names: what dump_thread_names() tells instead. quiet: only durations. unproven: stacks walked
 *once, with no proof that the thread stood still; shows what the proof is worth.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/json.h"
#include "daemon/base/loop.h"
#include "daemon/target/dump.h"
#include "daemon/target/dump_thread.h"

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

static void unproven_thread(struct dump_reader *reader, const struct pythread *python,
			    struct dump *dump)
{
	struct dump_thread *thread = &dump->threads[dump->nthreads];

	*thread = (struct dump_thread){.ident = python->ident};
	mem_forget(reader->reader.mem);
	if (dump_thread_read(reader, python, thread) == 0)
		dump->nthreads++;
}

static int unproven(pid_t pid, struct json *json)
{
	struct dump dump = {0};
	struct dump_reader reader = {.end_ns = UINT64_MAX};
	struct pythread *threads = NULL;
	size_t nthreads = 0;
	int r = python_find(pid, &dump.python);

	if (r < 0)
		return r;
	reader.reader = (struct pyreader){mem_new(pid), &dump.python, &dump.python.image.layout,
					  &dump.python.image.objects};
	r = pythreads_list(&reader.reader, &threads, &nthreads);
	dump.threads = calloc(nthreads + 1, sizeof(*dump.threads));
	for (size_t i = 0; i < nthreads; i++)
		unproven_thread(&reader, &threads[i], &dump);
	json_array(json, "processes");
	dump_write(&dump, json);
	json_end(json);
	dump_done(&dump);
	pystack_done(&reader.stack);
	mem_free(reader.reader.mem);
	free(threads);
	return r;
}

int main(int argc, char **argv)
{
	const char *how = argc > 3 ? argv[3] : "";
	pid_t pid = argc > 1 ? atoi(argv[1]) : 0;

	if (argc > 1 && !strcmp(argv[1], "self"))
		pid = getpid();

	for (long i = argc > 2 ? atol(argv[2]) : 1; i > 0; i--) {
		struct text text = {0};
		struct json json;
		int r;

		json_init(&json, &text);
		json_object(&json, NULL);
		if (!strcmp(how, "names"))
			r = names(pid, &json);
		else if (!strcmp(how, "unproven"))
			r = unproven(pid, &json);
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
