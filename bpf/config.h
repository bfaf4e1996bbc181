/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contract down: what the daemon writes into maps and what the kernel side reads from them.
 *
 * An interpreter build is a `py_layout` (offsets, one per distinct build). An executable file that
 * carries a static interpreter is a `py_image` (addresses relative to its first executable segment,
 * so that exec can be answered in the kernel). A process is a `py_process` (absolute addresses).
 */
#ifndef PYPROF_BPF_CONFIG_H
#define PYPROF_BPF_CONFIG_H

#include <linux/types.h>

/*
 * The kernel side's working areas: `scratches` holds CPUs × SCRATCH_CONTEXTS of them. A perf event
 * may interrupt a tracepoint's program, and that one a uprobe's: each has its own area.
 */
enum scratch_context { SCRATCH_PERF, SCRATCH_TRACEPOINT, SCRATCH_UPROBE, SCRATCH_CONTEXTS };

/* Limits; each is shown by `pyprofctl status`. */

/* Leaf-most frames kept of one stack: the depth of sys.getrecursionlimit(). */
#define FRAMES_MAX 1024
/* Frames visited, entry and shim frames included. */
#define WALK_STEPS_MAX 2048
/* Leaf-most frames whose code object is read at every sample: all stale entries of an unverified
 * cache were found among these. */
#define VERIFIED_LEAVES 8
/* Thread states visited when a thread is looked for in the interpreters' lists. */
#define THREAD_LIST_MAX 512
/* Code objects described per sample; the rest follow with later samples. */
#define UNSENT_MAX 64
/* Distinct interpreter builds of one host. */
#define LAYOUTS_MAX 256
/* Line-table bytes that travel with a code object; the tail is read from outside. */
#define CODE_TEXT_MAX 8192
/* Bytes of a file name or a qualified name that travel with it. */
#define CODE_STRING_MAX 1024
/* Bytes of a command line that travel with an exec. */
#define ARGV_MAX 1024
#define COMM_LEN 16 /* TASK_COMM_LEN */

/*
 * Why a tick that hit a Python process gave no complete stack. Index of the lost[] counters and the
 * names users see (reference: the JSON's `lost`). Ids are append-only.
 * X(id, NAME, "text", "meaning")
 */
#define LOSS_REASONS(X)                                                                            \
	X(0, NONE, "none", "complete")                                                             \
	X(1, STARTING, "starting", "the interpreter has not initialised yet")                      \
	X(2, UNREADABLE, "unreadable", "a page of the stack was not in memory")                    \
	X(3, TRUNCATED, "truncated-by-limit", "deeper than the limit; the leaf-most part is kept") \
	X(4, NESTED, "nested", "another event was being handled on this CPU")                      \
	X(5, RING_FULL, "ring-full", "the daemon did not drain its ring in time")                  \
	X(6, NO_THREAD_STATE, "no-thread-state", "more threads than the search visits")            \
	X(7, UNSUPPORTED, "unsupported", "a Python version that is not supported")                 \
	X(8, SKIPPED, "skipped", "the kernel skipped the tick")                                    \
	X(9, STALE, "stale", "the code object was gone before its name was known")

enum loss_reason {
#define X(id, name, text, meaning) LOSS_##name = id,
	LOSS_REASONS(X)
#undef X
	    LOSS_MAX = 16, /* room, so that counters keep their size */
};

/* What a tick of a CPU was, beside losses. Index of cpu_ticks.kind[]. */
enum tick_kind {
	TICK_PYTHON, /* complete Python stack */
	TICK_NATIVE, /* thread of a Python process without Python frames */
	TICK_OTHER,  /* another process */
	TICK_KERNEL, /* kernel thread */
	TICK_IDLE,
	TICK_SELF, /* pyprofd itself */
	TICK_KINDS,
};

/*
 * Per CPU, in ticks since the event was opened. ran = Σ kind + Σ lost (SKIPPED excepted);
 * due - ran = SKIPPED. Written by the perf event of that CPU alone, read by the daemon.
 */
struct cpu_ticks {
	__u64 due; /* counter ÷ period, this opening */
	__u64 ran; /* ticks that reached the program, this opening */
	__u64 kind[TICK_KINDS];
	__u64 lost[LOSS_MAX];
};

/* py_layout.flags */
#define PY_FREE_THREADED (1u << 0) /* built without the GIL */
#define PY_INTERP_FRAMES (1u << 1) /* 3.11+: _PyInterpreterFrame; else PyFrameObject */
#define PY_CFRAME (1u << 2)        /* 3.11, 3.12: thread state → cframe → frame */
#define PY_TAGGED (1u << 3)        /* 3.14+: the code reference carries tag bits */
#define PY_TLBC (1u << 4)          /* 3.14t+: instr_ptr may point into a thread-local copy */
#define PY_LASTI_UNITS (1u << 5)   /* 3.10: f_lasti counts 2-byte units */
#define PY_GIL_IN_INTERP (1u << 6) /* 3.12+: GIL pointer in the interpreter state */
#define PY_NONE ((__u16)0xffff)    /* offset of a field that this version lacks */

/*
 * Offsets in bytes inside CPython's structs; PY_NONE where the version lacks the field. Sources:
 * the target's own _Py_DebugOffsets for 3.13+, the measured table (daemon/target/pylayout_table.c)
 * before, and for fields which the debug table lacks.
 */
