/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "cli/process_list.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

#define FRAMES_MAX 8192 /* of a stack; the sampler keeps 1,024 Python ones */

static void clean(struct text *out, const char *string)
{
	utf8_print(out, string, strlen(string));
}

/* Behind the last folder that sys.path would hold; py-spy shortens alike. */
static const char *shortened(const char *file)
{
	static const char *const folders[] = {"/site-packages/", "/dist-packages/"};
	const char *at, *slash;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		const char *last = NULL;

		for (at = file; (at = strstr(at, folders[i])); at++)
			last = at;
		if (last)
			return last + strlen(folders[i]);
	}
	at = strstr(file, "/lib/python");
	slash = at ? strchr(at + strlen("/lib/python"), '/') : strrchr(file, '/');
	return slash && slash[1] ? slash + 1 : file;
}

const char *profile_file(const json_t *frame, const struct profile_options *options)
{
	const char *file = field_string(frame, "file");

	return file && !options->full_filenames ? shortened(file) : file;
}

void profile_frame_name(struct text *out, const json_t *frame,
			const struct profile_options *options)
{
	const char *function = field_string(frame, "function");
	const char *file = profile_file(frame, options);
	int64_t line;

	clean(out, function ? function : "?");
	if (!file)
		return;
	text_puts(out, " (");
	clean(out, file);
	if (!options->function && !options->nolineno && field_int(frame, "line", &line) && line > 0)
		text_printf(out, ":%ld", (long)line);
	text_putc(out, ')');
}

void profile_process_name(struct text *out, const struct profile_stack *stack)
{
	_cleanup_(text_done) struct text command = {};

	text_printf(out, "process %ld", (long)stack->pid);
	if (!stack->process)
		return;
	process_list_command(&command, stack->process);
	text_puts(out, ": ");
	clean(out, command.data ? command.data : "?");
}

void profile_thread_name(struct text *out, const struct profile_stack *stack)
{
	const char *name = field_string(stack->stack, "thread");

	text_printf(out, "thread %ld", (long)stack->tid);
	if (!name)
		return;
	text_puts(out, " \"");
	clean(out, name);
	text_putc(out, '"');
}

/* processes[], ordered: a host's recording may hold thousands of processes and 100,000 stacks. */
struct known {
	int64_t pid, start; /* a pid may be used twice within a recording: the start time tells */
	const json_t *process;
};

struct knowns {
	struct known *rows;
	size_t count;
};

static int known_compare(const void *one, const void *other)
{
	const struct known *a = one, *b = other;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

static struct known known_of(const json_t *object)
{
	return (struct known){field_int_or(object, "pid", -1),
			      field_int_or(object, "start_time_ns", 0), object};
}

static void knowns_done(struct knowns *knowns)
{
	free(knowns->rows);
}

static int knowns_read(const json_t *processes, struct knowns *knowns)
{
	json_t *process;
	size_t i;

	knowns->rows = calloc(json_array_size(processes) + 1, sizeof(*knowns->rows));
	if (!knowns->rows)
		return -ENOMEM;
	json_array_foreach(processes, i, process) knowns->rows[knowns->count++] = known_of(process);
	qsort(knowns->rows, knowns->count, sizeof(*knowns->rows), known_compare);
	return 0;
}

static const json_t *process_of(const struct knowns *knowns, const json_t *stack)
{
	struct known key = known_of(stack);
	const struct known *row =
	    bsearch(&key, knowns->rows, knowns->count, sizeof(key), known_compare);

	return row ? row->process : NULL;
}

/* Root first, from the document's leaf first. */
static int frames_read(const json_t *object, const json_t *known, struct profile_stack *stack)
{
	const json_t *indices = json_object_get(object, "frames"), *root = NULL;
	size_t count = json_array_size(indices);
	const char *kind;

	if (!json_is_array(indices) || count > FRAMES_MAX)
		return -EBADMSG;
	stack->frames = calloc(count + 1, sizeof(*stack->frames));
	if (!stack->frames)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const json_t *index = json_array_get(indices, i);

		root = json_is_integer(index) && json_integer_value(index) >= 0
			   ? json_array_get(known, (size_t)json_integer_value(index))
			   : NULL;
		if (!root)
			return -EBADMSG;
		stack->frames[count - 1 - i] = (uint32_t)json_integer_value(index);
	}
	stack->nframes = count;
	/* A marker in the root's place says itself why the stack ends there. */
	kind = field_string(root, "kind");
	stack->truncated = field_true(object, "truncated") && (!kind || strcmp(kind, "marker"));
	return 0;
}

static int stack_read(const json_t *document, const struct knowns *knowns, const json_t *object,
		      struct profile_stack *stack)
{
	int64_t weight = 0, samples = 0;

	if (!field_int(object, "weight", &weight) || !field_int(object, "samples", &samples) ||
	    weight < 0 || samples < 0)
		return -EBADMSG;
	stack->stack = object;
	stack->process = process_of(knowns, object);
	stack->pid = field_int_or(object, "pid", 0);
	stack->tid = field_int_or(object, "tid", 0);
	stack->weight = (uint64_t)weight;
	stack->samples = (uint64_t)samples;
	return frames_read(object, json_object_get(document, "frames"), stack);
}

static bool holds_gil(const json_t *stack)
{
	const char *gil = field_string(stack, "gil");

	return gil && !strcmp(gil, "held");
}

static int compare(const void *one, const void *other)
{
	const struct profile_stack *a = one, *b = other;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->process != b->process)
		return (uintptr_t)a->process < (uintptr_t)b->process ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	for (size_t i = 0; i < a->nframes && i < b->nframes; i++)
		if (a->frames[i] != b->frames[i])
			return a->frames[i] < b->frames[i] ? -1 : 1;
	return (a->nframes > b->nframes) - (a->nframes < b->nframes);
}

int profile_read(const json_t *document, const struct profile_options *options,
		 struct profile_stacks *ret_stacks)
{
	const json_t *list = json_object_get(document, "stacks");
	_cleanup_(profile_stacks_done) struct profile_stacks stacks = {};
	_cleanup_(knowns_done) struct knowns knowns = {};
	json_t *object;
	size_t i;
	int r;

	if (!json_is_array(list) || !json_is_array(json_object_get(document, "frames")))
		return -EBADMSG;
	stacks.stacks = calloc(json_array_size(list) + 1, sizeof(*stacks.stacks));
	if (!stacks.stacks)
		return -ENOMEM;
	r = knowns_read(json_object_get(document, "processes"), &knowns);
	if (r)
		return r;
	json_array_foreach(list, i, object)
	{
		if (options->gil && !holds_gil(object))
			continue;
		r = stack_read(document, &knowns, object, &stacks.stacks[stacks.count++]);
		if (r)
			return r;
		stacks.samples += stacks.stacks[stacks.count - 1].samples;
	}
	qsort(stacks.stacks, stacks.count, sizeof(*stacks.stacks), compare);
	*ret_stacks = stacks;
	stacks = (struct profile_stacks){};
	return 0;
}

void profile_stacks_done(struct profile_stacks *stacks)
{
	for (size_t i = 0; i < stacks->count; i++)
		free(stacks->stacks[i].frames);
	free(stacks->stacks);
	*stacks = (struct profile_stacks){};
}
