/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/probe/sessions.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/probe/perf_event.h"

struct owner_key {
	const void *owner;
	uint64_t pid;
};

/* The events of one process. */
struct attached {
	int *fds;
	size_t nfds, room;
	unsigned owners;
};

struct sessions {
	struct probe *probe;
	struct map *processes; /* uint32_t pid → struct attached */
	struct map *owners;    /* struct owner_key → uint8_t */
	size_t events;
};

struct sessions *sessions_new(struct probe *probe)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->probe = probe;
	s->processes = map_new(sizeof(uint32_t), sizeof(struct attached));
	s->owners = map_new(sizeof(struct owner_key), 1);
	if (!s->processes || !s->owners) {
		sessions_free(s);
		return NULL;
	}
	return s;
}

static void events_close(struct sessions *s, struct attached *a)
{
	for (size_t i = 0; i < a->nfds; i++)
		close(a->fds[i]);
	s->events -= a->nfds;
	free(a->fds);
	*a = (struct attached){0};
}

void sessions_free(struct sessions *s)
{
	struct attached *a;
	size_t at = 0;

	if (!s)
		return;
	while (s->processes && (a = map_next(s->processes, &at, NULL)))
		events_close(s, a);
	map_free(s->processes);
	map_free(s->owners);
	free(s);
}

static int thread_attach(struct sessions *s, struct attached *a, pid_t tid, unsigned hz)
{
	int fd;

	if (a->nfds == a->room) {
		size_t room = a->room ? 2 * a->room : 16;
		int *fds = realloc(a->fds, room * sizeof(*fds));

		if (!fds)
			return -ENOMEM;
		a->fds = fds;
		a->room = room;
	}
	fd = perf_event_start(s->probe, hz, tid, -1, SOURCE_SESSION);
	if (fd < 0)
		return fd;
	a->fds[a->nfds++] = fd;
	s->events++;
	return 0;
}

/* A thread that starts meanwhile is its creator's child: its event is inherited, or it is listed.
 */
static int threads_attach(struct sessions *s, struct attached *a, pid_t pid, unsigned hz)
{
	struct dirent *entry;
	char path[64];
	int r = -ESRCH;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = thread_attach(s, a, (pid_t)strtol(entry->d_name, NULL, 10), hz);
	closedir(dir);
	return a->nfds ? 0 : r;
}

int sessions_add(struct sessions *s, const void *owner, pid_t pid, unsigned hz)
{
	struct owner_key key = {.owner = owner, .pid = (uint64_t)pid};
	uint32_t id = (uint32_t)pid;
	struct attached *a;
	bool is_new;
	int r;

	if (map_get(s->owners, &key))
		return 0;
	a = map_put(s->processes, &id, &is_new);
	if (!a)
		return -ENOMEM;
	r = is_new ? threads_attach(s, a, pid, hz) : 0;
	if (r == 0 && !map_put(s->owners, &key, NULL))
		r = -ENOMEM;
	if (r == 0) {
		a->owners++;
	} else if (is_new) {
		events_close(s, a);
		map_remove(s->processes, &id);
	}
	return r;
}

static void owner_leave(struct sessions *s, pid_t pid)
{
	uint32_t id = (uint32_t)pid;
	struct attached *a = map_get(s->processes, &id);

	if (!a || --a->owners)
		return;
	events_close(s, a);
	map_remove(s->processes, &id);
}

void sessions_drop(struct sessions *s, const void *owner)
{
	const void *at_key;
	size_t at = 0;

	while (map_next(s->owners, &at, &at_key)) {
		const struct owner_key *key = at_key;

		if (key->owner != owner)
			continue;
		owner_leave(s, (pid_t)key->pid);
		map_remove(s->owners, key);
	}
}

void sessions_ended(struct sessions *s, pid_t pid)
{
	const void *at_key;
	size_t at = 0;

	while (map_next(s->owners, &at, &at_key)) {
		const struct owner_key *key = at_key;

		if (key->pid != (uint64_t)pid)
			continue;
		owner_leave(s, pid);
		map_remove(s->owners, key);
	}
}

size_t sessions_events(const struct sessions *s)
{
	return s->events;
}
