/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fills one dump_thread from what is in memory now; dump.c knows when that is consistent. */
#ifndef PYPROF_DAEMON_TARGET_DUMP_THREAD_H
#define PYPROF_DAEMON_TARGET_DUMP_THREAD_H

#include "daemon/target/dump.h"
#include "daemon/target/procthread.h"
#include "daemon/target/pystack.h"
#include "daemon/target/pythreads.h"

/* Text of one dump; a hostile target could fill the memory with deep stacks of long names. */
#define DUMP_THREAD_BYTES_MAX (32u << 20)

struct dump_reader {
	struct pyreader reader;
	struct pystack stack; /* scratch */
	bool locals;
	size_t bytes;    /* of text so far */
	uint64_t end_ns; /* CLOCK_MONOTONIC: when the dump gives up */
};

/* Frames of the leaf-most `skip` on, into `thread` (which holds none yet). 0; -EFAULT, -EBADMSG:
 * what was read is no stack; -E2BIG: the dump's text limit; -ETIME: its time is up; -ENOMEM. */
int dump_thread_frames(struct dump_reader *reader, const struct pystack *stack, size_t skip,
		       struct dump_thread *thread);
/* Walks the thread's stack and names its frames. The same errors. */
int dump_thread_read(struct dump_reader *reader, const struct pythread *python,
		     struct dump_thread *thread);
/* Drops the frames. */
void dump_thread_clear(struct dump_thread *thread);

/* state, syscall, wait_cause. `ran`: it had a CPU since the dump began. */
void dump_thread_set_state(struct dump_thread *thread, pid_t pid, char letter,
			   const struct procthread_call *call, bool ran);

#endif
