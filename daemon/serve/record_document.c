/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* profile → frames[] and stacks[]. Two passes: the first numbers the frames, the second writes the
 * stacks. */
#include "daemon/serve/record_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/profile/resource.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/members.h"
#include "daemon/target/syscall.h"

struct record {
	struct selection selection;
	struct map *processes;       /* generation → struct process * */
	struct map *numbers;         /* frame id → index (uint32_t) */
	const struct frame **frames; /* by index */
	size_t nframes, room;
};

static void record_done(struct record *record)
{
	selection_done(&record->selection);
	map_free(record->processes);
	map_free(record->numbers);
	free(record->frames);
}

static int frame_number(struct record *record, const struct frame *frame)
{
	bool is_new;
	uint32_t *number = map_put(record->numbers, &frame->id, &is_new);

	if (!number)
		return -1;
	if (!is_new)
		return 0;
	if (record->nframes == record->room) {
		size_t room = record->room ? record->room * 2 : 256;
		void *moved = realloc(record->frames, room * sizeof(frame));

		if (!moved)
			return -1;
		record->frames = moved;
		record->room = room;
	}
	*number = (uint32_t)record->nframes;
	record->frames[record->nframes++] = frame;
	return 0;
}

static int processes_index(struct record *record)
{
	for (size_t i = 0; i < record->selection.nprocesses; i++) {
		struct process **slot =
		    map_put(record->processes, &record->selection.processes[i]->generation, NULL);

		if (!slot)
			return -1;
		*slot = record->selection.processes[i];
	}
	return 0;
}

static struct process *process_of(const struct record *record, const struct profile_key *key)
{
	struct process **slot = map_get(record->processes, &key->generation);

	return slot ? *slot : NULL;
}

static int frames_number(struct record *record, const struct profile *profile)
{
	const struct profile_key *key;

	for (size_t at = 0; profile_next(profile, &at, &key);) {
		if (!process_of(record, key))
			continue;
		for (uint32_t i = 0; i < key->stack->nframes; i++)
			if (frame_number(record, key->stack->frames[i]) < 0)
				return -1;
	}
	return 0;
}

static int record_make(struct view *view, struct record *record)
{
	int r = view_processes(view, &record->selection);

	if (r < 0)
		return r;
	record->processes = map_new(sizeof(uint64_t), sizeof(struct process *));
	record->numbers = map_new(sizeof(uint32_t), sizeof(uint32_t));
	if (!record->processes || !record->numbers || processes_index(record) < 0 ||
	    frames_number(record, view->profile) < 0)
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	return 0;
}

static void write_frames(struct json *json, const struct record *record)
{
	json_array(json, "frames");
	for (size_t i = 0; i < record->nframes; i++) {
		json_object(json, NULL);
		fields_place(json, record->frames[i], record->frames[i]->line);
		fields_name(json, "module", record->frames[i]->module);
		json_string(json, "kind", fields_kind(record->frames[i]->kind));
		json_end(json);
	}
	json_end(json);
}

static void write_thread(struct json *json, struct process *process, uint32_t tid)
{
	const struct thread *thread = process->threads ? map_get(process->threads, &tid) : NULL;

	json_uint(json, "tid", tid);
	if (!thread)
		json_null(json, "thread");
	else if (thread->python_name)
		json_string(json, "thread", thread->python_name);
	else
		json_bytes(json, "thread", thread->comm,
			   strnlen(thread->comm, sizeof(thread->comm)));
	json_null(json, "task");
}

/* What of the resource it was: "read socket", "openat"; null where there is nothing to tell apart.
 */
static void write_detail(struct json *json, const struct profile_key *key)
{
	static const char *const kinds[IO_KINDS] = {[IO_FILE] = "file",
						    [IO_SOCKET] = "socket",
						    [IO_PIPE] = "pipe",
						    [IO_TTY] = "tty",
						    [IO_OTHER] = "other"};
	const char *name = NULL;
	char text[32] = "";

	if (key->resource == RESOURCE_READ || key->resource == RESOURCE_WRITE)
		snprintf(text, sizeof(text), "%s %s",
			 key->resource == RESOURCE_READ ? "read" : "write",
			 kinds[MIN(key->detail, IO_OTHER)]);
	else if (key->resource == RESOURCE_MEMORY && key->detail == MEMORY_AGAIN)
		snprintf(text, sizeof(text), "again");
	else if (key->resource == RESOURCE_SYSCALL)
		name = syscall_name((long)key->detail);
	if (key->resource == RESOURCE_SYSCALL && !name)
		snprintf(text, sizeof(text), "%lu", (unsigned long)key->detail);
	json_string(json, "detail", name ? name : text[0] ? text : NULL);
}

