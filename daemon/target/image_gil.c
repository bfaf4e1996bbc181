/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * To 3.6 the GIL is no struct but variables, one by one (Python/ceval_gil.h, pystate.c), in the
 * order that compiler and linker chose: so their offsets are those of this file. The lowest of them
 * stands for the struct that later versions have; the thread state that holds the GIL is
 * _PyThreadState_Current.
 *
 * All but that one are static: a stripped file still tells who holds the GIL, and not who waits for
 * it.
 */
#include "daemon/target/image_gil.h"

#include "daemon/base/cleanup.h"

enum { COND, MUTEX, SWITCH_COND, SWITCH_MUTEX, VARIABLES };

static const struct {
	const char *name;
	uint64_t size; /* of pthread_cond_t and pthread_mutex_t on x86-64 */
} variables[VARIABLES] = {
    [COND] = {"gil_cond", 48},
    [MUTEX] = {"gil_mutex", 40},
    [SWITCH_COND] = {"switch_cond", 48},
    [SWITCH_MUTEX] = {"switch_mutex", 40},
};

static bool variables_find(const struct elf *elf, uint64_t ret_at[VARIABLES])
{
	struct elf_symbol symbol;

	for (size_t i = 0; i < VARIABLES; i++) {
		if (elf_static(elf, variables[i].name, STT_OBJECT, &symbol) < 0 ||
		    symbol.size != variables[i].size)
			return false;
		ret_at[i] = symbol.value;
	}
	return true;
}

/* False: they lie too far apart for the layout's offsets. */
static bool variables_place(const uint64_t at[VARIABLES], uint64_t current,
			    struct python_image *image)
{
	struct py_layout *l = &image->layout;
	uint64_t start = current, end = 0;

	for (size_t i = 0; i < VARIABLES; i++) {
		start = MIN(start, at[i]);
		end = MAX(end, at[i] + variables[i].size);
	}
	if (end - start >= PY_NONE || current - start >= PY_NONE)
		return false;
	image->vaddr.gil = start;
	l->gil_holder = (uint16_t)(current - start);
	l->gil_cond = (uint16_t)(at[COND] - start);
	l->gil_size = (uint16_t)(end - start);
	image->objects.gil_mutex = (uint16_t)(at[MUTEX] - start);
	image->objects.gil_switch_cond = (uint16_t)(at[SWITCH_COND] - start);
	return true;
}

void image_gil(const struct elf *elf, const struct image_traces *traces, struct python_image *image)
{
	struct elf_symbol current;
	uint64_t at[VARIABLES];

	if (image_symbol(elf, traces, "_PyThreadState_Current", STT_OBJECT, &current) < 0)
		return;
	if (variables_find(elf, at) && variables_place(at, current.value, image))
		return;
	image->vaddr.gil = current.value;
	image->layout.gil_holder = 0;
}
