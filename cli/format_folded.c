/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/format_folded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "daemon/base/cleanup.h"

struct line {
	char *stack; /* without the figure */
	uint64_t samples;
};

/* A name between two semicolons: they part frames, and a line ends a stack. */
static void part_add(struct text *line, const struct text *part)
{
	if (line->size)
		text_putc(line, ';');
	for (size_t i = 0; i < part->size; i++) {
		char c = part->data[i];

		if (c != '\n' && c != '\r')
			text_putc(line, c == ';' ? ':' : c);
	}
}

static void part_of(struct text *line, const struct profile_stack *stack,
		    void (*name)(struct text *, const struct profile_stack *))
{
	_cleanup_(text_done) struct text part = {};

	name(&part, stack);
	part_add(line, &part);
}

/* A cut stack has no root: said where the root would be, so that it does not pass for one. */
static void truncated_name(struct text *out, const struct profile_stack *stack)
{
	(void)stack;
	text_puts(out, "[truncated]");
}

static char *stack_line(const json_t *document, const struct profile_stack *stack,
			const struct profile_options *options, bool processes)
{
	const json_t *frames = json_object_get(document, "frames");
	struct text line = {};

	if (processes)
		part_of(&line, stack, profile_process_name);
	if (options->threads)
		part_of(&line, stack, profile_thread_name);
	if (stack->truncated)
		part_of(&line, stack, truncated_name);
	for (size_t i = 0; i < stack->nframes; i++) {
		_cleanup_(text_done) struct text part = {};

		profile_frame_name(&part, json_array_get(frames, stack->frames[i]), options);
		part_add(&line, &part);
	}
	if (!line.size)
		text_puts(&line, "[no frame]");
	if (!line.failed)
		return line.data;
	text_done(&line);
	return NULL;
}

static int by_stack(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->stack, ((const struct line *)b)->stack);
}

static void lines_print(struct line *lines, size_t count, struct text *out)
{
	uint64_t samples = 0;

	qsort(lines, count, sizeof(*lines), by_stack);
	for (size_t i = 0; i < count; i++) {
		samples += lines[i].samples;
		if (i + 1 < count && !strcmp(lines[i].stack, lines[i + 1].stack))
			continue;
		if (samples)
			text_printf(out, "%s %lu\n", lines[i].stack, (unsigned long)samples);
		samples = 0;
	}
}

int format_folded(const json_t *document, const struct profile_options *options, struct text *out)
{
	bool processes = json_array_size(json_object_get(document, "processes")) > 1;
	_cleanup_(profile_stacks_done) struct profile_stacks stacks = {};
	_cleanup_free_ struct line *lines = NULL;
	/* Ticks of the CPU are counted; bytes, calls and time of other resources are summed up. */
	const char *resource = field_string(document, "resource");
	bool by_weight = resource && strcmp(resource, "cpu");
	size_t count = 0;
	int r = profile_read(document, options, &stacks);

	if (r)
		return r;
	lines = calloc(stacks.count + 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (; count < stacks.count; count++) {
		lines[count].stack =
		    stack_line(document, &stacks.stacks[count], options, processes);
		lines[count].samples =
		    by_weight ? stacks.stacks[count].weight : stacks.stacks[count].samples;
		if (!lines[count].stack)
			break;
	}
	if (count == stacks.count)
		lines_print(lines, count, out);
	else
		r = -ENOMEM;
	for (size_t i = 0; i < count; i++)
		free(lines[i].stack);
	return out->failed ? -ENOMEM : r;
}
