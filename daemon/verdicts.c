/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/verdicts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"

#define VERDICTS_MAX 65536 /* files looked at; forgotten all at once, then looked at again */

struct image_list {
	struct python_image image;
	struct image_list *next;
};

struct verdicts {
	struct map *by_file; /* struct file_key → struct python_image *, NULL: no interpreter */
	struct map *by_mapping; /* struct mapping_key → the same */
	struct image_list *images;
};

struct verdicts *verdicts_new(void)
{
	struct verdicts *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->by_file = map_new(sizeof(struct file_key), sizeof(struct python_image *));
	v->by_mapping = map_new(sizeof(struct mapping_key), sizeof(struct python_image *));
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

/* The image read from fd, kept; NULL when it is no Python (or out of memory). */
static struct python_image *image_keep(struct verdicts *v, int fd)
{
	struct image_list *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	if (python_image_read(fd, &entry->image) < 0 || entry->image.state == PY_NOT_PYTHON) {
		free(entry);
		return NULL;
	}
	entry->next = v->images;
	v->images = entry;
	return &entry->image;
}

/* The verdict's place; ret_new: it has to be made. NULL when out of memory. */
static struct python_image **verdict_of(struct map *map, const void *key, bool *ret_new)
{
	if (map_count(map) >= VERDICTS_MAX)
		map_clear(map);
	return map_put(map, key, ret_new);
}

/* /proc/PID/exe; -1 also when the process runs another file by now. */
static int exec_open(const struct exec_record *r)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/exe", r->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != r->image.size)
		return -1;
	return TAKE_FD(fd);
}

struct python_image *verdicts_exec(struct verdicts *v, const struct exec_record *r, bool *ret_new)
{
	struct python_image **verdict = verdict_of(v->by_file, &r->image, ret_new);
	_cleanup_close_ int fd = -1;

	if (!verdict || !*ret_new)
		return verdict ? *verdict : NULL;
	fd = exec_open(r);
	if (fd < 0) { /* gone before it was looked at: the next exec tells */
		map_remove(v->by_file, &r->image);
		return NULL;
	}
	*verdict = image_keep(v, fd);
	return *verdict;
}

static int mapping_open(const struct mapping *m)
{
	char path[4096 + 64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", m->pid,
		 (unsigned long)m->address, (unsigned long)(m->address + m->size));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 || m->path[0] != '/')
		return fd;
	/* Split since, or no CAP_CHECKPOINT_RESTORE. */
	snprintf(path, sizeof(path), "/proc/%d/root%s", m->pid, m->path);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

struct python_image *verdicts_mapping(struct verdicts *v, const struct mapping *m)
{
	_cleanup_close_ int fd = -1;
	struct python_image **verdict;
	bool is_new;

	verdict = verdict_of(v->by_mapping, &m->key, &is_new);
	if (!verdict || !is_new)
		return verdict ? *verdict : NULL;
	fd = mapping_open(m);
	if (fd < 0) {
		map_remove(v->by_mapping, &m->key);
		return NULL;
	}
	*verdict = image_keep(v, fd);
	return *verdict;
}
