/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/counters/harvest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "daemon/base/cleanup.h"

#define BATCH 512 /* a bucket of a hash map never holds more: the kernel would say ENOSPC */

struct batch {
	int fd;
	size_t key_size, value_size;
	char *keys, *values, *gone; /* BATCH of each; keys to delete */
	__u32 count, ngone;
};

static void batch_done(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
	free(batch->gone);
}

static void batch_see(struct batch *batch, harvest_fn fn, void *data)
{
	for (__u32 i = 0; i < batch->count; i++) {
		const char *key = batch->keys + i * batch->key_size;

		if (fn(data, key, batch->values + i * batch->value_size))
			memcpy(batch->gone + batch->ngone++ * batch->key_size, key,
			       batch->key_size);
	}
	for (__u32 i = 0; i < batch->ngone; i++)
		bpf_map_delete_elem(batch->fd, batch->gone + i * batch->key_size);
	batch->ngone = 0;
}

int harvest_each(int map_fd, size_t key_size, size_t value_size, harvest_fn fn, void *data)
{
	_cleanup_(batch_done) struct batch batch = {.fd = map_fd,
						    .key_size = key_size,
						    .value_size = value_size,
						    .keys = calloc(BATCH, key_size),
						    .values = calloc(BATCH, value_size),
						    .gone = calloc(BATCH, key_size)};
	__u32 from, next;
	bool first = true;
	int r = 0;

	if (!batch.keys || !batch.values || !batch.gone)
		return -ENOMEM;
	while (r == 0) {
		batch.count = BATCH;
		r = bpf_map_lookup_batch(map_fd, first ? NULL : &from, &next, batch.keys,
					 batch.values, &batch.count, NULL);
		if (r && r != -ENOENT)
			return r;
		batch_see(&batch, fn, data);
		from = next;
		first = false;
	}
	return 0;
}
