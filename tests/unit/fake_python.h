/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Python objects laid out by hand in this process's own memory, for readers of another process's:
 * they read themselves. */
#ifndef PYPROF_TESTS_UNIT_FAKE_PYTHON_H
#define PYPROF_TESTS_UNIT_FAKE_PYTHON_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/target/pylayout_table.h"
#include "daemon/target/pyreader.h"

#define FAKE_SIZE (1u << 20)
#define FAKE_GUARD (1u << 16) /* nothing is readable behind, whatever the host maps there */

struct fake {
	uint8_t *memory;
	size_t used;
	struct python python;
	struct pyreader reader;
};

/* The row of a version of the measured tables. */
static inline void fake_open(struct fake *fake, size_t row)
{
	memset(fake, 0, sizeof(*fake));
	fake->memory = mmap(NULL, FAKE_SIZE + FAKE_GUARD, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(fake->memory != MAP_FAILED);
	assert_int_equal(mprotect(fake->memory + FAKE_SIZE, FAKE_GUARD, PROT_NONE), 0);
	fake->python.pid = getpid();
	fake->python.image.state = PY_SUPPORTED;
	fake->python.image.layout = pylayout_table[row];
	assert_int_equal(pylayout_span(&fake->python.image.layout), 0);
	fake->python.image.objects = *pylayout_objects(&fake->python.image.layout);
	fake->reader = (struct pyreader){mem_new(getpid()), &fake->python,
					 &fake->python.image.layout, &fake->python.image.objects};
	assert_non_null(fake->reader.mem);
}

static inline size_t fake_row(unsigned minor, bool free_threaded)
{
	for (size_t i = pylayout_table_size; i-- > 0;)
		if ((pylayout_table[i].version >> 16 & 0xff) == minor &&
		    !(pylayout_table[i].flags & PY_FREE_THREADED) == !free_threaded)
			return i;
	fail_msg("no layout of 3.%u", minor);
	return 0;
}

static inline void fake_close(struct fake *fake)
{
	mem_free(fake->reader.mem);
	munmap(fake->memory, FAKE_SIZE + FAKE_GUARD);
}

/* Zeroed memory of the target; what was read before is forgotten. */
static inline uint64_t fake_new(struct fake *fake, size_t size)
{
	uint64_t at = (uint64_t)(uintptr_t)(fake->memory + fake->used);

	fake->used += (size + 15) & ~(size_t)15;
	assert_true(fake->used <= FAKE_SIZE);
	mem_forget(fake->reader.mem);
	return at;
}

static inline void fake_put(struct fake *fake, uint64_t object, uint64_t offset, const void *bytes,
			    size_t size)
{
	memcpy((void *)(uintptr_t)(object + offset), bytes, size);
	mem_forget(fake->reader.mem);
}

static inline void fake_u64(struct fake *fake, uint64_t object, uint64_t offset, uint64_t value)
{
	fake_put(fake, object, offset, &value, sizeof(value));
}

static inline void fake_u32(struct fake *fake, uint64_t object, uint64_t offset, uint32_t value)
{
	fake_put(fake, object, offset, &value, sizeof(value));
}

static inline void fake_u8(struct fake *fake, uint64_t object, uint64_t offset, uint8_t value)
{
	fake_put(fake, object, offset, &value, sizeof(value));
}

/* A compact str of n characters of kind bytes. */
static inline uint64_t fake_string(struct fake *fake, const void *data, size_t n, unsigned kind,
				   bool ascii)
{
	const struct py_layout *l = fake->reader.layout;
	uint64_t string = fake_new(fake, 128 + n * kind);
	uint32_t state = kind << __builtin_ctz(l->str_kind_mask) | l->str_compact_bit |
			 (ascii ? l->str_ascii_bit : 0);

	fake_u64(fake, string, l->str_length, n);
	fake_u32(fake, string, l->str_state, state);
	fake_put(fake, string, ascii ? l->str_ascii : l->str_compact, data, n * kind);
	return string;
}

static inline uint64_t fake_ascii(struct fake *fake, const char *text)
{
	return fake_string(fake, text, strlen(text), 1, true);
}

static inline uint64_t fake_bytes(struct fake *fake, const void *data, size_t n)
{
	uint64_t bytes = fake_new(fake, 64 + n);

	fake_u64(fake, bytes, fake->reader.layout->bytes_size, n);
	fake_put(fake, bytes, fake->reader.layout->bytes_data, data, n);
	return bytes;
}

/* A code object of that name, in file.py, first line 10, with an empty line table. */
static inline uint64_t fake_code(struct fake *fake, const char *name)
{
	const struct py_layout *l = fake->reader.layout;
	uint64_t code = fake_new(fake, 512);

	fake_u64(fake, code, l->ob_type, fake->python.at.code_type);
	fake_u64(fake, code, l->co_name, fake_ascii(fake, name));
	if (l->co_qualname != PY_NONE)
		fake_u64(fake, code, l->co_qualname, fake_ascii(fake, name));
	fake_u64(fake, code, l->co_filename, fake_ascii(fake, "file.py"));
	fake_u64(fake, code, l->co_linetable, fake_bytes(fake, "", 0));
	fake_u32(fake, code, l->co_firstlineno, 10);
	return code;
}

/* A frame at instruction `lasti` (a byte offset) that was called from `previous`. */
static inline uint64_t fake_frame(struct fake *fake, uint64_t code, int32_t lasti,
				  uint64_t previous)
{
	const struct py_layout *l = fake->reader.layout;
	uint64_t frame = fake_new(fake, 512);

	fake_u64(fake, frame, l->f_code, code);
	fake_u64(fake, frame, l->f_previous, previous);
	if (l->flags & PY_INTERP_FRAMES)
		fake_u64(fake, frame, l->f_instr,
			 code + l->co_code_adaptive + (uint64_t)(int64_t)lasti);
	else
		fake_u32(fake, frame, l->f_instr,
			 l->flags & PY_LASTI_UNITS && lasti > 0 ? (uint32_t)lasti / 2
								: (uint32_t)lasti);
	return frame;
}

/* A thread state whose innermost frame is `frame`. */
static inline uint64_t fake_state(struct fake *fake, uint64_t frame)
{
	const struct py_layout *l = fake->reader.layout;
	uint64_t state = fake_new(fake, 512), top = frame;

	if (l->flags & PY_CFRAME) {
		top = fake_new(fake, 64);
		fake_u64(fake, top, l->cframe_current, frame);
	}
	fake_u64(fake, state, l->ts_frame, top);
	return state;
}

#endif
