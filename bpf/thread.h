/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the PyThreadState of the interrupted thread: cache → pthread key → the interpreters' thread
 * lists.
 *
 * Not through _Py_tss_tstate (3.12+): it is NULL whenever the GIL is released, which is when NumPy
 * works and when a thread is blocked. The identity is PyThreadState.thread_id == pthread_self() ==
 * the FS base (glibc and musl), the same in every pid namespace; it is verified by the read that
 * fetches the frame pointer, at each use.
 */
#ifndef PYPROF_BPF_THREAD_H
#define PYPROF_BPF_THREAD_H

#include "bpf/scratch.h"
#include "bpf/user_memory.h"
#include "bpf/walk.h"

/* glibc x86-64, 2.27–2.43: struct pthread.specific_1stblock, .specific; 16-byte entries, data at +8
 */
#define GLIBC_KEYS 0x310
#define GLIBC_KEY_BLOCKS 0x510
#define GLIBC_KEYS_PER_BLOCK 32

/* Reads the head of a thread state into s->thread. 0 when it is `ident`'s. */
ALWAYS_INLINE int thread_read(struct scratch *s, const struct py_layout *l, __u64 state,
			      __u64 ident)
{
	__u64 size = l->ts_span;

	HIDE(size);
	if (!state || user_read(s->thread, size & HEAD_MASK, state))
		return -1;
	return head_u64(s->thread, l->ts_thread_id) == ident ? 0 : 1;
}

/* The value of the pthread key that holds the thread state; 0 when unset or unreadable. *starting:
 * no key yet. */
ALWAYS_INLINE __u64 thread_by_key(const struct py_process *p, __u64 ident, int *starting)
{
	struct {
		__s32 initialised, key;
	} tss = {0, 0}; /* Py_tss_t, pythread.h 3.7+ */
	long failed = 0;
	__u64 block;

	if (!p->at.tss_key)
		return 0;
	if (user_read(&tss, sizeof(tss), p->at.tss_key - 4) || !tss.initialised) {
		*starting = 1;
		return 0;
	}
	if (tss.key < 0 || tss.key >= 1024)
		return 0;
	if (tss.key < GLIBC_KEYS_PER_BLOCK)
		return user_u64(ident + GLIBC_KEYS + 16 * (__u64)tss.key + 8, &failed);
	block = user_u64(ident + GLIBC_KEY_BLOCKS + 8 * ((__u64)tss.key / GLIBC_KEYS_PER_BLOCK),
			 &failed);
	if (!block)
		return 0;
	return user_u64(block + 16 * ((__u64)tss.key % GLIBC_KEYS_PER_BLOCK) + 8, &failed);
}

/* 1 when the number is not 0, else 0: without the branch that the compiler would make of `!= 0`. */
ALWAYS_INLINE __u64 number_is_set(__u64 number)
{
	__u64 negated = -number;

	HIDE(negated);
	return (number | negated) >> 63;
}

/*
 * The interpreters' first thread states → s->lists[], 0 behind the last. Negative: unreadable.
 *
 * This loop and the next have one way through and read without asking whether it went well (the
 * kernel fills what it cannot read with 0): with every further way the verifier's work doubles, and
 * clang 19's code of a branching loop passed its limit of a million instructions.
 */
ALWAYS_INLINE long thread_lists(struct scratch *s, const struct py_layout *l, __u64 interp)
{
	long bad = 0;
	__u64 n = 0, first;

	for (int i = 0; i < LISTS_MAX - 1 && interp; i++) {
		bad |= user_read(&s->link, 8, interp + l->is_threads_head);
		first = *(volatile __u64 *)&s->link;
		HIDE(n);
		s->lists[n & (LISTS_MAX - 1)] = first;
		n += number_is_set(first); /* an interpreter without threads leaves no gap */
		HIDE(n);
		s->lists[n & (LISTS_MAX - 1)] = 0;
		bad |= user_read(&s->link, 8, interp + l->is_next);
		interp = *(volatile __u64 *)&s->link;
	}
	return bad;
}

/* Walks interpreters and their threads; s->thread is the match when found. 0 = not in the lists. */
ALWAYS_INLINE __u64 thread_by_list(struct scratch *s, const struct py_layout *l,
				   const struct py_process *p, __u64 ident, __u32 *loss)
{
	long failed = 0, bad;
	__u64 interp = user_u64(p->at.interp_head, &failed), size = l->ts_span, state, end;
	__u64 list = 0;

	if (!interp) {
		*loss = LOSS_STARTING;
		return 0;
	}
	bad = thread_lists(s, l, interp);
	state = *(volatile __u64 *)&s->lists[0];
	for (int i = 0; i < THREAD_LIST_MAX && state; i++) {
		HIDE(size);
		bad |= user_read(s->thread, size & HEAD_MASK, state);
		if (head_u64(s->thread, l->ts_thread_id) == ident)
			return state;
		state = head_u64(s->thread, l->ts_next);
		/* At a list's end the next list's first, without a branch: end is 1 there, else 0.
		 */
		end = 1 - number_is_set(state);
		HIDE(end);
		list += end;
		HIDE(list);
		state |= s->lists[list & (LISTS_MAX - 1)] & -end;
	}
	if (state)
		*loss = LOSS_NO_THREAD_STATE;
	else if (bad < 0)
		*loss = LOSS_UNREADABLE;
	return 0;
}

