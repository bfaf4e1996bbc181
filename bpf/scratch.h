/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Working memory of one CPU and context: far too large for the 512-byte BPF stack. Also the
 * walker's interface: tests compile the walker natively over the same struct.
 */
#ifndef PYPROF_BPF_SCRATCH_H
#define PYPROF_BPF_SCRATCH_H

#include "bpf/config.h"
#include "bpf/record.h"

/*
 * memory[]: a window of the frames' data stack (0 …) and, for frames that lie elsewhere
 * (generators, the C stack), one frame at SIDE. One array, so that one bounds check serves both.
 */
#define MEMORY_SIZE 8192
#define MEMORY_MASK (MEMORY_SIZE - 1)
#define WALK_PAGE 4096
#define SIDE (WALK_PAGE + 256)
#define HEAD_SIZE 256 /* bytes of a code object or of a thread state that are read */
#define HEAD_MASK (HEAD_SIZE - 1)

#define LISTS_MAX 32 /* interpreters whose threads are searched: a power of two */

struct walk {
	__u64 frame;               /* next frame to visit, 0 at the end */
	__u64 window, window_size; /* user address and bytes of the window */
	__u64 near_stack,
	    near_side; /* last frames read: the next is likely just below one of them */
	__u64 now_ms;
	__u32 steps;
	__u32 nframes;
	__u32 unsent;
	__u32 loss; /* enum loss_reason */
	/* Of the current step: kept here and read back, so that the verifier sees one unknown
	 * number instead of every path's range, and does not follow the paths apart. */
	__u32 at;    /* where the frame lies in memory[] */
	__u32 index; /* of the code object's slot */
};

/* A code object to describe after the walk. */
struct unsent_code {
	__u64 code, globals;
	__u32 checksum;
	__u32 slot; /* in the code cache */
};

struct scratch {
	__u32 busy;
	__u32 pad;
	struct walk walk;
	struct unsent_code unsent[UNSENT_MAX];
	__u64 lists[LISTS_MAX];     /* first thread state of each interpreter, 0 behind the last */
	__u64 link;                 /* one pointer on its way */
	__u8 thread[HEAD_SIZE + 8]; /* head of the PyThreadState */
	__u8 head[HEAD_SIZE + 8];   /* head of a code object */
	__u8 string[96];            /* head of a str */
	__u8 memory[MEMORY_SIZE + 8];
	struct {
		struct sample_record record;
		struct py_frame frames[FRAMES_MAX];
	} sample;
	struct {
		struct code_record record;
		__u8 data[2 * CODE_STRING_MAX + CODE_TEXT_MAX];
	} code;
	struct {
		struct exec_record record;
		char argv[ARGV_MAX];
	} exec;
	struct py_process process; /* one that is being made */
};

/* What a CPU remembers of a thread for a second: its thread state, or that it has none.
 * Direct-mapped by tid. */
#define THREAD_SLOTS 256
#define CACHE_MS 1000
struct thread_slot {
	__u64 generation;
	__u64 state; /* address of the PyThreadState, 0: native thread */
	__u64 checked_ms;
	__u32 tid;
	__u32 absent; /* how often it was looked for in vain */
};
struct thread_cache {
	struct thread_slot slots[THREAD_SLOTS];
};

/* What a CPU remembers of a code object. 2-way: direct mapping sends descriptions too often. */
#define CODE_SLOTS 1024
struct code_slot {
	__u64 code;
	__u64 family;
	__u32 checked_ms;
	__u32 checksum;
	__s32 first_traceable; /* byte offset of the first traced instruction */
	__u32 sent;            /* its description is in the ring or with the daemon */
};
struct code_cache {
	struct code_slot slots[CODE_SLOTS];
};

#endif
