/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/symbol/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/loop.h"
#include "daemon/base/map.h"
#include "daemon/base/worker.h"
#include "daemon/symbol/strings.h"
#include "daemon/target/pymodule.h"

/* One look; the worker's until it has ended. */
struct look {
	struct python python;
	uint64_t globals;
	int result;
	char *name;
	const char **ret_name; /* the caller's while it waits */
};

static void look_run(void *data)
{
	struct look *look = data;
	struct pyreader reader = {mem_new(look->python.pid), &look->python,
				  &look->python.image.layout, &look->python.image.objects};

	look->result = -ENOMEM;
	if (reader.mem)
		look->result = pymodule_name(&reader, look->globals, &look->name);
	mem_free(reader.mem);
}

static void look_ended(void *data, bool called)
{
	struct look *look = data;

	if (called && look->result >= 0)
		*look->ret_name = (look->result ? strings_intern_cut
						: strings_intern)(look->name, strlen(look->name));
	free(look->name);
	free(look);
}

/* The process's memory may lie on a file system that does not answer. */
static const char *module_read(const struct python *python, uint64_t globals)
{
	struct look *look = calloc(1, sizeof(*look));
	struct worker_job job = {look_run, look_ended, look,
				 worker_owner(WORKER_PROCESS, (uint64_t)python->pid), 0};
	const char *name = NULL;
	int r;

	if (!look)
		return NULL;
	look->python = *python;
	look->globals = globals;
	look->ret_name = &name;
	r = worker_call(&job);
	if (r == -EBUSY || r == -EAGAIN)
		free(look);
	return name;
}

const char *modules_find(struct modules *modules, const struct python *python, uint64_t family,
			 uint64_t globals)
{
	uint64_t key[] = {family, globals}, now_ns = loop_now_ns();
	struct module_slot *slot = &modules->slots[map_hash(key, sizeof(key)) % MODULES_KEPT];

	if (!globals)
		return NULL;
	if (slot->family != family || slot->globals != globals ||
	    slot->read_ns + MODULES_KEEP_NS < now_ns) {
		strings_unref(slot->name);
		*slot = (struct module_slot){family, globals, now_ns, NULL};
		slot->name = module_read(python, globals);
	}
	return slot->name ? strings_ref(slot->name) : NULL;
}

void modules_done(struct modules *modules)
{
	for (unsigned i = 0; i < MODULES_KEPT; i++)
		strings_unref(modules->slots[i].name);
	*modules = (struct modules){0};
}
