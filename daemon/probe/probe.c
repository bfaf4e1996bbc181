/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/checksum.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/log.h"
#include "daemon/probe/probe_private.h"

#define CPUS_PER_RING 16      /* in NMI the ring is taken by trylock: contention is loss */
#define RING_BYTES (4u << 20) /* 16 CPUs × 999 Hz × 1 KiB for a quarter second */
#define RING_WAKE_BYTES                                                                            \
	(1u << 18) /* below, the 50 ms timer drains: ten wake-ups a second cost nothing */

/* libbpf's messages, one level lower than it thinks; its load errors carry the verifier's log. */
static int libbpf_print(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG)
		return 0;
	log_vline(LOG_DEBUG, format, args);
	return 0;
}

/* Highest number in a list like "0-3,8" + 1. */
static unsigned cpus_present(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/devices/system/cpu/present", "re");
	char line[256], *last;

	if (!f || !fgets(line, sizeof(line), f))
		return (unsigned)sysconf(_SC_NPROCESSORS_CONF);
	last = line;
	for (char *c = line; *c; c++)
		if (*c == '-' || *c == ',')
			last = c + 1;
	return (unsigned)strtoul(last, NULL, 10) + 1;
}

static void programs_choose(struct probe *probe)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, probe->skeleton->obj)
	{
		const char *name = bpf_program__name(program);
		bool is_loop = strstr(name, "_loop") != NULL,
		     is_tail = strstr(name, "tail") != NULL;

		if (is_loop || is_tail)
			bpf_program__set_autoload(program, is_loop == probe->loop);
		if (source_is_program(name))
			bpf_program__set_autoload(program, false);
	}
}

void probe_maps_size(struct probe *probe, struct pyprof *s)
{
	bpf_map__set_max_entries(s->maps.ticks, probe->cpus);
	bpf_map__set_max_entries(s->maps.scratches, probe->cpus * SCRATCH_CONTEXTS);
	bpf_map__set_max_entries(s->maps.thread_caches, probe->cpus * SCRATCH_CONTEXTS);
	bpf_map__set_max_entries(s->maps.code_caches, probe->cpus * SCRATCH_CONTEXTS);
	bpf_map__set_max_entries(s->maps.rings, probe->rings);
	bpf_map__set_autocreate(s->maps.thread_uses, probe->loop);
	s->rodata->self_tgid = (__u32)getpid();
	s->rodata->cpus = probe->cpus;
	s->rodata->cpus_per_ring = CPUS_PER_RING;
	s->rodata->period_ns = 1000000000ull / probe->options.hz;
	s->rodata->ring_wake_bytes = RING_WAKE_BYTES;
}

static int record_seen(void *data, void *bytes, size_t size)
{
	struct probe *probe = data;

	probe->options.record(probe->options.data, bytes, size);
	return 0;
}

/* Before the load: the kernel asks what kind of map `rings` holds. */
static int rings_make(struct probe *probe)
{
	probe->ring_fds = calloc(probe->rings, sizeof(int));
	if (!probe->ring_fds)
		return -ENOMEM;
	for (unsigned i = 0; i < probe->rings; i++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "samples", 0, 0, RING_BYTES, NULL);

		if (fd < 0)
			return fd;
		probe->ring_fds[i] = fd;
	}
	return bpf_map__set_inner_map_fd(probe->skeleton->maps.rings, probe->ring_fds[0]);
}

static int rings_read(struct probe *probe)
{
	int outer = bpf_map__fd(probe->skeleton->maps.rings);

	probe->reader =
	    ring_buffer__new(bpf_map__fd(probe->skeleton->maps.events), record_seen, probe, NULL);
	if (!probe->reader)
		return -errno;
	for (unsigned i = 0; i < probe->rings; i++) {
		int fd = probe->ring_fds[i], r = bpf_map_update_elem(outer, &i, &fd, BPF_ANY);

		if (!r)
			r = ring_buffer__add(probe->reader, fd, record_seen, probe);
		if (r)
			return r;
	}
	return 0;
}

