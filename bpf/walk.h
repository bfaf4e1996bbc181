/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks the Python frames of the interrupted thread: thread state → [walk] → sample.frames[].
 *
 * One step visits one frame; the callers repeat it by bpf_loop or by tail calls. Consistent without
 * any lock or pause, because the thread that owns the frames is the one that was interrupted.
 * CPython 3.6–3.15; the shapes are in pycore_frame.h (3.11+) and frameobject.h.
 */
#ifndef PYPROF_BPF_WALK_H
#define PYPROF_BPF_WALK_H

#include "bpf/checksum.h"
#include "bpf/scratch.h"
#include "bpf/user_memory.h"

#define STACK_REACH 16384 /* a data-stack chunk (DATA_STACK_CHUNK_SIZE, pystate.c) */

enum { WALK_NEXT = 0, WALK_END = 1 };

ALWAYS_INLINE __u64 memory_u64(const struct scratch *s, __u32 at)
{
	HIDE(at);
	return load_u64(s->memory + (at & MEMORY_MASK));
}

ALWAYS_INLINE __u64 head_u64(const __u8 *head, __u32 at)
{
	HIDE(at);
	return load_u64(head + (at & HEAD_MASK));
}

ALWAYS_INLINE int walk_lose(struct walk *w, __u32 reason)
{
	w->loss = reason;
	return WALK_END;
}

ALWAYS_INLINE void walk_start(struct walk *w, __u64 frame, __u64 now_ms)
{
	w->frame = frame;
	w->window = 0;
	w->window_size = 0;
	w->near_stack = frame + 1; /* the leaf is taken to lie on the data stack */
	w->near_side = 0;
	w->now_ms = now_ms;
	w->steps = 0;
	w->nframes = 0;
	w->unsent = 0;
	w->loss = LOSS_NONE;
}

ALWAYS_INLINE int frame_below(__u64 frame, __u64 last)
{
	return frame < last && last - frame < STACK_REACH;
}

/*
 * Brings a frame into memory[]; returns where, or negative. 3.11+ frames lie side by side, callers
 * below callees: one read from the start of the page serves all of its frames, and never touches a
 * page that the frame itself does not lie in.
 */
ALWAYS_INLINE long frame_read(struct scratch *s, const struct py_layout *l, __u64 frame)
{
	struct walk *w = &s->walk;
	__u64 at = frame - w->window, start, size;

	if (frame >= w->window && at + l->f_size <= w->window_size)
		return (long)at;
	if ((l->flags & PY_INTERP_FRAMES) &&
	    (frame_below(frame, w->near_stack) || frame_below(frame, w->near_side))) {
		start = frame & ~(__u64)(WALK_PAGE - 1);
		size = frame - start + l->f_size;
		HIDE(size);
		if (size > WALK_PAGE + 128)
			return -1;
		w->window_size = 0;
		if (user_read(s->memory, size, start))
			return -1;
		w->window = start;
		w->window_size = size;
		w->near_stack = frame;
		return (long)(frame - start);
	}
	size = l->f_size;
	HIDE(size);
	if (user_read(s->memory + SIDE, size & HEAD_MASK, frame))
		return -1;
	w->near_side = frame;
	return SIDE;
}

ALWAYS_INLINE __u32 code_set(__u64 code, __u64 family)
{
	return (__u32)(checksum_mix(family, code) >> 20) & (CODE_SLOTS / 2 - 1);
}

/* The slot that holds the code object, else the one to replace: the longer unchecked of its set. */
ALWAYS_INLINE __u32 code_slot_find(const struct code_cache *cache, __u64 code, __u64 family)
{
	__u32 first = code_set(code, family) * 2, second = first + 1;
	const struct code_slot *a = &cache->slots[first & (CODE_SLOTS - 1)];
	const struct code_slot *b = &cache->slots[second & (CODE_SLOTS - 1)];

	if (a->code == code && a->family == family)
		return first;
	if (b->code == code && b->family == family)
		return second;
	return a->checked_ms <= b->checked_ms ? first : second;
}

ALWAYS_INLINE __u32 code_head_checksum(const struct py_layout *l, const __u8 *head)
{
	__u32 name = l->co_qualname != PY_NONE ? l->co_qualname : l->co_name;

	return checksum_code(head_u64(head, name), head_u64(head, l->co_filename),
			     head_u64(head, l->co_linetable), head_u64(head, l->co_consts),
			     (__u32)head_u64(head, l->co_firstlineno));
}

/* A host's gate, or a test's: has the daemon the description already? */
ALWAYS_INLINE int gate_passed(__u64 family, __u64 code, __u32 checksum);

/* Fills the slot from the code object's memory; at: where its frame lies in memory[]. 0; 1: not a
 * code object; negative: unreadable. */
ALWAYS_INLINE int code_check(struct scratch *s, const struct py_layout *l,
			     const struct py_process *p, struct code_slot *slot, __u32 index,
			     __u64 code, __u32 at)
{
	struct walk *w = &s->walk;
	__u64 size = l->co_span, n;
	__u32 checksum;

	HIDE(size);
	if (user_read(s->head, size & HEAD_MASK, code))
		return -1;
	if (p->at.code_type && head_u64(s->head, l->ob_type) != p->at.code_type)
		return 1;
	checksum = code_head_checksum(l, s->head);
	if (slot->code != code || slot->family != p->family || slot->checksum != checksum) {
		slot->code = code;
		slot->family = p->family;
		slot->checksum = checksum;
		slot->first_traceable = 0;
		if (l->co_firsttraceable != PY_NONE)
			slot->first_traceable = 2 * (__s32)head_u64(s->head, l->co_firsttraceable);
		slot->sent = 0;
	}
	slot->checked_ms = w->now_ms;
	if (slot->sent)
		return 0;
	if (gate_passed(p->family, code, checksum)) {
		slot->sent = 1;
		return 0;
	}
	n = w->unsent;
	HIDE(n);
	if (n < UNSENT_MAX) {
		s->unsent[n].code = code;
		s->unsent[n].globals = memory_u64(s, at + l->f_globals);
		s->unsent[n].checksum = checksum;
		s->unsent[n].slot = index;
		w->unsent = n + 1;
	}
	return 0;
}

