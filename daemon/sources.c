/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/sources.h"

#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/profile/profile.h"

struct sources {
	struct probe *probe;
	unsigned demands[SRC_MAX];
	unsigned modes[32]; /* demands of each bit */
};

/* Resource → the sources that count it, as bits of enum source_id. */
#define NEEDS(source) (1u << SRC_##source)
static const uint32_t needs[RESOURCE_MAX] = {
    [RESOURCE_MEMORY] = NEEDS(MEMORY),
    [RESOURCE_READ] = NEEDS(SYSCALLS),
    [RESOURCE_WRITE] = NEEDS(SYSCALLS),
    [RESOURCE_SYSCALL] = NEEDS(SYSCALLS),
    [RESOURCE_ERROR] = NEEDS(SYSCALLS),
    [RESOURCE_CALL_TIME] = NEEDS(SYSCALLS) | NEEDS(SYSCALL_TIMES),
    [RESOURCE_IOCTL_TIME] = NEEDS(SYSCALLS) | NEEDS(SYSCALL_TIMES),
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

int sources_demand(struct sources *sources, enum source_id id)
{
	int r = sources->demands[id] ? 0 : probe_source_attach(sources->probe, id);

	if (!r)
		sources->demands[id]++;
	return r;
}

void sources_release(struct sources *sources, enum source_id id)
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

	for (unsigned id = 0; id < SRC_MAX; id++) {
		int r = of & (1u << id) ? sources_demand(sources, id) : 0;

		if (!r)
			continue;
		while (id-- > 0)
			if (of & (1u << id))
				sources_release(sources, id);
		return r;
	}
	return 0;
}

void sources_drop(struct sources *sources, uint32_t resources)
{
	uint32_t of = sources_of(resources);

	for (unsigned id = 0; id < SRC_MAX; id++)
		if (of & (1u << id))
			sources_release(sources, id);
}

static void modes_settle(struct sources *sources)
{
	uint32_t modes = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sources->modes); i++)
		if (sources->modes[i])
			modes |= 1u << i;
	probe_modes(sources->probe, modes);
}

static void modes_count(struct sources *sources, uint32_t mode, unsigned by)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sources->modes); i++)
		if (mode & (1u << i))
			sources->modes[i] += by;
	modes_settle(sources);
}

void sources_mode_demand(struct sources *sources, uint32_t mode)
{
	modes_count(sources, mode, 1);
}

void sources_mode_release(struct sources *sources, uint32_t mode)
{
	modes_count(sources, mode, -1u);
}
