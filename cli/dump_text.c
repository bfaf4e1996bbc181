/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/dump_text.h"

#include <string.h>

#include "cli/field.h"
#include "cli/format.h"
#include "daemon/base/cleanup.h"

#define BOLD (colored ? "\033[1m" : "")
#define DIM (colored ? "\033[2m" : "")
#define PLAIN (colored ? "\033[0m" : "")

/* "(waiting in futex: lock, gil released)" */
static void state_text(struct text *out, const json_t *thread)
{
	const char *state = field_string(thread, "state");
	const char *syscall = field_string(thread, "syscall");
	const char *cause = field_string(thread, "wait_cause");
	const char *gil = field_string(thread, "gil");

	text_puts(out, " (");
	format_clean(out, state ? state : "state n/a");
	if (syscall) {
		text_puts(out, " in ");
		format_clean(out, syscall);
	}
	/* A runnable thread waits for a CPU: its state has said so. */
	if (cause && state && !strcmp(state, "waiting")) {
		text_puts(out, syscall ? ": " : " for ");
		format_clean(out, cause);
	}
	if (gil) {
		text_puts(out, ", gil ");
		format_clean(out, gil);
	}
	text_putc(out, ')');
}

/* Python's own name where it has one; else Linux's. */
static void thread_heading(struct text *out, const json_t *thread, bool colored)
{
	const char *python_name = field_string(thread, "python_name");
	const char *name = python_name ? python_name : field_string(thread, "name");
	int64_t tid;

	text_puts(out, BOLD);
	if (field_int(thread, "tid", &tid) && tid > 0)
		text_printf(out, "Thread %ld", (long)tid);
	else
		text_puts(out, "Thread n/a");
	if (name) {
		text_puts(out, " \"");
		format_clean(out, name);
		text_putc(out, '"');
	}
	text_puts(out, PLAIN);
	state_text(out, thread);
	text_putc(out, '\n');
}

/* Strings are shown as they are, all else as JSON writes it: both came from repr() of the reader.
 */
static void local_text(struct text *out, const char *name, const json_t *value)
{
	_cleanup_free_ char *dumped = NULL;

	text_puts(out, "        ");
	format_clean(out, name);
	text_puts(out, " = ");
	if (json_is_string(value)) {
		format_clean(out, json_string_value(value));
	} else {
		dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		format_clean(out, dumped);
	}
	text_putc(out, '\n');
}

static void frame_text(struct text *out, const json_t *frame, bool colored)
{
	const char *function = field_string(frame, "function"), *file = field_string(frame, "file");
	const json_t *locals = json_object_get(frame, "locals");
	const char *name;
	json_t *value;
	int64_t line;

	text_puts(out, "    ");
	format_clean(out, function ? function : "?");
	if (file) {
		text_printf(out, " %s(", DIM);
		format_clean(out, file);
		if (field_int(frame, "line", &line) && line > 0)
			text_printf(out, ":%ld", (long)line);
		text_printf(out, ")%s", PLAIN);
	}
	text_putc(out, '\n');
	json_object_foreach((json_t *)locals, name, value) local_text(out, name, value);
}

static void thread_text(struct text *out, const json_t *thread, bool colored)
{
	const json_t *frames = json_object_get(thread, "frames");
	const char *error = field_string(thread, "error");
	json_t *frame;
	size_t i;

	thread_heading(out, thread, colored);
	json_array_foreach(frames, i, frame) frame_text(out, frame, colored);
	if (error) {
		text_puts(out, "    ! ");
		format_clean(out, error);
		text_putc(out, '\n');
	} else if (field_true(thread, "truncated")) {
		text_printf(out, "    ! cut after %zu frames\n", json_array_size(frames));
	} else if (!json_array_size(frames)) {
		text_puts(out, "    (no Python frame)\n");
	}
}

static void python_line(struct text *out, const json_t *python)
{
	const char *version = field_string(python, "version");
	const char *build = field_string(python, "build");
	const char *executable = field_string(python, "executable");
	const char *library = field_string(python, "library");

	text_puts(out, "Python ");
	text_puts(out, version ? "v" : "");
	format_clean(out, version ? version : "n/a");
	if (build && !strcmp(build, "free-threaded"))
		text_puts(out, ", free-threaded");
	if (executable) {
		text_puts(out, " (");
		format_clean(out, executable);
		if (library && *library) {
			text_puts(out, " with ");
			format_clean(out, library);
		}
		text_putc(out, ')');
	}
	text_putc(out, '\n');
}

void dump_text(struct text *out, const json_t *process, const char *cmdline, bool colored)
{
	const json_t *threads = json_object_get(process, "threads");
	json_t *thread;
	size_t i;

	text_printf(out, "%sProcess %ld", BOLD, (long)field_int_or(process, "pid", 0));
	if (cmdline && *cmdline) {
		text_puts(out, ": ");
		format_heading(out, cmdline);
	}
	text_printf(out, "%s\n", PLAIN);
	python_line(out, json_object_get(process, "python"));
	json_array_foreach(threads, i, thread)
	{
		text_putc(out, '\n');
		thread_text(out, thread, colored);
	}
}
