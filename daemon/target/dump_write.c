/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A dump → one object of processes[] of the `dump` document. */
#include "daemon/target/dump.h"

static void write_python(const struct python *python, struct json *json)
{
	char version[24];

	python_version_text(python->image.version, python->image.free_threaded, version);
	json_object(json, "python");
	json_string(json, "version", version);
	json_string(json, "build", python->image.free_threaded ? "free-threaded" : "gil");
	json_string(json, "executable", python->executable[0] ? python->executable : NULL);
	json_string(json, "library", python->library[0] ? python->library : NULL);
	json_end(json);
}

static void write_frame(const struct dump_frame *frame, struct json *json)
{
	json_object(json, NULL);
	json_string(json, "function", frame->function);
	if (frame->function_truncated)
		json_bool(json, "function_truncated", true);
	json_string(json, "module", frame->module);
	if (frame->module_truncated)
		json_bool(json, "module_truncated", true);
	json_string(json, "file", frame->file);
	if (frame->file_truncated)
		json_bool(json, "file_truncated", true);
	if (frame->line > 0)
		json_int(json, "line", frame->line);
	else
		json_null(json, "line");
	json_string(json, "kind", "python");
	if (frame->locals)
		json_raw(json, "locals", frame->locals);
	json_end(json);
}

static void write_thread(const struct dump_thread *thread, struct json *json)
{
	json_object(json, NULL);
	if (thread->tid)
		json_int(json, "tid", thread->tid);
	else
		json_null(json, "tid");
	json_uint(json, "ident", thread->ident);
	json_string(json, "name", thread->tid ? thread->name : NULL);
	json_string(json, "python_name", thread->python_name);
	json_string(json, "state", thread->state);
	json_string(json, "syscall", thread->syscall);
	json_string(json, "wait_cause", thread->wait_cause);
	json_string(json, "gil", thread->gil);
	json_array(json, "frames");
	for (size_t i = 0; i < thread->nframes; i++)
		write_frame(&thread->frames[i], json);
	json_end(json);
	json_bool(json, "truncated", thread->truncated);
	json_string(json, "error", thread->error);
	json_end(json);
}

void dump_write(const struct dump *dump, struct json *json)
{
	json_object(json, NULL);
	json_int(json, "pid", dump->python.pid);
	write_python(&dump->python, json);
	json_array(json, "threads");
	for (size_t i = 0; i < dump->nthreads; i++)
		write_thread(&dump->threads[i], json);
	json_end(json);
	json_end(json);
}
