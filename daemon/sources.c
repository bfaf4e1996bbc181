/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/sources.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

/* The daemon is to answer first: loading these programs holds it up for some tenths of a second. */
#define SETTLE_NS 3000000000ull

struct source {
	const char *name;
	bool always; /* while there are Python processes */
	unsigned demands;
};

struct sources {
	struct probe *probe;
	struct processes *processes;
	struct source of[SRC_MAX];
	unsigned modes[32]; /* demands of each bit */
	uint64_t started_ns;
};

static const struct source source_table[] = {
    [SRC_SYSCALLS] = {"syscalls", true, 0},
    [SRC_SYSCALL_TIMES] = {"syscall-times", false, 0},
    [SRC_MEMORY] = {"memory", true, 0},
};

struct sources *sources_new(struct probe *probe, struct processes *processes)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (!sources)
		return NULL;
	sources->probe = probe;
	sources->processes = processes;
	sources->started_ns = loop_now_ns();
	memcpy(sources->of, source_table, sizeof(source_table));
	return sources;
}

void sources_free(struct sources *sources)
{
	free(sources);
}

static bool python_lives(const struct sources *sources)
{
	const struct process *process;

	for (size_t at = 0; (process = processes_next(sources->processes, &at));)
		if (!process->ended_time_ns)
			return true;
	return false;
}

static int source_settle(struct sources *sources, enum source_id id, bool python)
{
	const struct source *source = &sources->of[id];

	if (source->demands || (source->always && python))
		return probe_source_attach(sources->probe, id);
	probe_source_detach(sources->probe, id);
	return 0;
}

void sources_tick(struct sources *sources)
{
	bool python = loop_now_ns() - sources->started_ns > SETTLE_NS && python_lives(sources);

	for (unsigned id = 0; id < ARRAY_SIZE(source_table); id++)
		source_settle(sources, id, python);
}

int sources_demand(struct sources *sources, enum source_id id)
{
	int r;

	sources->of[id].demands++;
	r = source_settle(sources, id, false);
	if (r)
		sources->of[id].demands--;
	return r;
}

void sources_release(struct sources *sources, enum source_id id)
{
	sources->of[id].demands--;
	source_settle(sources, id, python_lives(sources));
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
