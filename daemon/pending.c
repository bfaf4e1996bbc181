/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/pending.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/loop.h"
#include "daemon/base/map.h"

#define PENDING_MAX 4096
#define PENDING_NS 10000000000ull /* an interpreter maps libpython within milliseconds */

struct pendings {
	struct map *by_pid; /* uint32_t → struct pending */
};

struct pendings *pendings_new(void)
{
	struct pendings *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->by_pid = map_new(sizeof(uint32_t), sizeof(struct pending));
	if (!p->by_pid) {
		free(p);
		return NULL;
	}
	return p;
}

void pendings_free(struct pendings *p)
{
	struct pending *pending;

	if (!p)
		return;
	for (size_t at = 0; (pending = map_next(p->by_pid, &at, NULL));)
		free(pending->argv);
	map_free(p->by_pid);
	free(p);
}

void pendings_drop(struct pendings *p, uint32_t pid)
{
	struct pending *pending = map_get(p->by_pid, &pid);

	if (!pending)
		return;
	free(pending->argv);
	map_remove(p->by_pid, &pid);
}

void pendings_keep(struct pendings *p, const struct exec_record *r)
{
	struct pending *pending;
	uint32_t pid = r->pid;

	pendings_drop(p, pid);
	if (map_count(p->by_pid) >= PENDING_MAX)
		return;
	pending = map_put(p->by_pid, &pid, NULL);
	if (!pending)
		return;
	pending->generation = r->generation;
	pending->start_time_ns = r->start_time_ns;
	pending->cgroup = r->cgroup;
	pending->seen_ns = loop_now_ns();
	pending->uid = r->uid;
	memcpy(pending->comm, r->comm, sizeof(pending->comm));
	pending->argv = r->argv_bytes ? malloc(r->argv_bytes) : NULL;
	if (pending->argv) {
		memcpy(pending->argv, r->argv, r->argv_bytes);
		pending->argv_bytes = r->argv_bytes;
	}
}

uint64_t pendings_take(struct pendings *p, pid_t pid, struct pending *ret_pending)
{
	uint32_t key = (uint32_t)pid;
	struct pending *pending = map_get(p->by_pid, &key);

	if (!pending)
		return 0;
	*ret_pending = *pending;
	map_remove(p->by_pid, &key);
	return ret_pending->generation;
}

void pendings_expire(struct pendings *p, uint64_t now_ns)
{
	struct pending *pending;
	const void *key;

	for (size_t at = 0; (pending = map_next(p->by_pid, &at, &key));) {
		if (pending->seen_ns + PENDING_NS > now_ns)
			continue;
		free(pending->argv);
		map_remove(p->by_pid, key);
	}
}