/* 3.14t+: instructions may be a thread's own copy: entries[tlbc_index] of co_tlbc; entry 0 is the
 * code's own. */
ALWAYS_INLINE __u64 code_start(struct scratch *s, const struct py_layout *l, __u64 code, __u32 at,
			       long *failed)
{
	__s32 index;
	__u64 copies;

	if (!(l->flags & PY_TLBC))
		return code + l->co_code_adaptive;
	index = (__s32)memory_u64(s, at + l->f_tlbc_index);
	if (index <= 0)
		return code + l->co_code_adaptive;
	copies = user_u64(code + l->co_tlbc, failed);
	return user_u64(copies + 8 + 8 * (__u64)index, failed);
}

/* Byte offset of the current instruction; negative before the first one. */
ALWAYS_INLINE __s64 frame_lasti(struct scratch *s, const struct py_layout *l, __u64 code, __u32 at,
				long *failed)
{
	__s64 lasti;

	if (l->flags & PY_INTERP_FRAMES)
		return (__s64)(memory_u64(s, at + l->f_instr) - code_start(s, l, code, at, failed));
	lasti = (__s32)memory_u64(s, at + l->f_instr);
	return l->flags & PY_LASTI_UNITS && lasti > 0 ? lasti * 2 : lasti;
}

ALWAYS_INLINE __u32 frame_owner(const struct scratch *s, const struct py_layout *l, __u32 at)
{
	if (l->f_owner == PY_NONE)
		return 0;
	return (__u8)memory_u64(s, at + l->f_owner);
}

/* The last frame kept was entered natively: what lies below it is a shim. */
ALWAYS_INLINE void walk_mark_entry(struct scratch *s)
{
	__u64 last = (__u64)s->walk.nframes - 1;

	HIDE(last);
	if (last < FRAMES_MAX)
		s->sample.frames[last].lasti |= FRAME_ENTRY;
}

ALWAYS_INLINE int walk_keep(struct scratch *s, __u64 code, __s64 lasti, __u32 checksum, int entry)
{
	struct walk *w = &s->walk;
	__u64 n = w->nframes;

	HIDE(n);
	if (n >= FRAMES_MAX)
		return walk_lose(w, LOSS_TRUNCATED);
	s->sample.frames[n].code = code;
	s->sample.frames[n].checksum = checksum;
	s->sample.frames[n].lasti =
	    lasti < 0 || lasti >= FRAME_LASTI_NONE ? FRAME_LASTI_NONE : (__u32)lasti;
	if (entry)
		s->sample.frames[n].lasti |= FRAME_ENTRY;
	w->nframes = n + 1;
	return WALK_NEXT;
}

/* Visits walk.frame. WALK_NEXT, or WALK_END with walk.loss set when the stack is not complete. */
ALWAYS_INLINE int walk_step(struct scratch *s, const struct py_layout *l,
			    const struct py_process *p, struct code_cache *cache)
{
	struct walk *w = &s->walk;
	__u64 frame = w->frame, code;
	__u32 index, at, owner;
	struct code_slot *slot;
	long failed = 0;
	__s64 lasti;
	int r;

	if (!frame)
		return WALK_END;
	if (w->steps++ >= WALK_STEPS_MAX)
		return walk_lose(w, LOSS_TRUNCATED);
	failed = frame_read(s, l, frame);
	if (failed < 0)
		return walk_lose(w, LOSS_UNREADABLE);
	*(volatile __u32 *)&w->at = (__u32)failed;
	at = *(volatile __u32 *)&w->at;
	failed = 0;
	w->frame = memory_u64(s, at + l->f_previous);
	owner = frame_owner(s, l, at);
	if (owner >= l->f_owner_shim) {
		walk_mark_entry(s);
		return WALK_NEXT;
	}
	code = memory_u64(s, at + l->f_code);
	if (l->flags & PY_TAGGED)
		code &= ~3ull;
	if (!code)
		return WALK_NEXT;
	*(volatile __u32 *)&w->index = code_slot_find(cache, code, p->family);
	index = *(volatile __u32 *)&w->index;
	slot = &cache->slots[index & (CODE_SLOTS - 1)];
	if (slot->code != code || slot->family != p->family || w->nframes < VERIFIED_LEAVES ||
	    (__u32)w->now_ms - slot->checked_ms > CACHE_MS) {
		r = code_check(s, l, p, slot, index, code, at);
		if (r > 0)
			return WALK_NEXT;
		if (r < 0)
			return walk_lose(w, LOSS_UNREADABLE);
	}
	lasti = frame_lasti(s, l, code, at, &failed);
	if (failed)
		return walk_lose(w, LOSS_UNREADABLE);
	/* A frame that has not reached its first traced instruction is not shown by CPython either
	 * (_PyFrame_IsIncomplete); the cleanup shim of specialised __init__ calls is one. */
	if (l->co_firsttraceable != PY_NONE && owner != l->f_owner_generator &&
	    lasti < slot->first_traceable)
		return WALK_NEXT;
	return walk_keep(s, code, lasti, slot->checksum,
			 l->f_is_entry == PY_NONE ? !(l->flags & PY_INTERP_FRAMES)
						  : (__u8)memory_u64(s, at + l->f_is_entry));
}

#endif
