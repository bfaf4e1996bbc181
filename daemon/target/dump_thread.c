/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/dump_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/base/map.h"
#include "daemon/target/pycode.h"
#include "daemon/target/pylocals.h"
#include "daemon/target/pymodule.h"
#include "daemon/target/syscall.h"
#include "daemon/target/wait.h"

static void map_free_ptr(struct map **map)
{
	map_free(*map);
}

/* The code objects of this read; recursion meets the same ones. */
static void codes_free(struct map **codes)
{
	struct pycode *code;

	if (!*codes)
		return;
	for (size_t at = 0; (code = map_next(*codes, &at, NULL));)
		pycode_done(code);
	map_free_ptr(codes);
}

/* Valid until the next one is asked for. */
static int code_get(struct dump_reader *reader, struct map *codes, uint64_t address,
		    const struct pycode **ret_code)
{
	struct pycode *code = map_get(codes, &address);
	struct pycode fresh;
	int r;

	if (!code) {
		r = pycode_read(&reader->reader, address, &fresh);
		if (r < 0)
			return r;
		code = map_put(codes, &address, NULL);
		if (!code) {
			pycode_done(&fresh);
			return -ENOMEM;
		}
		*code = fresh;
		reader->bytes += fresh.table_size;
	}
	*ret_code = code;
	return 0;
}

/* Where it cannot be told the frame has none. */
static void frame_module(const struct pyreader *reader, uint64_t address, struct dump_frame *frame)
{
	uint64_t globals;

	if (pyreader_u64(reader, address, reader->objects->f_globals, &globals) == 0)
		frame->module_truncated = pymodule_name(reader, globals, &frame->module) > 0;
}

static void frame_done(struct dump_frame *frame)
{
	free(frame->function);
	free(frame->module);
	free(frame->file);
	free(frame->locals);
	*frame = (struct dump_frame){0};
}

void dump_thread_clear(struct dump_thread *thread)
{
	for (size_t i = 0; i < thread->nframes; i++)
		frame_done(&thread->frames[i]);
	free(thread->frames);
	thread->frames = NULL;
	thread->nframes = 0;
	thread->truncated = false;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) : 0;
}

static int frame_name(struct dump_reader *reader, struct map *codes,
		      const struct pystack_frame *from, struct dump_frame *to)
{
	const struct pycode *code;
	int r = loop_now_ns() < reader->end_ns ? 0 : -ETIME;

	if (r == 0)
		r = code_get(reader, codes, from->code, &code);

	if (r < 0)
		return r;
	to->function = strdup(code->function);
	to->file = strdup(code->file);
	to->function_truncated = code->function_cut;
	to->file_truncated = code->file_cut;
	to->line = pycode_line(&reader->reader, code, from->lasti);
	frame_module(&reader->reader, from->address, to);
	if (!to->function || !to->file)
		return -ENOMEM;
	/* values of a running program may be gone as they are read: the frame still stands */
	if (reader->locals && pylocals_read(&reader->reader, from, &to->locals) == -ENOMEM)
		return -ENOMEM;
	reader->bytes += sizeof(*to) + text_size(to->function) + text_size(to->file) +
			 text_size(to->module) + text_size(to->locals);
	return reader->bytes > DUMP_THREAD_BYTES_MAX ? -E2BIG : 0;
}

int dump_thread_frames(struct dump_reader *reader, const struct pystack *stack, size_t skip,
		       struct dump_thread *thread)
{
	_cleanup_(codes_free) struct map *codes = map_new(sizeof(uint64_t), sizeof(struct pycode));
	size_t n = stack->nframes - skip;
	int r = 0;

	thread->frames = calloc(n + 1, sizeof(*thread->frames));
	if (!codes || !thread->frames)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		thread->nframes = i + 1;
		r = frame_name(reader, codes, &stack->frames[skip + i], &thread->frames[i]);
	}
	thread->truncated = stack->truncated || skip;
	if (r < 0)
		dump_thread_clear(thread);
	return r;
}

int dump_thread_read(struct dump_reader *reader, const struct pythread *python,
		     struct dump_thread *thread)
{
	size_t bytes = reader->bytes;
	int r;

	dump_thread_clear(thread);
	if (!pythreads_same(&reader->reader, python))
		return -EBADMSG;
	r = pystack_walk(&reader->reader, python->state, &reader->stack);
	if (r == 0)
		r = dump_thread_frames(reader, &reader->stack, 0, thread);
	if (r < 0)
		reader->bytes = bytes;
	return r;
}

void dump_thread_set_state(struct dump_thread *thread, pid_t pid, char letter,
			   const struct procthread_call *call, bool ran)
{
	thread->syscall = NULL;
	thread->wait_cause = NULL;
	if (letter == 'Z' || letter == 'X') {
		thread->state = "dead";
	} else if (letter == 'T' || letter == 't') {
		thread->state = "stopped";
	} else if (letter == 'R') {
		thread->state = ran ? "running" : "runnable";
		thread->wait_cause = ran ? NULL : "runqueue";
	} else {
		thread->state = "waiting";
		if (call->running) /* what it sleeps in cannot be read */
			return;
		thread->syscall = syscall_name(call->number);
		thread->wait_cause = wait_cause(pid, call);
	}
}
