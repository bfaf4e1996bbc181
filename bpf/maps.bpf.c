/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Defines what maps.h declares. */
#include "bpf/maps.h"
#include "bpf/settings.h"

const volatile __u32 cpus = 1;
const volatile __u32 cpus_per_ring = 16;
const volatile __u32 ring_wake_bytes = 1 << 18;
volatile __u32 source_epochs[SRC_COUNT] = {};

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct processes_map processes SEC(".maps");
struct layouts_map layouts SEC(".maps");
struct images_map images SEC(".maps");
struct gate_map gate SEC(".maps");
struct ticks_map ticks SEC(".maps");
struct scratch_map scratches SEC(".maps");
struct threads_map thread_caches SEC(".maps");
struct codes_map code_caches SEC(".maps");
struct events_map events SEC(".maps");
struct rings_map rings SEC(".maps");
struct thread_uses_map thread_uses SEC(".maps");