/* The chain of tail calls, where that variant runs. */
static int tail_steps_fill(struct probe *probe)
{
	struct pyprof *s = probe->skeleton;
	int steps = bpf_map__fd(s->maps.tail_steps);
	const struct bpf_program *chain[] = {s->progs.tail_walk, s->progs.tail_describe};

	if (probe->loop)
		return 0;
	for (__u32 i = 0; i < ARRAY_SIZE(chain); i++) {
		int fd = bpf_program__fd(chain[i]),
		    r = bpf_map_update_elem(steps, &i, &fd, BPF_ANY);

		if (r)
			return r;
	}
	return 0;
}

static int lifecycle_attach(struct probe *probe)
{
	struct pyprof *s = probe->skeleton;
	struct {
		struct bpf_program *program;
		struct bpf_link **link;
	} all[] = {
	    {s->progs.process_exec, &s->links.process_exec},
	    {s->progs.process_fork, &s->links.process_fork},
	    {s->progs.process_exit, &s->links.process_exit},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i].link = bpf_program__attach(all[i].program);
		if (!*all[i].link)
			return -errno;
	}
	return 0;
}

static int probe_load(struct probe *probe, const char **ret_what)
{
	int r;

	*ret_what = "open the BPF object";
	probe->skeleton = pyprof__open();
	if (!probe->skeleton)
		return -errno;
	programs_choose(probe);
	probe_maps_size(probe, probe->skeleton);
	*ret_what = "create the rings";
	r = rings_make(probe);
	if (r)
		return r;
	*ret_what = "load the BPF programs";
	r = pyprof__load(probe->skeleton);
	if (r)
		return r;
	*ret_what = "read the rings";
	r = rings_read(probe);
	if (!r)
		r = tail_steps_fill(probe);
	if (r)
		return r;
	*ret_what = "attach to the scheduler's tracepoints";
	return lifecycle_attach(probe);
}

int probe_new(const struct probe_options *options, struct probe **ret_probe, char *ret_error,
	      size_t error_size)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	const char *what = "";
	int r;

	if (!probe)
		return -ENOMEM;
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(libbpf_print);
	probe->options = *options;
	probe->loop = !options->force_tail &&
		      libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_loop, NULL) == 1;
	probe->cpus = cpus_present();
	probe->rings = (probe->cpus + CPUS_PER_RING - 1) / CPUS_PER_RING;
	probe->layouts = calloc(LAYOUTS_MAX, sizeof(*probe->layouts));
	r = probe->layouts ? probe_load(probe, &what) : -ENOMEM;
	if (r) {
		snprintf(ret_error, error_size, "cannot %s: %s", what, strerror(-r));
		probe_free(probe);
		return r;
	}
	*ret_probe = probe;
	return 0;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	ring_buffer__free(probe->reader);
	for (unsigned i = 0; probe->ring_fds && i < probe->rings; i++)
		if (probe->ring_fds[i] > 0)
			close(probe->ring_fds[i]);
	free(probe->ring_fds);
	free(probe->layouts);
	pyprof__destroy(probe->counting);
	pyprof__destroy(probe->skeleton);
	free(probe);
}

int probe_drain(struct probe *probe)
{
	int n;

	/* The ring's position moves after the record's handler: within it, the record would come
	 * again. */
	if (probe->draining)
		return 0;
	probe->draining = true;
	n = ring_buffer__consume(probe->reader);
	probe->draining = false;
	return n;
}

int probe_fd(const struct probe *probe)
{
	return ring_buffer__epoll_fd(probe->reader);
}

unsigned probe_cpus(const struct probe *probe)
{
	return probe->cpus;
}

bool probe_uses_loop(const struct probe *probe)
{
	return probe->loop;
}

int probe_program(const struct probe *probe, enum sample_source source)
{
	struct pyprof *s = probe->skeleton;

	if (probe->loop)
		return bpf_program__fd(source == SOURCE_ALWAYS ? s->progs.sample_loop
							       : s->progs.session_loop);
	return bpf_program__fd(source == SOURCE_ALWAYS ? s->progs.sample_tail
						       : s->progs.session_tail);
}