static void write_state(struct json *json, const struct profile_key *key)
{
	static const char *const gils[] = {[GIL_UNKNOWN] = NULL,
					   [GIL_HELD] = "held",
					   [GIL_WANTED] = "wanted",
					   [GIL_RELEASED] = "released",
					   [GIL_NONE] = NULL};
	static const char *const leaves[] = {
	    [LEAF_PYTHON] = "python", [LEAF_NATIVE] = "native", [LEAF_SYSTEM] = "system"};

	json_string(json, "gil", key->gil < ARRAY_SIZE(gils) ? gils[key->gil] : NULL);
	json_string(json, "leaf", key->leaf < ARRAY_SIZE(leaves) ? leaves[key->leaf] : NULL);
	json_bool(json, "truncated", key->partial != 0);
	write_detail(json, key);
}

static void write_stack(struct json *json, const struct record *record,
			const struct profile_key *key, const struct profile_value *value)
{
	struct process *process = process_of(record, key);

	if (!process)
		return;
	json_object(json, NULL);
	json_int(json, "pid", process->pid);
	json_uint(json, "start_time_ns", process->start_time_ns);
	write_thread(json, process, key->tid);
	json_uint(json, "weight", value->weight);
	json_uint(json, "samples", value->samples);
	write_state(json, key);
	json_array(json, "frames");
	for (uint32_t i = 0; i < key->stack->nframes; i++) {
		const uint32_t *number = map_get(record->numbers, &key->stack->frames[i]->id);

		json_uint(json, NULL, *number);
	}
	json_end(json);
	json_end(json);
}

static uint64_t samples_written(const struct record *record, const struct profile *profile)
{
	const struct profile_value *value;
	const struct profile_key *key;
	uint64_t samples = 0;

	for (size_t at = 0; (value = profile_next(profile, &at, &key));)
		if (process_of(record, key))
			samples += value->samples;
	return samples;
}

/* A look back has no counters of its own span: the kernel counts since each process began. */
static void write_counts(struct view *view, struct json *json, const struct record *record)
{
	uint64_t samples = samples_written(record, view->profile);
	uint64_t gone = profile_samples(view->profile) - samples;
	struct process_ticks ticks;

	/* Too many distinct stacks: these samples kept their weight and lost their frames. */
	json_uint(json, "overflowed", profile_overflowed(view->profile));
	if (view->active) {
		members_ticks(view->active, &ticks);
		/* Of processes that left the table: they ended long before the recording did. */
		gone = MIN(gone, ticks.samples);
		ticks.lost[LOSS_STALE] += gone;
		json_uint(json, "samples", ticks.samples - gone);
		fields_events(json, &ticks);
		return;
	}
	json_null(json, "events");
	json_uint(json, "samples", samples);
	json_null(json, "lost");
	json_string(json, "reason", "losses are counted for recordings, not for looking back");
}

static void write_processes(struct view *view, struct json *json, const struct record *record)
{
	json_array(json, "processes");
	for (size_t i = 0; i < record->selection.nprocesses; i++) {
		json_object(json, NULL);
		fields_process(json, view->request->serving, record->selection.processes[i],
			       (uint64_t)(view->seconds * 1e9));
		json_end(json);
	}
	json_end(json);
}

int record_document(struct view *view)
{
	_cleanup_(record_done) struct record record = {0};
	const struct profile_value *value;
	const struct profile_key *key;
	const struct resource_name *resource = resource_of(view->resources);
	struct json json;
	int r = record_make(view, &record);

	if (r < 0)
		return r;
	if (!resource)
		return error_set(&view->request->error, API_INTERNAL, "a mix of resources");
	request_begin(view->request, &json);
	json_string(&json, "resource", resource->name);
	json_string(&json, "unit", resource->unit);
	if (view->resources == RESOURCE_BIT(RESOURCE_CPU))
		json_uint(&json, "hz", view->hz);
	else
		json_null(&json, "hz"); /* by amount, not by time */
	json_uint(&json, "started_time_ns", view->started_wall_ns);
	json_real(&json, "seconds", view->seconds, 3);
	write_counts(view, &json, &record);
	write_processes(view, &json, &record);
	write_frames(&json, &record);
	json_array(&json, "stacks");
	for (size_t at = 0; (value = profile_next(view->profile, &at, &key));)
		write_stack(&json, &record, key, value);
	json_end(&json);
	json_end(&json);
	return 0;
}
