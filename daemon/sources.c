/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/sources.h"

#include <stdlib.h>

#include "daemon/profile/profile.h"

struct sources {
	struct probe *probe;
	unsigned demands[SRC_COUNT];
};

/* Resource → the sources that count it, as bits of enum source_id. */
#define NEEDS(source) (1u << SRC_##source)
static const uint32_t needs[RESOURCE_MAX] = {
    [RESOURCE_MEMORY] = NEEDS(MEMORY),
    [RESOURCE_READ] = NEEDS(SYSCALLS),
    [RESOURCE_WRITE] = NEEDS(SYSCALLS),
    [RESOURCE_SYSCALL] = NEEDS(SYSCALLS),
};

struct sources *sources_new(struct probe *probe)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (sources)
		sources->probe = probe;
	return sources;
}

void sources_free(struct sources *sources)
{
	free(sources);
}

static int source_demand(struct sources *sources, enum source_id id)
{
	int r = sources->demands[id] ? 0 : probe_source_attach(sources->probe, id);

	if (!r)
		sources->demands[id]++;
	return r;
}

static void source_release(struct sources *sources, enum source_id id)
{
	if (--sources->demands[id] == 0)
		probe_source_detach(sources->probe, id);
}

static uint32_t sources_of(uint32_t resources)
{
	uint32_t of = 0;

	for (unsigned i = 0; i < RESOURCE_MAX; i++)
		if (resources & RESOURCE_BIT(i))
			of |= needs[i];
	return of;
}

int sources_want(struct sources *sources, uint32_t resources)
{
	uint32_t of = sources_of(resources);

	for (unsigned id = 0; id < SRC_COUNT; id++) {
		int r = of & (1u << id) ? source_demand(sources, id) : 0;

		if (!r)
			continue;
		while (id-- > 0)
			if (of & (1u << id))
				source_release(sources, id);
		return r;
	}
	return 0;
}

void sources_drop(struct sources *sources, uint32_t resources)
{
	uint32_t of = sources_of(resources);

	for (unsigned id = 0; id < SRC_COUNT; id++)
		if (of & (1u << id))
			source_release(sources, id);
}
