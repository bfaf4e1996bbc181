/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contract up: the records in the ring buffers (kernel → daemon).
 *
 * Every record starts with a record_header. Sample and code records travel in the sample rings, the
 * life-cycle records in the `events` ring. Ids are append-only; sizes are asserted.
 */
#ifndef PYPROF_BPF_RECORD_H
#define PYPROF_BPF_RECORD_H

#include <linux/types.h>
#include "bpf/config.h"

enum record_kind {
	RECORD_SAMPLE = 1,
	RECORD_CODE = 2,
	RECORD_FORK = 3,
	RECORD_EXEC = 4,
	RECORD_EXIT = 5,
};

struct record_header {
	__u32 size; /* bytes, header included */
	__u16 kind;
	__u16 cpu;
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

/*
 * One frame. lasti: bit 31 = the evaluation loop was entered natively with this frame, bits 0–30 =
 * byte offset of the instruction in the code (caches included), FRAME_LASTI_NONE = not started.
 */
struct py_frame {
	__u64 code; /* address of the code object */
	__u32 lasti;
	__u32 checksum; /* of the code object's identity */
};
#define FRAME_ENTRY 0x80000000u
#define FRAME_LASTI_NONE 0x7fffffffu

/*
 * What a sample is a weight of. Ids are append-only. X(id, NAME, "text", "unit")
 * detail: MEMORY: MEMORY_AGAIN or 0; READ, WRITE: enum io_kind; SYSCALL: the call's number.
 */
#define RESOURCES(X)                                                                               \
	X(0, CPU, "cpu", "ns")                                                                     \
	X(1, MEMORY, "memory", "bytes")                                                            \
	X(2, READ, "read", "bytes")                                                                \
	X(3, WRITE, "write", "bytes")                                                              \
	X(4, SYSCALL, "syscall", "count")

enum resource {
#define X(id, name, text, unit) RESOURCE_##name = id,
	RESOURCES(X)
#undef X
	    RESOURCE_MAX = 8, /* a power of two */
};

enum io_kind { IO_FILE, IO_SOCKET, IO_PIPE, IO_TTY, IO_OTHER, IO_KINDS };
#define MEMORY_AGAIN 1 /* the process had as much before: freed and touched again */
enum leaf_class { LEAF_PYTHON, LEAF_NATIVE, LEAF_SYSTEM };
enum gil_state { GIL_UNKNOWN, GIL_HELD, GIL_WANTED, GIL_RELEASED, GIL_NONE /* free-threaded */ };
/* sample_record.source: which event took it */
enum sample_source { SOURCE_ALWAYS, SOURCE_SESSION };

/* sample_record.flags */
#define SAMPLE_PARTIAL 1 /* root-most frames are missing; `loss` says why */

struct sample_record {
	struct record_header header;
	__u64 generation; /* of the process */
	__u64 family;
	__u32 pid; /* tgid, initial pid namespace */
	__u32 tid;
	__u64 thread_ident; /* pthread_self(); Python's threading.get_ident() */
	__u64 weight;       /* in the resource's unit */
	__u64 detail;       /* of what kind, by resource: see RESOURCES */
	__u64 ip;           /* user-space instruction pointer, 0 in the kernel */
	__u8 resource, leaf, gil, source;
	__u8 loss; /* enum loss_reason */
	__u8 flags;
	__u16 nframes;
	char comm[COMM_LEN];      /* of the thread */
	struct py_frame frames[]; /* leaf first */
};

/* code_record.flags: what user space has to read from the process itself */
#define CODE_FILE_PARTIAL 1
#define CODE_NAME_PARTIAL 2
#define CODE_TABLE_PARTIAL 4

/*
 * Names and line table of one code object, sent once. `data` holds file, name and table one after
 * the other, as they lie in memory: a string of kind k has k bytes a character (1: Latin-1, 2, 4:
 * UTF-16/32 code points).
 */
struct code_record {
	struct record_header header;
	__u64 family;
	__u64 code;
	__u32 checksum;
	__u32 first_line;
	__u32 version; /* PY_VERSION_HEX: the line table's format and whether `name` is qualified
			  (3.11+) */
	__u32 pid;     /* who met it: its memory holds the rest of a partial record */
	__u64 file_object, name_object, table_object; /* addresses in that process */
	__u64 globals_object; /* dict that the function ran with when it was met */
	__u32
	    table_len; /* whole length in the process, bytes; more than table_bytes when partial */
	__u16 file_bytes, name_bytes, table_bytes;
	__u8 file_kind, name_kind;
	__u32 flags;
	__u8 data[];
};

/* A Python process forked a process. */
struct fork_record {
	struct record_header header;
	__u64 generation, family; /* the child's */
	__u64 start_time_ns;      /* CLOCK_BOOTTIME */
	__u64 cgroup;
	__u32 pid, ppid, uid;
	__u32 pad;
	char comm[COMM_LEN];
};

/* Any process called execve. configured = 1: the image was known and the kernel side samples it
 * already. */
struct exec_record {
	struct record_header header;
	__u64 generation; /* of the new image; also its family */
	__u64 start_time_ns;
	__u64 cgroup;
	struct file_key image; /* the ELF file that the kernel mapped (a script's interpreter) */
	__u64 start_code;      /* run-time address of its first executable PT_LOAD */
	__u32 pid, ppid, uid;
	__u16 configured;
	__u16 argv_bytes;
	char comm[COMM_LEN];
	char argv[]; /* NUL-separated, cut at ARGV_MAX */
};

/* The last thread of a configured process ended, or it called execve (an exec record follows). */
struct exit_record {
	struct record_header header;
	__u64 generation;
	__u32 pid;
	__u32 exit_code;
	struct process_ticks ticks, session; /* final, as in struct py_process */
};

_Static_assert(sizeof(struct record_header) == 16, "changed size");
_Static_assert(sizeof(struct py_frame) == 16, "changed size");
_Static_assert(sizeof(struct sample_record) == 96, "changed size");
_Static_assert(sizeof(struct code_record) == 96, "changed size");
_Static_assert(sizeof(struct fork_record) == 80, "changed size");
_Static_assert(sizeof(struct exec_record) == 112, "changed size");
_Static_assert(sizeof(struct exit_record) == 352, "changed size");

#endif
