/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every reader of Python objects needs: whose memory, and where its fields lie. */
#ifndef PYPROF_DAEMON_TARGET_PYREADER_H
#define PYPROF_DAEMON_TARGET_PYREADER_H

#include <stdint.h>

#include "daemon/target/mem.h"
#include "daemon/target/pylayout.h"
#include "daemon/target/python.h"

struct pyreader {
	struct mem *mem;
	const struct python *python;
	const struct py_layout *layout;
	const struct py_objects *objects;
};

static inline unsigned pyreader_minor(const struct pyreader *reader)
{
	return reader->layout->version >> 16 & 0xff;
}

/* The field of an object; -EFAULT for a NULL object, like for any that is not mapped. */
static inline int pyreader_u64(const struct pyreader *reader, uint64_t object, uint64_t offset,
			       uint64_t *ret_value)
{
	return mem_u64(reader->mem, object + offset, ret_value);
}

static inline int pyreader_type(const struct pyreader *reader, uint64_t object, uint64_t *ret_type)
{
	return mem_u64(reader->mem, object + reader->layout->ob_type, ret_type);
}

#endif
