/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/python_cache.h"

#include <stdlib.h>

#include "daemon/base/map.h"

struct file_identity {
	uint64_t dev, ino, size, mtime_s, mtime_ns, ctime_s, ctime_ns;
};

/* file_identity → struct python_image *, NULL for a file that is not Python's. */
static struct map *verdicts;
/* Of a file that could not be remembered for lack of memory. */
static struct python_image unremembered;

static struct file_identity identity_of(const struct stat *st)
{
	return (struct file_identity){
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .mtime_s = (uint64_t)st->st_mtim.tv_sec,
	    .mtime_ns = (uint64_t)st->st_mtim.tv_nsec,
	    .ctime_s = (uint64_t)st->st_ctim.tv_sec,
	    .ctime_ns = (uint64_t)st->st_ctim.tv_nsec,
	};
}

void python_cache_clear(void)
{
	struct python_image **image;

	for (size_t at = 0; verdicts && (image = map_next(verdicts, &at, NULL));)
		free(*image);
	map_free(verdicts);
	verdicts = NULL;
}

static void remember(const struct file_identity *key, const struct python_image *image)
{
	struct python_image *copy = NULL, **slot;

	if (verdicts && map_count(verdicts) >= PYTHON_CACHE_MAX)
		python_cache_clear();
	if (!verdicts)
		verdicts = map_new(sizeof(*key), sizeof(copy));
	if (!verdicts)
		return;
	if (image->state != PY_NOT_PYTHON) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return;
		*copy = *image;
	}
	slot = map_put(verdicts, key, NULL);
	if (slot)
		*slot = copy;
	else
		free(copy);
}

const struct python_image *python_cache_get(int fd, const struct stat *st)
{
	struct file_identity key = identity_of(st);
	struct python_image **known = verdicts ? map_get(verdicts, &key) : NULL;
	struct python_image image;

	if (known)
		return *known;
	if (python_image_read(fd, &image) < 0)
		image.state = PY_NOT_PYTHON;
	remember(&key, &image);
	if (image.state == PY_NOT_PYTHON)
		return NULL;
	unremembered = image;
	return &unremembered;
}
