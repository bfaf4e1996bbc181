/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `record`: begin a recording in the daemon, watch it, end it, write what it answers.
 *
 * A recording belongs to the connection that made it: should this program be killed, the daemon
 * drops it.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/format_folded.h"
#include "cli/format_speedscope.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/record_child.h"
#include "cli/record_file.h"
#include "cli/select.h"
#include "cli/verb.h"

#define POLL_NS 200000000ull
#define DEGRADED_PERCENT 5.0 /* more lost than this and the figures are in doubt: exit 2 */

struct recorder {
	const struct options *options;
	struct client *client;
	struct record_file file;
	struct record_child child;
	int64_t id;
	bool progress; /* a line is on the terminal */
};

static void recorder_done(struct recorder *recorder)
{
	record_child_done(&recorder->child);
	record_file_done(&recorder->file);
	client_free(recorder->client);
}

static int options_check(const struct options *options)
{
	bool of_cpu = !options->resource || !strcmp(options->resource, "cpu");

	if (options->rate && !of_cpu)
		return failure_say(API_USAGE, "a rate goes with cpu alone: -r and --resource %s",
				   options->resource);
	if (options->nrest && !options->dashes)
		return failure_say(API_USAGE, "put -- before the command: record -- %s",
				   options->rest[0]);
	if (options->nrest && options->given & OPTIONS_SELECT)
		return failure_say(API_USAGE, "a command and a selector do not go together");
	if (options->dashes && !options->nrest)
		return failure_say(API_USAGE, "no command behind --");
	if (options->idle)
		failure_note("--idle: n/a, this profile is of CPU time and idle threads use none; "
			     "see dump for where they wait");
	return 0;
}

static int begin_path(struct recorder *recorder, struct text *path)
{
	const struct options *options = recorder->options;
	bool children = options->subprocesses || recorder->child.pid > 0;
	int r = 0;

	text_puts(path, API_ROUTE_RECORDINGS);
	if (recorder->child.pid > 0)
		query_number(path, "pid", recorder->child.pid);
	else
		r = select_query(recorder->client, options, path);
	if (children)
		query_add(path, "children", "1");
	if (options->resource)
		query_add(path, "resource", options->resource);
	if (options->rate)
		query_number(path, "hz", options->rate);
	if (options->duration > 0)
		query_number(path, "seconds", options->duration);
	return r;
}

static int begin(struct recorder *recorder)
{
	_cleanup_(text_done) struct text path = {};
	_cleanup_json_ json_t *document = NULL;
	struct failure failure;
	int r = begin_path(recorder, &path);

	if (r)
		return r;
	if (client_json(recorder->client, "POST", path.data, &document, &failure))
		return failure_print(&failure);
	if (!field_int(document, "id", &recorder->id))
		return failure_say(API_INTERNAL, "the daemon gave the recording no id");
	return 0;
}

static void path_of(const struct recorder *recorder, char out[64])
{
	snprintf(out, 64, "%s/%ld", API_ROUTE_RECORDINGS, (long)recorder->id);
}

static const char *resource_of(const struct options *options)
{
	return options->resource && strcmp(options->resource, "cpu") ? options->resource : "CPU";
}

static void progress_clear(struct recorder *recorder)
{
	if (recorder->progress)
		fputs("\r\033[K", stderr);
	recorder->progress = false;
}

static void progress_show(struct recorder *recorder, const json_t *document)
{
	const struct options *options = recorder->options;
	char samples[FORMAT_SIZE], lost[FORMAT_SIZE], of[FORMAT_SIZE + 4] = "";
	size_t width = format_terminal(STDERR_FILENO);
	_cleanup_(text_done) struct text line = {};
	double seconds = 0;

	if (!width)
		return;
	field_real(document, "seconds", &seconds);
	format_count(samples, (uint64_t)field_int_or(document, "samples", 0));
	format_count(lost, (uint64_t)field_sum(json_object_get(document, "lost")));
	if (options->duration > 0)
		snprintf(of, sizeof(of), " of %g", options->duration);
	text_printf(&line, "recording %.0f%s s, %s samples, %s lost%s", seconds, of, samples, lost,
		    recorder->child.pid > 0 ? "" : " (Ctrl-C ends and saves)");
	if (line.data)
		fprintf(stderr, "\r%.*s\033[K", (int)format_fit(line.data, width - 1), line.data);
	recorder->progress = true;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	nanosleep(&time, NULL); /* a signal ends it */
}

/* Until the time is over, the targets have ended (the daemon says so), a signal, or the command's
 * end. */
static int watch(struct recorder *recorder)
{
	char path[64];

	path_of(recorder, path);
	while (!record_child_stopped() && !record_child_ended(&recorder->child, false)) {
		_cleanup_json_ json_t *document = NULL;
		struct failure failure;

		if (client_json(recorder->client, "GET", path, &document, &failure)) {
			progress_clear(recorder);
			return failure_print(&failure);
		}
		progress_show(recorder, document);
		if (!field_true(document, "running"))
			break;
		sleep_ns(POLL_NS);
	}
	progress_clear(recorder);
	return 0;
}