int probe_layout(struct probe *probe, const struct py_layout *layout)
{
	__u32 index;
	int r;

	for (int i = 0; i < probe->nlayouts; i++)
		if (memcmp(&probe->layouts[i], layout, sizeof(*layout)) == 0)
			return i;
	if (probe->nlayouts == LAYOUTS_MAX)
		return -ENOSPC;
	index = (__u32)probe->nlayouts;
	r = bpf_map_update_elem(bpf_map__fd(probe->skeleton->maps.layouts), &index, layout,
				BPF_ANY);
	if (r)
		return r;
	probe->layouts[probe->nlayouts] = *layout;
	return probe->nlayouts++;
}

int probe_image_set(struct probe *probe, const struct file_key *key, const struct py_image *image)
{
	return bpf_map_update_elem(bpf_map__fd(probe->skeleton->maps.images), key, image, BPF_ANY);
}

static int processes_fd(const struct probe *probe)
{
	return bpf_map__fd(probe->skeleton->maps.processes);
}

int probe_process_set(struct probe *probe, pid_t pid, const struct py_process *process)
{
	__u32 key = (__u32)pid;

	return bpf_map_update_elem(processes_fd(probe), &key, process, BPF_ANY);
}

int probe_process_get(struct probe *probe, pid_t pid, struct py_process *ret_process)
{
	__u32 key = (__u32)pid;

	return bpf_map_lookup_elem(processes_fd(probe), &key, ret_process);
}

void probe_process_drop(struct probe *probe, pid_t pid)
{
	__u32 key = (__u32)pid;

	bpf_map_delete_elem(processes_fd(probe), &key);
}

void probe_gate_add(struct probe *probe, uint64_t family, uint64_t code, uint32_t checksum)
{
	__u64 key = checksum_gate(family, code, checksum);
	__u8 one = 1;

	/* A full gate costs descriptions that are sent again; nothing is lost. */
	bpf_map_update_elem(bpf_map__fd(probe->skeleton->maps.gate), &key, &one, BPF_ANY);
}

void probe_gate_drop(struct probe *probe, uint64_t family, uint64_t code, uint32_t checksum)
{
	__u64 key = checksum_gate(family, code, checksum);

	bpf_map_delete_elem(bpf_map__fd(probe->skeleton->maps.gate), &key);
}

int probe_ticks(struct probe *probe, unsigned cpu, struct cpu_ticks *ret_ticks)
{
	return bpf_map_lookup_elem(bpf_map__fd(probe->skeleton->maps.ticks), &cpu, ret_ticks);
}

int probe_ticks_clear(struct probe *probe, unsigned cpu)
{
	struct cpu_ticks zero = {0};

	return bpf_map_update_elem(bpf_map__fd(probe->skeleton->maps.ticks), &cpu, &zero, BPF_ANY);
}

uint64_t probe_events_lost(struct probe *probe)
{
	uint64_t now = probe->skeleton->bss->events_lost, since = now - probe->events_lost;

	probe->events_lost = now;
	return since;
}

/* "memlock:" of a map's fdinfo; 0 when the kernel does not say. */
static size_t map_memlock(int fd)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[128];
	size_t bytes = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %zu", &bytes) == 1)
			break;
	return bytes;
}

size_t probe_map_bytes(const struct probe *probe)
{
	struct bpf_map *map;
	size_t bytes = 0;

	bpf_object__for_each_map(map, probe->skeleton->obj) if (bpf_map__fd(map) >= 0) bytes +=
	    map_memlock(bpf_map__fd(map));
	for (unsigned i = 0; i < probe->rings; i++)
		bytes += map_memlock(probe->ring_fds[i]);
	return bytes;
}

static void each_program(const struct pyprof *skeleton,
			 void (*fn)(void *, const char *, uint32_t, uint64_t run_ns, uint64_t runs),
			 void *data)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skeleton->obj)
	{
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_program__fd(program);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
			fn(data, bpf_program__name(program), info.verified_insns, info.run_time_ns,
			   info.run_cnt);
	}
}

void probe_each_program(const struct probe *probe,
			void (*fn)(void *, const char *, uint32_t, uint64_t run_ns, uint64_t runs),
			void *data)
{
	each_program(probe->skeleton, fn, data);
	if (probe->counting)
		each_program(probe->counting, fn, data);
}
