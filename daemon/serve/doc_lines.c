/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * /v1/lines: CPU per source line, with the line's text. Two steps: add up, then wait for the
 * sources (source.h) and write.
 */
#include "daemon/serve/doc.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/source.h"
#include "daemon/serve/tallies.h"

#define WINDOW_DEFAULT 60
/* Start times come in 10 ms steps, file times in ticks: a script that is written and run at once is
 * not newer. */
#define TIME_STEPS_NS 20000000ull

/* One source file of one process: a run of the tally's lines. */
struct file_lines {
	const char *file;
	const struct tally_line *lines;
	size_t nlines;
	uint64_t weight;
	size_t source; /* index in lines_process.sources, SIZE_MAX = none */
};

struct lines_process {
	uint64_t generation;
	struct file_lines *files; /* by weight, descending */
	size_t nfiles;
	struct source_file *sources;
	size_t nsources;
	bool asked; /* a child reads for it */
};

struct lines {
	struct tallies tallies;
	struct lines_process *processes; /* as tallies.selection */
	struct source_job *job;
};

static void lines_free(void *data)
{
	struct lines *lines = data;

	if (!lines)
		return;
	/* First: children fill the sources. */
	source_free(lines->job);
	for (size_t i = 0; lines->processes && i < lines->tallies.selection.nprocesses; i++) {
		free(lines->processes[i].files);
		source_files_free(lines->processes[i].sources, lines->processes[i].nsources);
	}
	free(lines->processes);
	tallies_done(&lines->tallies);
	free(lines);
}

/* The whole name, or its last parts: "app.py" matches "/srv/app.py". */
static bool file_wanted(const char *wanted, const char *file)
{
	size_t size = strlen(file), tail;

	if (!wanted)
		return true;
	tail = strlen(wanted);
	if (size < tail || strcmp(file + size - tail, wanted) != 0)
		return false;
	return size == tail || file[size - tail - 1] == '/' || wanted[0] == '/';
}

static uint64_t line_weight(const struct tally_line *line)
{
	return line->weight[LEAF_PYTHON] + line->weight[LEAF_NATIVE] + line->weight[LEAF_SYSTEM];
}

static int file_order(const void *a, const void *b)
{
	const struct file_lines *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(x->file, y->file);
}

/* The tally's lines are sorted by file. */
static int files_group(struct lines_process *process, struct tally *tally, const char *wanted)
{
	size_t n;
	const struct tally_line *lines = tally_lines(tally, &n);
	struct file_lines *file = NULL;

	process->files = calloc(n + 1, sizeof(*process->files));
	if (!process->files)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *name = lines[i].file ? lines[i].file : "";

		if (!file_wanted(wanted, name))
			continue;
		if (!file || file->file != name) {
			file = &process->files[process->nfiles++];
			*file = (struct file_lines){
			    .file = name, .lines = &lines[i], .source = SIZE_MAX};
		}
		file->nlines++;
		file->weight += line_weight(&lines[i]);
	}
	if (process->nfiles)
		qsort(process->files, process->nfiles, sizeof(*process->files), file_order);
	return 0;
}

/* "<string>", "<frozen importlib._bootstrap>": no file. */
static bool has_source(const char *file)
{
	return file[0] && file[0] != '<';
}

static int source_prepare(struct source_file *source, const struct file_lines *file)
{
	source->path = file->file;
	source->lines = calloc(file->nlines + 1, sizeof(*source->lines));
	if (!source->lines)
		return -1;
	source->nlines = file->nlines;
	for (size_t i = 0; i < file->nlines; i++)
		source->lines[i].line = file->lines[i].line > 0 ? (unsigned)file->lines[i].line : 0;
	return 0;
}

static int sources_prepare(struct lines_process *process)
{
	process->sources = calloc(SOURCE_FILES_MAX, sizeof(*process->sources));
	if (!process->sources)
		return -1;
	for (size_t i = 0; i < process->nfiles && process->nsources < SOURCE_FILES_MAX; i++) {
		struct file_lines *file = &process->files[i];

		if (!has_source(file->file))
			continue;
		if (source_prepare(&process->sources[process->nsources], file) < 0)
			return -1;
		file->source = process->nsources++;
	}
	return 0;
}

static void write_nulls(struct json *json)
{
	static const char *const later[] = {"memory_growth_bytes", "read_bytes",
					    "write_bytes",         "syscalls",
					    "gpu_ioctl_ns",        "wait_ns"};

	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		json_null(json, later[i]);
}

static void write_text(struct json *json, const struct source_line *line)
{
	if (!line || !line->text) {
		json_null(json, "source");
		return;
	}
	json_bytes(json, "source", line->text, line->size);
	if (line->size == SOURCE_LINE_MAX)
		json_bool(json, "source_truncated", true);
}