/* remembered: that it was in no list a moment ago. */
ALWAYS_INLINE __u64 thread_search(struct scratch *s, const struct py_layout *l,
				  const struct py_process *p, __u64 ident, int remembered,
				  __u32 *loss)
{
	int starting = 0;
	__u64 state = thread_by_key(p, ident, &starting);

	if (starting) {
		*loss = LOSS_STARTING;
		return 0;
	}
	if (state && thread_read(s, l, state, ident) == 0)
		return state;
	return remembered ? 0 : thread_by_list(s, l, p, ident, loss);
}

/*
 * The thread state of this thread, its head in s->thread; 0: a native thread, or *loss says what
 * went wrong. Threads without Python state would walk the whole list at every sample, so their
 * absence is remembered too, but only when seen twice: a thread that has just started is in no list
 * for some microseconds (3.12+: its thread_id is 0 until it is bound). The key is asked each time:
 * a thread that C made has a state during each call of Python only, a new one each time, while a
 * freed one still shows its thread_id (PyGILState_Ensure, pystate.c).
 */
ALWAYS_INLINE __u64 thread_find(struct scratch *s, const struct py_layout *l,
				const struct py_process *p, struct thread_cache *cache, __u32 tid,
				__u64 ident, __u64 now_ms, __u32 *loss)
{
	struct thread_slot *slot = &cache->slots[tid & (THREAD_SLOTS - 1)];
	int known = slot->tid == tid && slot->generation == p->generation, remembered = 0;
	__u64 state;

	if (known && now_ms - slot->checked_ms < CACHE_MS) {
		remembered = !slot->state && slot->absent > 1;
		if (slot->state && !p->at.tss_key && thread_read(s, l, slot->state, ident) == 0)
			return slot->state;
	}
	state = thread_search(s, l, p, ident, remembered, loss);
	if (remembered && !state && !*loss)
		return 0;
	slot->absent = state ? 0 : known ? slot->absent + 1 : 1;
	slot->tid = *loss ? 0 : tid;
	slot->generation = p->generation;
	slot->state = state;
	slot->checked_ms = now_ms;
	return state;
}

/* The innermost frame, 0 when the thread runs no Python code. */
ALWAYS_INLINE __u64 thread_frame(const struct scratch *s, const struct py_layout *l)
{
	__u64 frame = head_u64(s->thread, l->ts_frame);
	long failed = 0;

	if (l->flags & PY_CFRAME && frame)
		return user_u64(frame + l->cframe_current, &failed);
	return frame;
}

/* Address of the GIL structure that this thread takes; 0: unknown. */
ALWAYS_INLINE __u64 gil_address(const struct scratch *s, const struct py_layout *l,
				const struct py_process *p)
{
	long failed = 0;

	if (l->flags & PY_GIL_IN_INTERP)
		return user_u64(head_u64(s->thread, l->ts_interp) + l->is_gil, &failed);
	return p->at.gil;
}

/* To 3.6 (daemon/target/image_gil.c): there is a holder only while the GIL is held. */
ALWAYS_INLINE enum gil_state gil_state_of_variables(const struct py_layout *l, __u64 gil,
						    __u64 state, __u64 futex)
{
	long failed = 0;
	__u64 holder = user_u64(gil + l->gil_holder, &failed);

	if (failed || (futex && l->gil_cond == PY_NONE))
		return GIL_UNKNOWN;
	if (holder == state)
		return GIL_HELD;
	return futex - gil < l->gil_size ? GIL_WANTED : GIL_RELEASED;
}

/*
 * Whether the thread holds the GIL. futex: the address that it waits on, 0 when it is not in
 * futex(2). A futex inside the GIL structure is a wait for the GIL: exact, no symbols needed.
 */
ALWAYS_INLINE enum gil_state gil_state_of(const struct scratch *s, const struct py_layout *l,
					  const struct py_process *p, __u64 state, __u64 futex)
{
	__u64 gil, raw[4] = {0, 0, 0, 0};
	__u32 holder = l->gil_holder, locked = l->gil_locked;

	if (l->ts_holds_gil != PY_NONE && !(l->flags & PY_FREE_THREADED) &&
	    (__u32)head_u64(s->thread, l->ts_holds_gil))
		return GIL_HELD;
	gil = gil_address(s, l, p);
	if (gil && locked == PY_NONE)
		return gil_state_of_variables(l, gil, state, futex);
	if (!gil || user_read(raw, sizeof(raw), gil))
		return GIL_UNKNOWN;
	/* struct _gil_runtime_state: [enabled +0,] interval, last_holder, locked; 8-byte steps. */
	if (l->flags & PY_FREE_THREADED && !(__u32)raw[0])
		return GIL_NONE;
	if (holder == 8 && locked == 16 && (__s32)raw[2] == 1 && raw[1] == state)
		return GIL_HELD;
	if (holder == 16 && locked == 24 && (__s32)raw[3] == 1 && raw[2] == state)
		return GIL_HELD;
	if (futex >= gil && futex < gil + l->gil_size)
		return GIL_WANTED;
	if (l->ts_gil_requested != PY_NONE && (__u32)head_u64(s->thread, l->ts_gil_requested))
		return GIL_WANTED;
	return GIL_RELEASED;
}

#endif
