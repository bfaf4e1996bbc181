/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/profile/stack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/map.h"
#include "daemon/symbol/strings.h"

#define OVERFLOW_NAME "[overflow]"
/* The frames of one busy host; 256 KiB. A slot keeps its frame alive, so this bounds what stays. */
#define RECALL_SLOTS 8192

struct recall_slot {
	struct frame_source source;
	const struct frame *frame; /* referenced; NULL = free */
};

struct stacks {
	struct set stacks, frames;
	size_t bytes; /* of both kinds of nodes */
	uint64_t overflowed;
	uint32_t *free_ids; /* of frames that are gone */
	size_t free_count, free_room;
	uint32_t next_id;
	struct recall_slot recall[RECALL_SLOTS];
};

/* What makes two frames the same. Hashed bytewise: padding must be zero. */
struct frame_key {
	struct frame_names names; /* interned */
	int line, first_line, kind, zero;
};

struct stack_key {
	const struct frame *const *frames;
	size_t nframes;
};

struct stacks *stacks_new(void)
{
	return calloc(1, sizeof(struct stacks));
}

void stacks_free(struct stacks *stacks)
{
	if (!stacks)
		return;
	for (size_t i = 0; i < RECALL_SLOTS; i++)
		stacks_frame_unref(stacks, stacks->recall[i].frame);
	set_done(&stacks->stacks);
	set_done(&stacks->frames);
	free(stacks->free_ids);
	free(stacks);
}

/* ---- ids ---- */

static uint32_t id_take(struct stacks *stacks)
{
	return stacks->free_count ? stacks->free_ids[--stacks->free_count] : stacks->next_id++;
}

/* Out of memory: the id is lost, which only makes ids less dense. */
static void id_give(struct stacks *stacks, uint32_t id)
{
	if (stacks->free_count == stacks->free_room) {
		size_t room = stacks->free_room ? stacks->free_room * 2 : 64;
		uint32_t *ids = realloc(stacks->free_ids, room * sizeof(*ids));

		if (!ids)
			return;
		stacks->free_ids = ids;
		stacks->free_room = room;
	}
	stacks->free_ids[stacks->free_count++] = id;
}

static void ids_reset(struct stacks *stacks)
{
	free(stacks->free_ids);
	stacks->free_ids = NULL;
	stacks->free_count = stacks->free_room = stacks->next_id = 0;
}

/* ---- frames ---- */

static bool frame_equal(const struct set_node *node, const void *data)
{
	const struct frame *frame = (const struct frame *)node;
	const struct frame_key *key = data;

	return frame->function == key->names.function && frame->file == key->names.file &&
	       frame->module == key->names.module && frame->line == key->line &&
	       frame->first_line == key->first_line && (int)frame->kind == key->kind;
}

static const char *name_ref(const char *name)
{
	return name ? strings_ref(name) : NULL;
}

static struct frame *frame_new(struct stacks *stacks, const struct frame_key *key, uint64_t hash)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame || !set_insert(&stacks->frames, &frame->node, hash)) {
		free(frame);
		return NULL;
	}
	frame->function = name_ref(key->names.function);
	frame->file = name_ref(key->names.file);
	frame->module = name_ref(key->names.module);
	frame->line = key->line;
	frame->first_line = key->first_line;
	frame->kind = (enum frame_kind)key->kind;
	frame->id = id_take(stacks);
	stacks->bytes += sizeof(*frame);
	return frame;
}

static struct frame *frame_get(struct stacks *stacks, const struct frame_key *key)
{
	uint64_t hash = map_hash(key, sizeof(*key));
	struct frame *frame = (struct frame *)set_find(&stacks->frames, hash, frame_equal, key);

	if (!frame)
		frame = frame_new(stacks, key, hash);
	if (frame)
		frame->references++;
	return frame;
}

static const char *name_intern(const char *name)
{
	return name ? strings_intern(name, strlen(name)) : NULL;
}

static bool stacks_full(struct stacks *stacks)
{
	if (stacks_bytes(stacks) < STACKS_BYTES_MAX)
		return false;
	stacks->overflowed++;
	return true;
}

const struct frame *stacks_frame_named(struct stacks *stacks, const struct frame_names *names,
				       int line, int first_line, enum frame_kind kind)
{
	return frame_get(stacks, &(struct frame_key){*names, line, first_line, (int)kind, 0});
}

const struct frame *stacks_frame(struct stacks *stacks, const char *function, const char *file,
				 int line, int first_line, enum frame_kind kind)
{
	struct frame_names names = {name_intern(function), name_intern(file), NULL};
	const struct frame *frame = NULL;

	if ((!function || names.function) && (!file || names.file))
		frame = stacks_frame_named(stacks, &names, line, first_line, kind);
	strings_unref(names.function);
	strings_unref(names.file);
	return frame;
}

