/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/profile/resource.h"

#include <stddef.h>
#include <string.h>

#include "daemon/profile/profile.h"

#define BIT(name) RESOURCE_BIT(RESOURCE_##name)

const struct resource_name resource_names[] = {
    {"cpu", "ns", BIT(CPU)},
    {"memory", "bytes", BIT(MEMORY)},
    {"io", "bytes", BIT(READ) | BIT(WRITE)},
    {"syscall", "count", BIT(SYSCALL)},
    {NULL, NULL, 0},
};

const struct resource_name *resource_find(const char *name)
{
	for (const struct resource_name *r = resource_names; r->name; r++)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

const struct resource_name *resource_of(uint32_t bits)
{
	for (const struct resource_name *r = resource_names; r->name; r++)
		if (r->bits == bits)
			return r;
	return NULL;
}