static int convert(const struct recorder *recorder, const json_t *document,
		   const struct text *answer, struct text *out)
{
	const struct options *options = recorder->options;
	struct profile_options how = {
	    .gil = options->gil,
	    .threads = options->threads,
	    .function = options->function,
	    .nolineno = options->nolineno,
	    .full_filenames = options->full_filenames,
	};
	int r = 0;

	if (recorder->file.format == RECORD_FOLDED)
		r = format_folded(document, &how, out);
	else if (recorder->file.format == RECORD_SPEEDSCOPE)
		r = format_speedscope(document, &how, out);
	else
		text_add(out, answer->data, answer->size);
	if (!r && recorder->file.format == RECORD_JSON && answer->data[answer->size - 1] != '\n')
		text_putc(out, '\n');
	text_add(out, "", 0);
	return r ? r : out->failed ? -ENOMEM : 0;
}

/* Samples that are in the profile, the incomplete ones too. */
static int64_t stacks_sum(const json_t *document)
{
	const json_t *stack;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(document, "stacks"), i, stack) sum +=
	    field_int_or(stack, "samples", 0);
	return sum;
}

/* What was written, for a person; returns 0 or API_EXIT_DEGRADED. */
static int report(const struct recorder *recorder, const json_t *document)
{
	const char *path = recorder->file.path;
	char samples[FORMAT_SIZE], cut[FORMAT_SIZE + 16] = "";
	size_t processes = json_array_size(json_object_get(document, "processes"));
	int64_t count = field_int_or(document, "samples", 0), events = 0;
	int64_t lost = field_sum(json_object_get(document, "lost"));
	int64_t incomplete = stacks_sum(document) - count;
	double seconds = 0, percent;

	field_real(document, "seconds", &seconds);
	field_int(document, "events", &events);
	format_count(samples, (uint64_t)count);
	if (incomplete > 0)
		snprintf(cut, sizeof(cut), " and %ld incomplete ones", (long)incomplete);
	failure_note("%s%s%s%s samples%s of %zu process%s in %.1f s", path ? "wrote " : "",
		     path ? path : "", path ? ": " : "", samples, cut, processes,
		     processes == 1 ? "" : "es", seconds);
	if (!count && incomplete <= 0)
		failure_note("no sample: the process used no %s, or too little to be met",
			     resource_of(recorder->options));
	percent = events > 0 ? 100.0 * (double)lost / (double)events : 0;
	if (percent <= DEGRADED_PERCENT)
		return 0;
	failure_note("%.1f %% of the events were lost (%ld of %ld): see pyprofctl status", percent,
		     (long)lost, (long)events);
	return API_EXIT_DEGRADED;
}

static int save(struct recorder *recorder, const struct text *answer)
{
	_cleanup_json_ json_t *document =
	    json_loadb(answer->data, answer->size, JSON_ALLOW_NUL, NULL);
	_cleanup_(text_done) struct text out = {};
	int r = document ? convert(recorder, document, answer, &out) : -EBADMSG;

	if (r)
		return failure_say(API_INTERNAL, "%s",
				   r == -ENOMEM ? "out of memory"
						: "the daemon's profile is not valid");
	r = record_file_save(&recorder->file, &out, document);
	return r ? r : report(recorder, document);
}

static int end(struct recorder *recorder)
{
	_cleanup_(text_done) struct text answer = {};
	struct failure failure;
	char path[64];

	path_of(recorder, path);
	if (client_text(recorder->client, "DELETE", path, &answer, &failure))
		return failure_print(&failure);
	return save(recorder, &answer);
}

static int command_go(struct recorder *recorder)
{
	int r = recorder->child.pid > 0 ? record_child_go(&recorder->child) : 0;

	if (!r)
		return 0;
	failure_note("cannot run %s: %s", recorder->options->rest[0], strerror(-r));
	return r == -ENOENT ? 127 : 126;
}

/* Like a shell's: its status is ours, unless the profile could not be saved. */
static int command_exit(struct recorder *recorder, int r)
{
	if (!recorder->child.pid)
		return r;
	record_child_ended(&recorder->child, true);
	return r && r != API_EXIT_DEGRADED ? r : record_child_exit(&recorder->child);
}

static int record(struct recorder *recorder)
{
	int r = record_file_open(&recorder->file, recorder->options);

	if (!r)
		r = begin(recorder);
	if (r)
		return r;
	r = command_go(recorder);
	if (r)
		return r;
	r = watch(recorder);
	if (!r)
		r = end(recorder);
	return command_exit(recorder, r);
}

int verb_record(const struct options *options)
{
	_cleanup_(recorder_done) struct recorder recorder = {
	    .options = options,
	    .client = client_new(options->socket),
	    .file = {.fd = -1},
	    .child = {.go = -1, .error = -1},
	};
	int r = options_check(options);

	if (r)
		return r;
	if (!recorder.client)
		return failure_say(API_INTERNAL, "out of memory");
	if (options->nrest) {
		r = record_child_start(options->rest, &recorder.child);
		if (r)
			return failure_say(API_BUSY, "cannot start a process: %s", strerror(-r));
	}
	record_child_signals(&recorder.child);
	return record(&recorder);
}