static struct frame *frame_ref(const struct frame *frame)
{
	struct frame *counted = (struct frame *)frame;

	counted->references++;
	return counted;
}

void stacks_frame_unref(struct stacks *stacks, const struct frame *constant)
{
	struct frame *frame = (struct frame *)constant;

	if (!frame || --frame->references)
		return;
	set_remove(&stacks->frames, &frame->node);
	strings_unref(frame->function);
	strings_unref(frame->file);
	strings_unref(frame->module);
	if (stacks->frames.count)
		id_give(stacks, frame->id);
	else
		ids_reset(stacks);
	stacks->bytes -= sizeof(*frame);
	free(frame);
}

/* ---- stacks ---- */

static size_t stack_size(size_t nframes)
{
	return sizeof(struct stack) + nframes * sizeof(const struct frame *);
}

static bool stack_equal(const struct set_node *node, const void *data)
{
	const struct stack *stack = (const struct stack *)node;
	const struct stack_key *key = data;

	return stack->nframes == key->nframes &&
	       (!key->nframes ||
		!memcmp(stack->frames, key->frames, key->nframes * sizeof(key->frames[0])));
}

static struct stack *stack_new(struct stacks *stacks, const struct stack_key *key, uint64_t hash)
{
	struct stack *stack = calloc(1, stack_size(key->nframes));

	if (!stack || !set_insert(&stacks->stacks, &stack->node, hash)) {
		free(stack);
		return NULL;
	}
	stack->nframes = (uint32_t)key->nframes;
	for (size_t i = 0; i < key->nframes; i++)
		stack->frames[i] = frame_ref(key->frames[i]);
	stacks->bytes += stack_size(key->nframes);
	return stack;
}

/* `limited`: may be refused. */
static struct stack *stack_get(struct stacks *stacks, const struct stack_key *key, bool limited)
{
	uint64_t hash = map_hash(key->frames, key->nframes * sizeof(key->frames[0]));
	struct stack *stack = (struct stack *)set_find(&stacks->stacks, hash, stack_equal, key);

	if (!stack && limited && stacks_full(stacks))
		return stacks_overflow(stacks);
	if (!stack)
		stack = stack_new(stacks, key, hash);
	return stack ? stacks_ref(stack) : NULL;
}

struct stack *stacks_intern(struct stacks *stacks, const struct frame *const *frames,
			    size_t nframes)
{
	return stack_get(stacks, &(struct stack_key){frames, nframes}, true);
}

struct stack *stacks_overflow(struct stacks *stacks)
{
	const struct frame *frame =
	    stacks_frame(stacks, OVERFLOW_NAME, NULL, 0, 0, FRAME_KIND_MARKER);
	struct stack *stack = NULL;

	if (frame)
		stack = stack_get(stacks, &(struct stack_key){&frame, 1}, false);
	stacks_frame_unref(stacks, frame);
	return stack;
}

struct stack *stacks_ref(struct stack *stack)
{
	stack->references++;
	return stack;
}

void stacks_unref(struct stacks *stacks, struct stack *stack)
{
	if (!stack || --stack->references)
		return;
	set_remove(&stacks->stacks, &stack->node);
	for (size_t i = 0; i < stack->nframes; i++)
		stacks_frame_unref(stacks, stack->frames[i]);
	stacks->bytes -= stack_size(stack->nframes);
	free(stack);
}

/* ---- recall ---- */

static struct recall_slot *recall_slot(struct stacks *stacks, const struct frame_source *source)
{
	return &stacks->recall[map_hash(source, sizeof(*source)) % RECALL_SLOTS];
}

const struct frame *stacks_recall(struct stacks *stacks, const struct frame_source *source)
{
	struct recall_slot *slot = recall_slot(stacks, source);

	if (!slot->frame || memcmp(&slot->source, source, sizeof(*source)) != 0)
		return NULL;
	return frame_ref(slot->frame);
}

void stacks_remember(struct stacks *stacks, const struct frame_source *source,
		     const struct frame *frame)
{
	struct recall_slot *slot = recall_slot(stacks, source);
	const struct frame *old = slot->frame;

	slot->source = *source;
	slot->frame = frame_ref(frame);
	stacks_frame_unref(stacks, old);
}

/* ---- figures ---- */

size_t stacks_bytes(const struct stacks *stacks)
{
	return sizeof(*stacks) + stacks->bytes + set_bytes(&stacks->stacks) +
	       set_bytes(&stacks->frames) + stacks->free_room * sizeof(*stacks->free_ids);
}

size_t stacks_count(const struct stacks *stacks)
{
	return stacks->stacks.count;
}

size_t stacks_frame_count(const struct stacks *stacks)
{
	return stacks->frames.count;
}

uint64_t stacks_overflowed(const struct stacks *stacks)
{
	return stacks->overflowed;
}
