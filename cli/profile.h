/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The `record` document as the formats need it: which stacks count, how frames are called. Pure. */
#ifndef PYPROF_CLI_PROFILE_H
#define PYPROF_CLI_PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/text.h"

struct profile_options {
	bool gil;            /* only samples whose thread held the GIL */
	bool threads;        /* the thread is the root */
	bool function;       /* sum by function: no line */
	bool nolineno;       /* no line, though lines are told apart */
	bool full_filenames; /* else the part inside the package */
};

/* A stack to show, with its frames root first: indices into the document's frames[]. */
struct profile_stack {
	const json_t *stack;   /* of the document */
	const json_t *process; /* its element of processes[], NULL when unknown */
	int64_t pid, tid;
	uint64_t weight, samples;
	uint32_t *frames;
	size_t nframes;
	bool truncated;
};

struct profile_stacks {
	struct profile_stack *stacks; /* ordered by process, thread, frames */
	size_t count;
	uint64_t samples; /* of those taken */
};

/* 0, -ENOMEM, or -EBADMSG when the document is not as it should be. */
int profile_read(const json_t *document, const struct profile_options *options,
		 struct profile_stacks *ret_stacks);
void profile_stacks_done(struct profile_stacks *stacks);

/* "parse (orm/query.py:88)". Foreign text, without control characters. */
void profile_frame_name(struct text *out, const json_t *frame,
			const struct profile_options *options);
/* The file as the options say; NULL when unknown. Points into the frame. */
const char *profile_file(const json_t *frame, const struct profile_options *options);
/* process 42: python3 app.py */
void profile_process_name(struct text *out, const struct profile_stack *stack);
/* thread 43 "MainThread" */
void profile_thread_name(struct text *out, const struct profile_stack *stack);

#endif
