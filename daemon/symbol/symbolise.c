/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/symbol/symbolise.h"

#include <stdbool.h>

#include "daemon/base/cleanup.h"

#define UNKNOWN_NAME "[unknown]"

/* What naming the frames of one sample needs. */
struct naming {
	struct codes *codes;
	struct stacks *stacks;
	const struct process *process;
	uint64_t family;
	bool last;
	unsigned unknown;
};

/* From the table, else (last) from the living process. */
static const struct code *find_code(const struct naming *naming, const struct py_frame *frame)
{
	struct code_key key = {
	    .family = naming->family, .code = frame->code, .checksum = frame->checksum};
	const struct code *code = codes_find(naming->codes, key.family, key.code, key.checksum);

	if (code || !naming->last || !naming->process || naming->process->ended_time_ns)
		return code;
	if (codes_fetch(naming->codes, &naming->process->python->image.layout, naming->process->pid,
			&key) < 0)
		return NULL;
	return codes_find(naming->codes, key.family, key.code, key.checksum);
}

static const struct frame *name_frame(struct naming *naming, const struct frame_source *source,
				      const struct py_frame *from)
{
	const struct code *code = find_code(naming, from);
	struct frame_names names;
	const struct frame *frame;

	if (!code && !naming->last)
		return NULL;
	if (!code) {
		naming->unknown++;
		return stacks_frame(naming->stacks, UNKNOWN_NAME, NULL, 0, 0, FRAME_KIND_MARKER);
	}
	names = (struct frame_names){code_function(code), code_file(code), code_module(code)};
	frame = stacks_frame_named(naming->stacks, &names, code_line(code, source->lasti),
				   code_first_line(code), FRAME_KIND_PYTHON);
	if (frame)
		stacks_remember(naming->stacks, source, frame);
	return frame;
}

/* A referenced frame, or NULL. The native entry (FRAME_ENTRY) is no part of a frame's identity: it
 * will say where native frames go in between, once these are walked. */
static const struct frame *get_frame(struct naming *naming, const struct py_frame *from)
{
	struct frame_source source = {naming->family, from->code, from->checksum,
				      from->lasti & ~FRAME_ENTRY};
	const struct frame *frame = stacks_recall(naming->stacks, &source);

	return frame ? frame : name_frame(naming, &source, from);
}

struct stack *symbolise_sample(struct codes *codes, struct stacks *stacks,
			       const struct process *process, const struct sample_record *sample,
			       bool last, unsigned *ret_unknown)
{
	const struct frame *frames[FRAMES_MAX];
	struct naming naming = {codes, stacks, process, sample->family, last, 0};
	size_t wanted = MIN(sample->nframes, FRAMES_MAX), n;
	struct stack *stack = NULL;

	for (n = 0; n < wanted; n++) {
		frames[n] = get_frame(&naming, &sample->frames[n]);
		if (!frames[n])
			break;
	}
	if (n == wanted)
		stack = stacks_intern(stacks, n ? frames : NULL, n);
	while (n)
		stacks_frame_unref(stacks, frames[--n]);
	if (stack)
		*ret_unknown = naming.unknown;
	return stack;
}
