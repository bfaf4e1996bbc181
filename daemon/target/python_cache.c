/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/python_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "daemon/base/map.h"

struct file_identity {
	uint64_t dev, ino, size, mtime_s, mtime_ns, ctime_s, ctime_ns;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* file_identity → struct python_image *, NULL for a file that is not Python's. */
static struct map *verdicts;

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

static void verdicts_clear(void)
{
	struct python_image **image;

	for (size_t at = 0; verdicts && (image = map_next(verdicts, &at, NULL));)
		free(*image);
	map_free(verdicts);
	verdicts = NULL;
}

void python_cache_clear(void)
{
	pthread_mutex_lock(&lock);
	verdicts_clear();
	pthread_mutex_unlock(&lock);
}

static void remember(const struct file_identity *key, const struct python_image *image)
{
	struct python_image *copy = NULL, **slot;
	bool is_new;

	if (verdicts && map_count(verdicts) >= PYTHON_CACHE_MAX)
		verdicts_clear();
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
	slot = map_put(verdicts, key, &is_new);
	if (slot && is_new)
		*slot = copy;
	else /* another thread was faster */
		free(copy);
}

/* True: the file is known; ret_image->state says as what. */
static bool recall(const struct file_identity *key, struct python_image *ret_image)
{
	struct python_image **known;

	pthread_mutex_lock(&lock);
	known = verdicts ? map_get(verdicts, key) : NULL;
	if (known && *known)
		*ret_image = **known;
	else
		ret_image->state = PY_NOT_PYTHON;
	pthread_mutex_unlock(&lock);
	return known;
}

bool python_cache_get(int fd, const struct stat *st, struct python_image *ret_image)
{
	struct file_identity key = identity_of(st);

	if (!recall(&key, ret_image)) {
		if (python_image_read(fd, ret_image) < 0)
			ret_image->state = PY_NOT_PYTHON;
		pthread_mutex_lock(&lock);
		remember(&key, ret_image);
		pthread_mutex_unlock(&lock);
	}
	return ret_image->state != PY_NOT_PYTHON;
}
