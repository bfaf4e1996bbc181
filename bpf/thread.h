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

/* Walks interpreters and their threads; s->thread is the match when found. 0 = not in the lists. */
ALWAYS_INLINE __u64 thread_by_list(struct scratch *s, const struct py_layout *l,
				   const struct py_process *p, __u64 ident, __u32 *loss)
{
	long failed = 0;
	__u64 interp = user_u64(p->at.interp_head, &failed), state;

	if (!interp) {
		*loss = LOSS_STARTING;
		return 0;
	}
	state = user_u64(interp + l->is_threads_head, &failed);
	for (int i = 0; i < THREAD_LIST_MAX; i++) {
		if (!state) {
			interp = user_u64(interp + l->is_next, &failed);
			if (!interp)
				return 0;
			state = user_u64(interp + l->is_threads_head, &failed);
			continue;
		}
		failed = thread_read(s, l, state, ident);
		if (!failed)
			return state;
		if (failed < 0)
			break;
		state = head_u64(s->thread, l->ts_next);
	}
	*loss = failed < 0 ? LOSS_UNREADABLE : LOSS_NO_THREAD_STATE;
	return 0;
}

ALWAYS_INLINE __u64 thread_search(struct scratch *s, const struct py_layout *l,
				  const struct py_process *p, __u64 ident, __u32 *loss)
{
	int starting = 0;
	__u64 state = thread_by_key(p, ident, &starting);

	if (starting) {
		*loss = LOSS_STARTING;
		return 0;
	}
	if (state && thread_read(s, l, state, ident) == 0)
		return state;
	return thread_by_list(s, l, p, ident, loss);
}

/*
 * The thread state of this thread, its head in s->thread; 0: a native thread, or *loss says what
 * went wrong. Threads without Python state would walk the whole list at every sample, so their
 * absence is remembered too, but only when seen twice: a thread that has just started is in no list
 * for some microseconds (3.12+: its thread_id is 0 until it is bound).
 */
ALWAYS_INLINE __u64 thread_find(struct scratch *s, const struct py_layout *l,
				const struct py_process *p, struct thread_cache *cache, __u32 tid,
				__u64 ident, __u64 now_ms, __u32 *loss)
{
	struct thread_slot *slot = &cache->slots[tid & (THREAD_SLOTS - 1)];
	int known = slot->tid == tid && slot->generation == p->generation;
	__u64 state;

	if (known && now_ms - slot->checked_ms < CACHE_MS) {
		if (!slot->state && slot->absent > 1)
			return 0;
		if (slot->state && thread_read(s, l, slot->state, ident) == 0)
			return slot->state;
	}
	state = thread_search(s, l, p, ident, loss);
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
	if (!gil || user_read(raw, sizeof(raw), gil))
		return GIL_UNKNOWN;
	/* 3.6: _PyThreadState_Current, the thread state that holds the GIL. */
	if (holder == PY_NONE)
		return raw[0] == state ? GIL_HELD : GIL_RELEASED;
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
