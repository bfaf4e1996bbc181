/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What users may ask a profile of: the words of `resource=` and of --resource. */
#ifndef PYPROF_DAEMON_PROFILE_RESOURCE_H
#define PYPROF_DAEMON_PROFILE_RESOURCE_H

#include <stdint.h>

struct resource_name {
	const char *name, *unit;
	uint32_t bits; /* RESOURCE_BIT()s: their weights add up */
};

/* NULL-terminated by name; "cpu" is the first. */
extern const struct resource_name resource_names[];

/* NULL: no such resource. */
const struct resource_name *resource_find(const char *name);
/* The one of exactly these bits, or NULL. */
const struct resource_name *resource_of(uint32_t bits);

#endif
