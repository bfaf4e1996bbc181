/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Defines what maps.h declares. */
#include "bpf/maps.h"

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
