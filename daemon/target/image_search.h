/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of a CPython shows in an ELF file: section, symbols, cookie. Private to image.c. */
#ifndef PYPROF_DAEMON_TARGET_IMAGE_SEARCH_H
#define PYPROF_DAEMON_TARGET_IMAGE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/target/elf.h"

struct image_traces {
	uint64_t runtime;      /* vaddr of _PyRuntime; 0: not seen (≤ 3.6, or hidden) */
	uint64_t runtime_size; /* 0: not known */
	bool exported;         /* its API is: what is not exported then is not there */
};

/* True when an interpreter is in the file. Cheap for the others. */
bool image_search(const struct elf *elf, struct image_traces *ret_traces);

/* A symbol of the file, exported or not; for files known to be Python. 0 or -ENOENT. */
int image_symbol(const struct elf *elf, const struct image_traces *traces, const char *name,
		 int type, struct elf_symbol *ret_symbol);

/* vaddr of the pointer that PyInterpreterState_Head() returns, 0 when its code is not as expected.
 */
uint64_t image_interp_head(const struct elf *elf, const struct image_traces *traces);

/* "libpython3.7m.so.1.0" → 0x03070000; 0: none. */
uint32_t image_soname_version(const struct elf *elf);

#endif
