/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side as one object: opens, sizes, loads and attaches the BPF programs, hands their
 * records on, reads and writes their maps. The only user of the skeleton.
 */
#ifndef PYPROF_DAEMON_PROBE_PROBE_H
#define PYPROF_DAEMON_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/record.h"

struct loop;
struct probe;

struct probe_options {
	unsigned hz;
	bool force_tail; /* the programs for 5.10–5.16, on any kernel: for tests */
	/* One record of a ring, valid during the call only. */
	void (*record)(void *data, const void *bytes, size_t size);
	void *data;
};

/* Opens, loads and attaches everything but the sampler. 0 or -errno; ret_error: one line for the
 * user. */
int probe_new(const struct probe_options *options, struct probe **ret_probe, char *ret_error,
	      size_t error_size);
void probe_free(struct probe *probe);

/* Drains all rings now; returns the number of records. Within a record's handler it does nothing.
 */
int probe_drain(struct probe *probe);
/* Readable when a ring wants draining before the timer does. */
int probe_fd(const struct probe *probe);

unsigned
probe_cpus(const struct probe *probe); /* entries of the per-CPU arrays: highest present CPU + 1 */
/* Descriptor of the program for perf events of a source (enum sample_source). */
int probe_program(const struct probe *probe, enum sample_source source);
bool probe_uses_loop(const struct probe *probe);

/* Index of a layout, added when new; -ENOSPC when LAYOUTS_MAX builds are known. */
int probe_layout(struct probe *probe, const struct py_layout *layout);
int probe_image_set(struct probe *probe, const struct file_key *key, const struct py_image *image);
int probe_process_set(struct probe *probe, pid_t pid, const struct py_process *process);
int probe_process_get(struct probe *probe, pid_t pid, struct py_process *ret_process);
void probe_process_drop(struct probe *probe, pid_t pid);
/* Code objects whose description has arrived. */
void probe_gate_add(struct probe *probe, uint64_t family, uint64_t code, uint32_t checksum);
void probe_gate_drop(struct probe *probe, uint64_t family, uint64_t code, uint32_t checksum);
/* The programs that count on demand, each alone. -ENOTSUP: not on this kernel. */
int probe_source_attach(struct probe *probe, enum source_id source);
void probe_source_detach(struct probe *probe, enum source_id source);
bool probe_source_attached(const struct probe *probe, enum source_id source);
int probe_ticks(struct probe *probe, unsigned cpu, struct cpu_ticks *ret_ticks);
int probe_ticks_clear(struct probe *probe, unsigned cpu);
/* Life-cycle records that were lost since the last call. */
uint64_t probe_events_lost(struct probe *probe);
/* Bytes of maps and rings, from the kernel's own count (fdinfo memlock) or computed. */
size_t probe_map_bytes(const struct probe *probe);
/* One line a program: name, verified instructions. fn(data, name, instructions, attached) */
void probe_each_program(const struct probe *probe,
			void (*fn)(void *, const char *, uint32_t, uint64_t run_ns, uint64_t runs),
			void *data);

#endif
