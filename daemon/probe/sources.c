/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The counting programs: attached and detached one by one while the daemon runs. */
#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "daemon/probe/probe_private.h"

struct source {
	struct bpf_program *program;
	struct bpf_link **link;
};

bool source_is_program(const char *name)
{
	static const char *const names[] = {"syscall_exit_loop", "memory_loop"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* All maps are those of the sampler's instance; constants and templates are its own. */
static int maps_share(struct probe *probe, struct pyprof *counting)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, counting->obj)
	{
		const char *name = bpf_map__name(map);
		struct bpf_map *shared = bpf_object__find_map_by_name(probe->skeleton->obj, name);

		if (r || strstr(name, ".rodata") || !shared || bpf_map__fd(shared) < 0)
			continue;
		r = bpf_map__reuse_fd(map, bpf_map__fd(shared));
	}
	return r;
}

static void counting_choose(struct pyprof *counting)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, counting->obj)
	    bpf_program__set_autoload(program, source_is_program(bpf_program__name(program)));
}

/*
 * A second instance of the object, over the same maps: to verify these programs takes as long as
 * the rest together, and the first picture need not wait for it.
 */
static int counting_load(struct probe *probe)
{
	struct pyprof *counting;
	int r;

	if (probe->counting)
		return 0;
	if (!probe->loop)
		return -ENOTSUP;
	counting = pyprof__open();
	if (!counting)
		return -errno;
	probe_maps_size(probe, counting);
	counting_choose(counting);
	r = maps_share(probe, counting);
	if (!r)
		r = pyprof__load(counting);
	if (r) {
		pyprof__destroy(counting);
		return r;
	}
	probe->counting = counting;
	return 0;
}

static int source_find(const struct probe *probe, enum source_id id, struct source *ret_source)
{
	struct pyprof *s = probe->counting;

	if (!s)
		return -ENOENT;
	switch (id) {
	case SRC_SYSCALLS:
		*ret_source =
		    (struct source){s->progs.syscall_exit_loop, &s->links.syscall_exit_loop};
		return 0;
	case SRC_MEMORY:
		*ret_source = (struct source){s->progs.memory_loop, &s->links.memory_loop};
		return 0;
	default:
		return -EINVAL;
	}
}

int probe_source_attach(struct probe *probe, enum source_id id)
{
	struct source source;
	int r = counting_load(probe);

	if (!r)
		r = source_find(probe, id, &source);
	if (r || *source.link)
		return r;
	probe->skeleton->bss->source_epochs[id]++;
	*source.link = bpf_program__attach(source.program);
	return *source.link ? 0 : -errno;
}

void probe_source_detach(struct probe *probe, enum source_id id)
{
	struct source source;

	if (source_find(probe, id, &source) || !*source.link)
		return;
	bpf_link__destroy(*source.link);
	*source.link = NULL;
}

bool probe_source_attached(const struct probe *probe, enum source_id id)
{
	struct source source;

	return source_find(probe, id, &source) == 0 && *source.link;
}
