/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contract up, beside the records: what is counted exactly, in maps that the daemon reads. Keys
 * hold the process's generation, so that counters outlive it until the daemon has taken them.
 */
#ifndef PYPROF_BPF_COUNTERS_H
#define PYPROF_BPF_COUNTERS_H

#include <linux/types.h>

/*
 * Durations are counted in buckets of a quarter octave from 64 ns to 64 s: a percentile is exact to
 * 25 %, its bucket's width.
 */
#define TIME_BUCKETS 120
#define TIME_FIRST_OCTAVE 6
struct time_histogram {
	__u32 buckets[TIME_BUCKETS];
};

/* Of one thread, which alone writes it. Key of `calls`. */
struct syscall_key {
	__u64 generation;
	__u32 tid;
	__u32 number; /* of the system call, x86-64 */
};

struct syscall_counts {
	__u64 calls, errors;
	__u64 bytes;      /* that reads and writes moved */
	__u64 blocked_ns; /* asleep since the call before it: calls whose begin was not seen, too */
	/* Of `timed` calls, those whose begin was seen as well: */
	__u64 timed;
	__u64 wall_ns, waiting_ns; /* waiting: off the CPU, for whatever reason */
	__u64 min_ns, max_ns;
};

/* Key of `call_times`: durations of all threads. */
struct times_key {
	__u64 generation;
	__u32 number, pad;
};

/* Key of `call_errors` → __u64. */
struct error_key {
	__u64 generation;
	__u32 number, error; /* errno */
};

enum io_kind { IO_FILE, IO_SOCKET, IO_PIPE, IO_TTY, IO_OTHER, IO_KINDS };

/* Key of `targets`: a file, socket or pipe by its inode, as the kernel numbers it. */
struct target_key {
	__u64 generation;
	__u64 dev, ino;
};

struct target_counts {
	__u32 kind; /* enum io_kind */
	__u32 fd;   /* by which it was seen first */
	__u64 reads, writes, read_bytes, write_bytes;
};

enum gpu_driver {
	GPU_NONE,
	GPU_NVIDIA_CTL,
	GPU_NVIDIA,
	GPU_NVIDIA_UVM,
	GPU_NVIDIA_MODESET,
	GPU_DRM,
	GPU_KFD
};

/* Key of `devices` → __u32 enum gpu_driver. */
#define DEVICE_ANY_MINOR 0xffffffffu
struct device_key {
	__u32 major, minor;
};

/* Key of `ioctls`. */
struct ioctl_key {
	__u64 generation;
	__u32 driver, number;
};

struct ioctl_counts {
	__u64 calls, errors;
	__u64 refused; /* errno 0, but the driver's own status in the caller's struct is not */
	__u64 timed, wall_ns, max_ns;
	struct time_histogram times;
};

/* Key of `ioctl_status` → offset in the caller's struct of the driver's status (u32, 0 = done). */
struct status_key {
	__u32 driver, number;
};

/* Anonymous memory of one process, in py_process: written by its page faults. */
struct memory_counts {
	__u64 known;       /* seen_bytes holds */
	__s64 seen_bytes;  /* the kernel's counter at the last sample */
	__s64 peak_bytes;  /* the most that was seen */
	__u64 grown_bytes; /* Σ of all growth; again_bytes of it below the peak */
	__u64 again_bytes;
	__u64 freed_bytes;
};

/* How often each program ran: for the budget. CPU → this; written by that CPU. */
enum source_id { SRC_SYSCALLS, SRC_SYSCALL_TIMES, SRC_MEMORY, SRC_COUNT, SRC_MAX = 8 };
struct source_runs {
	__u64 others[SRC_MAX], traced[SRC_MAX];
	__u64 walks[SRC_MAX];    /* samples sent */
	__u64 deferred[SRC_MAX]; /* samples that found the area busy or the ring full: their weight
				    goes into the thread's next one */
	__u64 full;              /* events that found a counter map full */
};

_Static_assert(sizeof(struct syscall_key) == 16, "changed size");
_Static_assert(sizeof(struct syscall_counts) == 72, "changed size");
_Static_assert(sizeof(struct target_key) == 24, "changed size");
_Static_assert(sizeof(struct ioctl_counts) == 528, "changed size");

#endif
