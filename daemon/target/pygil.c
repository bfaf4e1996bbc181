/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ceval_gil.h: take_gil() waits on `cond` with `mutex`; who gave the GIL up because others wanted
 * it waits on `switch_cond` until one of them has it. Which word of a condition variable the C
 * library waits on changed with its versions, so an address anywhere in the struct counts.
 */
#include "daemon/target/pygil.h"

#include <sys/syscall.h>

#define COND_BYTES 48  /* pthread_cond_t: x86-64, glibc and musl */
#define MUTEX_BYTES 40 /* pthread_mutex_t */

/* 0: there is none, or it is not known where. */
static uint64_t gil_address(const struct pyreader *reader, const struct pythread *thread)
{
	const struct py_layout *l = reader->layout;
	uint64_t gil = 0;

	if (l->gil_holder == PY_NONE)
		return 0;
	if (!(l->flags & PY_GIL_IN_INTERP))
		return reader->python->at.gil;
	if (pyreader_u64(reader, thread->interp, l->is_gil, &gil) < 0)
		return 0;
	return gil;
}

/* A free-threaded build has the struct, but uses it only after something re-enabled the GIL. */
static bool gil_enabled(const struct pyreader *reader, uint64_t gil)
{
	uint32_t enabled;

	if (!(reader->layout->flags & PY_FREE_THREADED))
		return true;
	return reader->layout->gil_enabled != PY_NONE &&
	       mem_u32(reader->mem, gil + reader->layout->gil_enabled, &enabled) == 0 && enabled;
}

/* To 3.6 there is a holder only while the GIL is held. */
static bool gil_locked(const struct pyreader *reader, uint64_t gil)
{
	uint16_t at = reader->layout->gil_locked;
	uint32_t locked;

	return at == PY_NONE || (mem_u32(reader->mem, gil + at, &locked) == 0 && locked == 1);
}

static bool gil_held(const struct pyreader *reader, uint64_t gil, uint64_t state)
{
	uint64_t holder;

	return gil_locked(reader, gil) &&
	       pyreader_u64(reader, gil, reader->layout->gil_holder, &holder) == 0 &&
	       holder == state;
}

/* at: of the word that a thread sleeps on, in the GIL. */
static bool gil_is_wanted(const struct pyreader *reader, uint64_t at)
{
	return at - reader->layout->gil_cond < COND_BYTES ||
	       at - reader->objects->gil_mutex < MUTEX_BYTES;
}

struct pygil pygil_look(const struct pyreader *reader, const struct pythread *thread,
			const struct procthread_call *call)
{
	uint64_t gil = gil_address(reader, thread), at = call->args[0] - gil;

	if (!gil || !gil_enabled(reader, gil))
		return (struct pygil){0};
	if (gil_held(reader, gil, thread->state))
		return (struct pygil){.state = "held"};
	if (call->running || call->number != SYS_futex)
		return (struct pygil){.state = "released"};
	if (reader->layout->gil_cond == PY_NONE) /* it may be the GIL's */
		return (struct pygil){0};
	if (at >= reader->layout->gil_size)
		return (struct pygil){.state = "released"};
	return (struct pygil){
	    .state = gil_is_wanted(reader, at) ? "wanted" : "released",
	    .waits = true,
	};
}
