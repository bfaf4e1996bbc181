/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/base/worker.h"

/* Files that are remembered, of each kind; then all of the kind are forgotten and looked at again
 * (some 50 µs each). A host that builds programs runs new files all the time: 0.8 MiB. */
#define VERDICTS_MAX 8192
#define LOOK_PATH_MAX (4096 + 64)

struct image_list {
	struct python_image image;
	struct image_list *next;
};

struct verdict {
	struct python_image *image; /* NULL: no interpreter */
	bool given;
};

struct verdicts {
	struct map *by_file;    /* struct file_key → struct verdict */
	struct map *by_mapping; /* struct mapping_key → the same */
	struct image_list *images;
	void (*late)(void *data, pid_t pid);
	void *data;
};

/* One file that is looked at: the worker's until it has ended. */
struct look {
	struct verdicts *verdicts;
	pid_t pid;
	bool executed;
	struct file_key by_file;
	struct mapping_key by_mapping;
	char paths[2][LOOK_PATH_MAX]; /* tried one after the other */
	bool opened;
	struct python_image image;
};

struct verdicts *verdicts_new(void (*late)(void *data, pid_t pid), void *data)
{
	struct verdicts *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->late = late;
	v->data = data;
	v->by_file = map_new(sizeof(struct file_key), sizeof(struct verdict));
	v->by_mapping = map_new(sizeof(struct mapping_key), sizeof(struct verdict));
	if (!v->by_file || !v->by_mapping) {
		verdicts_free(v);
		return NULL;
	}
	return v;
}

void verdicts_free(struct verdicts *v)
{
	if (!v)
		return;
	while (v->images) {
		struct image_list *next = v->images->next;

		free(v->images);
		v->images = next;
	}
	map_free(v->by_file);
	map_free(v->by_mapping);
	free(v);
}

/* Kept as long as the verdicts, once for all files that hold the same; NULL when it is no Python
 * (or out of memory). */
static struct python_image *image_keep(struct verdicts *v, const struct python_image *image)
{
	struct image_list *entry;

	if (image->state == PY_NOT_PYTHON)
		return NULL;
	for (entry = v->images; entry; entry = entry->next)
		if (memcmp(&entry->image, image, sizeof(*image)) == 0)
			return &entry->image;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->image = *image;
	entry->next = v->images;
	v->images = entry;
	return &entry->image;
}

static int look_open(const struct look *look)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(look->paths) && look->paths[i][0]; i++)
		fd = open(look->paths[i], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	/* The process runs another file by now. */
	if (look->executed && (fstat(fd, &st) < 0 || (uint64_t)st.st_size != look->by_file.size))
		return -ESTALE;
	return TAKE_FD(fd);
}

static void look_run(void *data)
{
	struct look *look = data;
	_cleanup_close_ int fd = look_open(look);

	if (fd < 0)
		return;
	look->opened = true;
	if (python_image_read(fd, &look->image) < 0)
		look->image.state = PY_NOT_PYTHON;
}

/* What could not be opened was gone before it was looked at: the next exec tells. */
static void look_keep(const struct look *look)
{
	struct verdicts *v = look->verdicts;
	struct map *map = look->executed ? v->by_file : v->by_mapping;
	const void *key =
	    look->executed ? (const void *)&look->by_file : (const void *)&look->by_mapping;
	struct verdict *verdict;
	bool is_new;

	if (!look->opened)
		return;
	if (map_count(map) >= VERDICTS_MAX)
		map_clear(map);
	verdict = map_put(map, key, &is_new);
	if (verdict && is_new)
		*verdict = (struct verdict){image_keep(v, &look->image), false};
}

static void look_done(void *data, bool called)
{
	struct look *look = data;

	look_keep(look);
	if (!called && look->opened && look->image.state != PY_NOT_PYTHON)
		look->verdicts->late(look->verdicts->data, look->pid);
	free(look);
}

static struct look *look_new(struct verdicts *v, pid_t pid)
{
	struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return NULL;
	look->verdicts = v;
	look->pid = pid;
	return look;
}

/* Takes the look over. 0: its verdict, if there is one, is in the map. */
static int look_begin(struct look *look, dev_t device)
{
	struct worker_job job = {look_run, look_done, look, worker_owner(WORKER_FILES, device), 0};
	int r = worker_call(&job);

	if (r == -EBUSY || r == -EAGAIN)
		free(look);
	return r < 0 ? -EAGAIN : 0;
}

static int exec_look(struct verdicts *v, const struct exec_record *r)
{
	struct look *look = look_new(v, (pid_t)r->pid);

	if (!look)
		return -ENOMEM;
	look->executed = true;
	look->by_file = r->image;
	snprintf(look->paths[0], LOOK_PATH_MAX, "/proc/%u/exe", r->pid);
	/* super_block.s_dev: linux/kdev_t.h */
	return look_begin(look, makedev(r->image.dev >> 20, r->image.dev & 0xfffff));
}

int verdicts_exec(struct verdicts *v, const struct exec_record *r, struct python_image **ret_image,
		  bool *ret_new)
{
	struct verdict *verdict = map_get(v->by_file, &r->image);
	int result = verdict ? 0 : exec_look(v, r);

	if (result < 0)
		return result;
	verdict = map_get(v->by_file, &r->image);
	*ret_image = verdict ? verdict->image : NULL;
	*ret_new = verdict && !verdict->given;
	if (verdict)
		verdict->given = true;
	return 0;
}

static int mapping_look(struct verdicts *v, const struct mapping *m)
{
	struct look *look = look_new(v, m->pid);

	if (!look)
		return -ENOMEM;
	look->by_mapping = m->key;
	snprintf(look->paths[0], LOOK_PATH_MAX, "/proc/%d/map_files/%lx-%lx", m->pid,
		 (unsigned long)m->address, (unsigned long)(m->address + m->size));
	if (m->path[0] == '/') /* split since, or no CAP_CHECKPOINT_RESTORE */
		snprintf(look->paths[1], LOOK_PATH_MAX, "/proc/%d/root%s", m->pid, m->path);
	return look_begin(look, makedev(m->key.dev >> 32, (uint32_t)m->key.dev));
}

int verdicts_mapping(struct verdicts *v, const struct mapping *m, struct python_image **ret_image)
{
	struct verdict *verdict = map_get(v->by_mapping, &m->key);
	int r = verdict ? 0 : mapping_look(v, m);

	if (r < 0)
		return r;
	verdict = map_get(v->by_mapping, &m->key);
	*ret_image = verdict ? verdict->image : NULL;
	return 0;
}