static void write_line(struct view *view, struct json *json, const struct tally_line *line,
		       const struct source_line *text)
{
	static const char *const shares[TALLY_CLASSES] = {[LEAF_PYTHON] = "python_percent",
							  [LEAF_NATIVE] = "native_percent",
							  [LEAF_SYSTEM] = "system_percent"};

	json_object(json, NULL);
	if (line->line > 0)
		json_int(json, "line", line->line);
	else
		json_null(json, "line");
	write_text(json, text);
	for (unsigned i = 0; i < TALLY_CLASSES; i++)
		fields_real(json, shares[i], view_percent(view, line->weight[i]));
	write_nulls(json);
	json_end(json);
}

/* Why there is no text, for who would ask. */
static const char *source_reason(const struct lines_process *process, const struct file_lines *file,
				 const struct process *who)
{
	if (!has_source(file->file))
		return "not a file";
	if (who->ended_time_ns)
		return "the process has ended";
	if (file->source == SIZE_MAX || !process->asked)
		return "too many files for one answer";
	return "the process's user cannot read it (any more), or it is larger than 4 MiB";
}

static void write_file(struct view *view, struct json *json, const struct lines_process *process,
		       const struct file_lines *file, const struct process *who)
{
	const struct source_file *source =
	    file->source == SIZE_MAX ? NULL : &process->sources[file->source];

	json_object(json, NULL);
	fields_name(json, "file", file->file[0] ? file->lines->file : NULL);
	if (source && source->read) {
		json_bool(json, "newer_than_process",
			  source->mtime_ns > who->start_time_ns + TIME_STEPS_NS);
	} else {
		json_null(json, "newer_than_process");
		json_string(json, "reason", source_reason(process, file, who));
	}
	json_array(json, "lines");
	for (size_t i = 0; i < file->nlines; i++)
		write_line(view, json, &file->lines[i],
			   source && source->read ? &source->lines[i] : NULL);
	json_end(json);
	json_end(json);
}

static void write_process(struct view *view, struct json *json, struct process *who,
			  const struct lines_process *process)
{
	json_object(json, NULL);
	fields_process(json, view->request->serving, who, (uint64_t)(view->seconds * 1e9));
	json_array(json, "files");
	for (size_t i = 0; i < process->nfiles; i++)
		write_file(view, json, process, &process->files[i], who);
	json_end(json);
	json_end(json);
}

static int lines_write(struct view *view)
{
	struct lines *lines = view->more;
	struct json json;

	request_begin(view->request, &json);
	json_real(&json, "seconds", view->seconds, 3);
	json_uint(&json, "hz", view->hz);
	json_array(&json, "processes");
	for (size_t i = 0; i < lines->tallies.selection.nprocesses; i++) {
		/* While sources were read, one that ended long ago may have left the table. */
		struct process *who = processes_find(view->request->serving->config.processes,
						     lines->processes[i].generation);

		if (who)
			write_process(view, &json, who, &lines->processes[i]);
	}
	json_end(&json);
	json_end(&json);
	return 0;
}

static int lines_prepare(struct view *view, struct lines *lines)
{
	const char *wanted = query_text(&view->request->query, "file");
	size_t n = lines->tallies.selection.nprocesses;

	lines->processes = calloc(n + 1, sizeof(*lines->processes));
	if (!lines->processes)
		return -1;
	for (size_t i = 0; i < n; i++) {
		lines->processes[i].generation = lines->tallies.selection.processes[i]->generation;
		if (files_group(&lines->processes[i], lines->tallies.tallies[i], wanted) < 0 ||
		    sources_prepare(&lines->processes[i]) < 0)
			return -1;
	}
	return 0;
}

static int sources_start(struct view *view, struct lines *lines)
{
	struct request *request = view->request;

	lines->job = source_new(request->serving->config.loop, request_wake, request);
	if (!lines->job)
		return -1;
	for (size_t i = 0; i < lines->tallies.selection.nprocesses; i++) {
		struct lines_process *process = &lines->processes[i];

		process->asked = process->nsources &&
				 source_add(lines->job, lines->tallies.selection.processes[i],
					    process->sources, process->nsources) == 0;
	}
	return 0;
}

static int lines_add_up(struct view *view)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	int r;

	if (!lines)
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	view->more = lines;
	view->more_free = lines_free;
	r = tallies_make(view, &lines->tallies);
	if (r < 0)
		return r;
	if (lines_prepare(view, lines) < 0 || sources_start(view, lines) < 0)
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	return source_wait(lines->job) ? view_again(view, lines_write) : lines_write(view);
}

int doc_lines(struct request *request)
{
	return view_open(request, WINDOW_DEFAULT, RESOURCE_BIT(RESOURCE_CPU), lines_add_up);
}
