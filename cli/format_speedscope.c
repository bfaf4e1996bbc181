/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The file format is https://www.speedscope.app/file-format-schema.json. Its "time order" view
 * shows stacks in the file's order, which is by frames here: a profile holds sums, not a course of
 * events.
 */
#include "cli/format_speedscope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

/* The document's frames as the file has them: where options make frames equal, the first stands for
 * all. */
struct names {
	uint32_t *shared; /* index in the document → in the file */
	uint32_t *order;  /* the document's indices, ordered by name while shared[] is made */
	uint32_t count;   /* of the file */
	uint32_t truncated;
	bool has_truncated;
};

static void names_done(struct names *names)
{
	free(names->shared);
	free(names->order);
}

struct naming {
	const json_t *frames;
	const struct profile_options *options;
};

static int64_t line_of(const json_t *frame, const struct profile_options *options)
{
	return options->function || options->nolineno ? 0 : field_int_or(frame, "line", 0);
}

static int string_compare(const char *a, const char *b)
{
	return !a || !b ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int frame_compare(const void *one, const void *other, void *data)
{
	const struct naming *naming = data;
	uint32_t i = *(const uint32_t *)one, j = *(const uint32_t *)other;
	const json_t *a = json_array_get(naming->frames, i), *b = json_array_get(naming->frames, j);
	int64_t x = line_of(a, naming->options), y = line_of(b, naming->options);
	int r = string_compare(field_string(a, "function"), field_string(b, "function"));

	if (!r)
		r = string_compare(field_string(a, "file"), field_string(b, "file"));
	return r ? r : x != y ? (x > y) - (x < y) : 0;
}

static void frame_write(struct json *json, const json_t *frame,
			const struct profile_options *options)
{
	const char *name = field_string(frame, "function"), *file = profile_file(frame, options);
	int64_t line = line_of(frame, options);

	json_object(json, NULL);
	json_string(json, "name", name ? name : "?");
	if (file)
		json_string(json, "file", file);
	if (line > 0)
		json_int(json, "line", line);
	json_end(json);
}

/* Writes shared.frames and fills names. */
static int frames_write(struct json *json, const json_t *document,
			const struct profile_options *options, struct names *names)
{
	const json_t *frames = json_object_get(document, "frames");
	struct naming naming = {frames, options};
	size_t count = json_array_size(frames);

	names->shared = calloc(count + 1, sizeof(*names->shared));
	names->order = calloc(count + 1, sizeof(*names->order));
	if (!names->shared || !names->order)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		names->order[i] = (uint32_t)i;
	qsort_r(names->order, count, sizeof(*names->order), frame_compare, &naming);
	for (size_t i = 0; i < count; i++) {
		if (!i || frame_compare(&names->order[i - 1], &names->order[i], &naming)) {
			frame_write(json, json_array_get(frames, names->order[i]), options);
			names->count++;
		}
		names->shared[names->order[i]] = names->count - 1;
	}
	if (!names->has_truncated)
		return 0;
	names->truncated = names->count++;
	json_object(json, NULL);
	json_string(json, "name", "[truncated]");
	json_end(json);
	return 0;
}

static const char *unit_of(const json_t *document)
{
	const char *unit = field_string(document, "unit");

	return unit && !strcmp(unit, "ns")      ? "nanoseconds"
	       : unit && !strcmp(unit, "bytes") ? "bytes"
						: "none";
}

static void samples_write(struct json *json, const struct profile_stack *stacks, size_t count,
			  const struct names *names)
{
	json_array(json, "samples");
	for (size_t i = 0; i < count; i++) {
		json_array(json, NULL);
		if (stacks[i].truncated)
			json_uint(json, NULL, names->truncated);
		for (size_t j = 0; j < stacks[i].nframes; j++)
			json_uint(json, NULL, names->shared[stacks[i].frames[j]]);
		json_end(json);
	}
	json_end(json);
	json_array(json, "weights");
	for (size_t i = 0; i < count; i++)
		json_uint(json, NULL, stacks[i].weight);
	json_end(json);
}

/* The stacks of one process or thread stand side by side. */
static void profile_write(struct json *json, const json_t *document,
			  const struct profile_stack *stacks, size_t count,
			  const struct profile_options *options, const struct names *names)
{
	_cleanup_(text_done) struct text name = {};
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += stacks[i].weight;
	profile_process_name(&name, &stacks[0]);
	if (options->threads) {
		text_puts(&name, ", ");
		profile_thread_name(&name, &stacks[0]);
	}
	json_object(json, NULL);
	json_string(json, "type", "sampled");
	json_string(json, "name", name.data ? name.data : "");
	json_string(json, "unit", unit_of(document));
	json_uint(json, "startValue", 0);
	json_uint(json, "endValue", sum);
	samples_write(json, stacks, count, names);
	json_end(json);
}

static bool together(const struct profile_stack *a, const struct profile_stack *b,
		     const struct profile_options *options)
{
	return a->pid == b->pid && a->process == b->process &&
	       (!options->threads || a->tid == b->tid);
}

/* A file without a profile does not open: one of no samples says what was recorded. */
static void empty_write(struct json *json, const json_t *document)
{
	json_t *process = json_array_get(json_object_get(document, "processes"), 0);
	struct profile_stack none = {.process = process, .pid = field_int_or(process, "pid", 0)};

	profile_write(json, document, &none, 0, &(struct profile_options){}, NULL);
}

static void profiles_write(struct json *json, const json_t *document,
			   const struct profile_stacks *stacks,
			   const struct profile_options *options, const struct names *names)
{
	size_t from = 0;

	json_array(json, "profiles");
	for (size_t i = 1; i <= stacks->count; i++) {
		if (i < stacks->count &&
		    together(&stacks->stacks[from], &stacks->stacks[i], options))
			continue;
		profile_write(json, document, &stacks->stacks[from], i - from, options, names);
		from = i;
	}
	if (!stacks->count)
		empty_write(json, document);
	json_end(json);
}

int format_speedscope(const json_t *document, const struct profile_options *options,
		      struct text *out)
{
	_cleanup_(profile_stacks_done) struct profile_stacks stacks = {};
	_cleanup_(names_done) struct names names = {};
	struct json json;
	int r = profile_read(document, options, &stacks);

	for (size_t i = 0; i < stacks.count; i++)
		names.has_truncated = names.has_truncated || stacks.stacks[i].truncated;
	if (r)
		return r;
	json_init(&json, out);
	json_object(&json, NULL);
	json_string(&json, "$schema", SCHEMA);
	json_object(&json, "shared");
	json_array(&json, "frames");
	r = frames_write(&json, document, options, &names);
	if (r)
		return r;
	json_end(&json);
	json_end(&json);
	profiles_write(&json, document, &stacks, options, &names);
	json_string(&json, "name", "pyprof");
	json_uint(&json, "activeProfileIndex", 0);
	json_string(&json, "exporter", "pyprof " PYPROF_VERSION);
	json_end(&json);
	text_putc(out, '\n');
	return out->failed ? -ENOMEM : 0;
}
