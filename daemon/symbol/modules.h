/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Globals of a live process → name of their module, for codes_add(). The functions of a module are
 * met in crowds: what was read a moment ago is not read again. */
#ifndef PYPROF_DAEMON_SYMBOL_MODULES_H
#define PYPROF_DAEMON_SYMBOL_MODULES_H

#include <stdint.h>

#include "daemon/target/python.h"

#define MODULES_KEPT 64
/* As long as a record may be on its way: nobody knows longer that the dict is the same one. */
#define MODULES_KEEP_NS 50000000ull

struct modules {
	struct module_slot {
		uint64_t family, globals, read_ns;
		const char *name; /* in symbol/strings.h, referenced; NULL = none */
	} slots[MODULES_KEPT];
};

/* The caller's reference of the name, or NULL: it has none, or its memory cannot be read. */
const char *modules_find(struct modules *modules, const struct python *python, uint64_t family,
			 uint64_t globals);
void modules_done(struct modules *modules);

#endif
