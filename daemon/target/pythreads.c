/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/pythreads.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"

/* Where struct pthread keeps the thread's id: glibc since 2.4 (x86-64), musl 1.2. */
static const uint16_t pthread_tid_offsets[] = {720, 48};

int pythreads_interpreters(const struct pyreader *reader, uint64_t *out, size_t max)
{
	uint64_t interp;
	size_t n = 0;
	int r;

	if (!reader->python->at.interp_head)
		return 0;
	r = mem_u64(reader->mem, reader->python->at.interp_head, &interp);
	while (r == 0 && interp && n < max) {
		out[n++] = interp;
		r = pyreader_u64(reader, interp, reader->layout->is_next, &interp);
	}
	return r < 0 && !n ? r : (int)n;
}

static bool id_plausible(uint32_t id)
{
	return id > 0 && id < 1u << 22; /* PID_MAX_LIMIT */
}

/* 3.11+ keeps it; before, the C library knows it. */
static pid_t own_id(const struct pyreader *reader, const struct pythread *thread)
{
	uint16_t offset = reader->layout->ts_native_id;
	uint32_t id;

	if (offset != PY_NONE && mem_u32(reader->mem, thread->state + offset, &id) == 0 &&
	    id_plausible(id))
		return (pid_t)id;
	for (size_t i = 0; i < ARRAY_SIZE(pthread_tid_offsets); i++)
		if (mem_u32(reader->mem, thread->ident + pthread_tid_offsets[i], &id) == 0 &&
		    id_plausible(id))
			return (pid_t)id;
	return 0;
}

bool pythreads_same(const struct pyreader *reader, const struct pythread *thread)
{
	uint64_t ident, interp;

	return pyreader_u64(reader, thread->state, reader->layout->ts_thread_id, &ident) == 0 &&
	       pyreader_u64(reader, thread->state, reader->layout->ts_interp, &interp) == 0 &&
	       ident == thread->ident && interp == thread->interp;
}

struct list {
	struct pythread *threads;
	size_t nthreads, room;
	size_t steps; /* lists of a hostile process may have no end */
};

static int list_add(struct list *list, const struct pythread *thread)
{
	size_t room = list->room ? list->room * 2 : 64;
	struct pythread *moved;

	if (list->nthreads == list->room) {
		moved = realloc(list->threads, room * sizeof(*moved));
		if (!moved)
			return -ENOMEM;
		list->threads = moved;
		list->room = room;
	}
	list->threads[list->nthreads++] = *thread;
	return 0;
}

/* Appends one interpreter's. 3.12+: a thread state has no identity until its thread has started. */
static int list_interpreter(const struct pyreader *reader, uint64_t interp, struct list *list)
{
	const struct py_layout *l = reader->layout;
	struct pythread thread = {.interp = interp};
	int r = pyreader_u64(reader, interp, l->is_threads_head, &thread.state);

	while (r == 0 && thread.state && list->steps++ < PYTHREADS_MAX) {
		r = pyreader_u64(reader, thread.state, l->ts_thread_id, &thread.ident);
		if (r < 0 || !pythreads_same(reader, &thread))
			break;
		thread.own_id = own_id(reader, &thread);
		if (thread.ident && list_add(list, &thread) < 0)
			return -ENOMEM;
		r = pyreader_u64(reader, thread.state, l->ts_next, &thread.state);
	}
	return 0;
}

int pythreads_list(const struct pyreader *reader, struct pythread **ret_threads,
		   size_t *ret_nthreads)
{
	uint64_t interps[PYTHREADS_INTERPRETERS_MAX];
	struct list list = {0};
	int n = pythreads_interpreters(reader, interps, ARRAY_SIZE(interps));

	for (int i = 0; i < n; i++) {
		if (list_interpreter(reader, interps[i], &list) < 0) {
			free(list.threads);
			return -ENOMEM;
		}
	}
	if (n < 0)
		return n;
	*ret_threads = list.threads;
	*ret_nthreads = list.nthreads;
	return 0;
}