struct py_layout {
	__u32 version; /* PY_VERSION_HEX */
	__u32 flags;   /* PY_* */
	/* _PyRuntime (u32: some lie beyond 64 KiB) */
	__u32 rt_interpreters_head;
	__u32 rt_tss_key; /* int; initialised when the int before it is 1 */
	__u32 rt_gil;     /* 3.7–3.11 */
	__u32 is_gil;     /* 3.12+: offset of the pointer `ceval.gil` */
	__u32 is_next, is_threads_head;
	/* PyThreadState */
	__u16 ts_next, ts_interp, ts_frame; /* frame, cframe or current_frame */
	__u16 ts_thread_id, ts_native_id, ts_holds_gil, ts_gil_requested;
	__u16 ts_span; /* bytes of PyThreadState that one read must cover for the fields above; ≤
			  256 */
	__u16 cframe_current;
	/* frame */
	__u16 f_size;                      /* bytes to read of a frame, ≤ 128 */
	__u16 f_previous, f_code, f_instr; /* f_instr: prev_instr, instr_ptr or f_lasti */
	__u16 f_owner, f_is_entry, f_tlbc_index;
	__u16 f_owner_generator, f_owner_shim; /* owner values: frames ≥ shim are not Python's */
	/* PyCodeObject */
	__u16 co_span; /* bytes of the head that one read must cover, ≤ 256 */
	__u16 co_filename, co_name, co_qualname, co_linetable, co_firstlineno, co_consts;
	__u16 co_code_adaptive, co_firsttraceable, co_tlbc;
	/* objects */
	__u16 ob_type;
	__u16 str_length, str_state, str_ascii,
	    str_compact; /* data of compact ASCII / other strings */
	__u16 bytes_size, bytes_data;
	__u16 gil_holder, gil_locked, gil_enabled, gil_cond, gil_size;
	__u16 f_globals;                                     /* of a frame */
	__u32 str_kind_mask, str_compact_bit, str_ascii_bit; /* in the u32 at str_state */
	__u32 pad2;
};

/* py_process.state */
enum py_state {
	PY_SUPPORTED = 1,
	PY_UNSUPPORTED, /* Python, but its version cannot be read: ticks are counted as such */
	PY_NOT_PYTHON,  /* py_image only: looked at, nothing found */
};

/* Identity of a file as the kernel's events report it; never from stat() (overlayfs, btrfs differ).
 */
struct file_key {
	__u64 dev; /* super_block.s_dev */
	__u64 ino;
	__u64 size;
	__u32 generation;
	__u32 pad;
};

/*
 * Addresses of one interpreter. In a py_process: absolute. In a py_image: minus the link-time
 * address of the first executable PT_LOAD (exec adds mm->start_code). 0 = unknown or absent in
 * both.
 */
struct py_addresses {
	__u64 interp_head; /* of the pointer to the first PyInterpreterState */
	__u64 tss_key;   /* of the pthread key (int) that holds the thread state; 0: use the list */
	__u64 code_type; /* of PyCode_Type; 0: executables are not checked */
	__u64 gil; /* of the GIL struct (3.7–3.11); 0: from the interpreter state or absent */
	__u64 text_start; /* the interpreter's machine code: a leaf in it is "Python" */
	__u64 text_end;
};

struct py_image {
	struct py_addresses at;
	__u32 layout; /* index into `layouts` */
	__u32 state;  /* enum py_state */
};

/*
 * Ticks of one process; Σ: events = samples + native + Σ lost. Of the lost ones, kept are those
 * whose leaf-most frames were sent: samples + native + kept = sample records in the rings.
 */
struct process_ticks {
	__u64 events, samples, native, kept;
	__u64 lost[LOSS_MAX];
};

/* The programs that count on demand; each runs while somebody records what it counts. */
enum source_id { SRC_SYSCALLS, SRC_MEMORY, SRC_COUNT };

/* Anonymous memory at the last sample. Of an earlier recording when the epoch is another: what
 * happened between two recordings is nobody's. */
struct memory_seen {
	__s64 bytes;
	__s64 peak_bytes; /* the most that was seen */
	__u32 epoch;      /* source_epochs[SRC_MEMORY]; 0: never */
	__u32 pad;
};

/* Value of `processes`: tgid (u32) → this. Written by fork/exec/exit and by the daemon, never by
 * perf events (they add to `ticks` in place). */
struct py_process {
	__u64 generation; /* this incarnation: ktime of its fork or exec; unique */
	__u64 family; /* generation of the last exec, kept through forks: code objects are named by
			 it */
	struct py_addresses at;
	__u32 layout;
	__u32 state;
	struct process_ticks ticks;   /* of the always-on sampler */
	struct process_ticks session; /* of events that a recording added */
	struct memory_seen memory;
};

/* Key of `gate`: code objects whose description has arrived. Written by the daemon, looked up by
 * the kernel. */
struct code_key {
	__u64 family;
	__u64 code;
	__u32 checksum;
	__u32 pad;
};

_Static_assert(sizeof(struct file_key) == 32, "changed size");
_Static_assert(sizeof(struct py_addresses) == 48, "changed size");
_Static_assert(sizeof(struct code_key) == 24, "changed size");

#endif
