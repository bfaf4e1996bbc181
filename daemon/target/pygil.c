/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ceval_gil.h: take_gil() waits on `cond` with `mutex`; who gave the GIL up because others wanted
 * it waits on `switch_cond` until one of them has it. Which word of a condition variable the C
 * library waits on changed with its versions, so an address anywhere in the struct counts.
 */
#include "daemon/target/pygil.h"

#include <sys/syscall.h>

#define COND_AND_MUTEX (48 + 40) /* pthread_cond_t, pthread_mutex_t: x86-64, glibc and musl */

/* 0: there is none, or it is not known where. */
static uint64_t gil_address(const struct pyreader *reader, const struct pythread *thread)
{
	const struct py_layout *l = reader->layout;
	uint64_t gil = 0;

	if (l->gil_locked == PY_NONE || l->gil_holder == PY_NONE)
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

static bool gil_held(const struct pyreader *reader, uint64_t gil, uint64_t state)
{
	uint32_t locked;
	uint64_t holder;

	return mem_u32(reader->mem, gil + reader->layout->gil_locked, &locked) == 0 &&
	       pyreader_u64(reader, gil, reader->layout->gil_holder, &holder) == 0 && locked == 1 &&
	       holder == state;
}

struct pygil pygil_look(const struct pyreader *reader, const struct pythread *thread,
			const struct procthread_call *call)
{
	const struct py_layout *l = reader->layout;
	uint64_t gil = gil_address(reader, thread), word = call->args[0];
	bool futex = !call->running && call->number == SYS_futex;

	if (!gil || !gil_enabled(reader, gil))
		return (struct pygil){0};
	if (gil_held(reader, gil, thread->state))
		return (struct pygil){.state = "held"};
	if (!futex || word < gil + l->gil_cond || word >= gil + l->gil_size)
		return (struct pygil){.state = "released"};
	return (struct pygil){
	    .state = word - gil - l->gil_cond < COND_AND_MUTEX ? "wanted" : "released",
	    .waits = true,
	};
}
