/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* threading's names, with thread ids as the caller's pid namespace knows them. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/dump.h"
#include "daemon/target/procthread.h"
#include "daemon/target/pynames.h"

struct names {
	void (*fn)(void *data, uint64_t ident, pid_t tid, const char *name);
	void *data;
	const pid_t *tids, *own_ids;
	size_t ntids;
};

static void mem_free_ptr(struct mem **mem)
{
	mem_free(*mem);
}

static void name_translate(void *data, uint64_t ident, pid_t own_id, const char *name)
{
	const struct names *names = data;
	pid_t tid = 0;

	for (size_t i = 0; own_id && i < names->ntids; i++)
		if (names->own_ids[i] == own_id)
			tid = names->tids[i];
	names->fn(names->data, ident, tid, name);
}

int dump_thread_names(const struct python *python,
		      void (*fn)(void *data, uint64_t ident, pid_t tid, const char *name),
		      void *data)
{
	_cleanup_(mem_free_ptr) struct mem *mem = mem_new(python->pid);
	_cleanup_free_ pid_t *tids = NULL, *own_ids = NULL;
	struct pyreader reader = {mem, python, &python->image.layout, &python->image.objects};
	struct names names = {.fn = fn, .data = data};
	int r;

	if (python->image.state != PY_SUPPORTED)
		return -EPROTONOSUPPORT;
	r = procthread_list(python->pid, &tids, &names.ntids);
	if (r < 0)
		return r;
	own_ids = calloc(names.ntids, sizeof(*own_ids));
	if (!mem || !own_ids)
		return -ENOMEM;
	r = procthread_own_ids(python->pid, tids, names.ntids, own_ids);
	if (r < 0)
		return r;
	names.tids = tids;
	names.own_ids = own_ids;
	return pynames_each(&reader, name_translate, &names);
}
