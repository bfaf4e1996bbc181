/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side's walker (bpf/thread.h, walk.h, describe.h), compiled natively and run on a live
 *process:
 *
 *	walk_check PID IDENT...
 *
 * prints, for each pthread identity, one line "thread IDENT LOSS" and its frames, leaf first, as
 * "frame FUNCTION\tFILE\tLINE". Also the test of names and line tables: what is printed went
 *through code_record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "bpf/describe.h"
#include "bpf/thread.h"
#include "bpf/walk.h"
#include "daemon/base/text.h"
#include "daemon/base/utf8.h"
#include "daemon/symbol/linetable.h"
#include "daemon/target/python.h"

static pid_t target;
static struct scratch scratch;
static struct thread_cache threads;
static struct code_cache codes;

/* What a description said, by code address and checksum. */
#define DESCRIBED_MAX 65536
static struct {
	__u64 code;
	__u32 checksum;
	struct code_record *record;
} described[DESCRIBED_MAX];
static size_t ndescribed;

long user_read(void *to, __u32 size, __u64 from)
{
	struct iovec local = {to, size}, remote = {(void *)(unsigned long)from, size};

	memset(to, 0, size); /* as the kernel does with what it cannot read */
	return process_vm_readv(target, &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -14;
}

/* Nothing has arrived anywhere: everything is described. */
ALWAYS_INLINE int gate_passed(__u64 family, __u64 code, __u32 checksum)
{
	(void)family;
	(void)code;
	(void)checksum;
	return 0;
}

static const struct code_record *record_find(const struct py_frame *frame)
{
	for (size_t i = 0; i < ndescribed; i++)
		if (described[i].code == frame->code && described[i].checksum == frame->checksum)
			return described[i].record;
	return NULL;
}

/* Describes what the walk met, as the sampler does after it. */
static void describe_all(const struct py_layout *layout, const struct py_process *process)
{
	for (__u32 i = 0; i < scratch.walk.unsent && ndescribed < DESCRIBED_MAX; i++) {
		__u64 size = describe_code(&scratch, layout, process, &scratch.unsent[i]);
		struct code_record *record;

		if (!size)
			continue;
		record = malloc(size);
		memcpy(record, &scratch.code, size);
		described[ndescribed].code = scratch.unsent[i].code;
		described[ndescribed].checksum = scratch.unsent[i].checksum;
		described[ndescribed++].record = record;
		codes.slots[scratch.unsent[i].slot].sent = 1;
	}
}

static void string_print(const __u8 *data, unsigned bytes, unsigned kind)
{
	for (unsigned at = 0; at + kind <= bytes; at += kind) {
		__u32 c = 0;
		char out[4];

		memcpy(&c, data + at, kind);
		fwrite(out, utf8_encode(c, out), 1, stdout);
	}
}

static void frame_print(const struct py_frame *frame)
{
	const struct code_record *r = record_find(frame);
	__u32 lasti = frame->lasti & ~FRAME_ENTRY;

	printf("frame ");
	if (!r) {
		printf("?\t?\t0\n");
		return;
	}
	string_print(r->data + r->file_bytes, r->name_bytes, r->name_kind);
	putchar('\t');
	string_print(r->data, r->file_bytes, r->file_kind);
	printf("\t%d\n", lasti == FRAME_LASTI_NONE
			     ? (int)r->first_line
			     : linetable_line(r->version, r->data + r->file_bytes + r->name_bytes,
					      r->table_bytes, (int)r->first_line, lasti));
}

/* The walk, again and again until every code object on the stack was described (UNSENT_MAX a
 * sample). */
static void thread_walk(const struct py_layout *layout, struct py_process *process, __u64 ident)
{
	__u32 loss = LOSS_NONE;
	__u64 state, now_ms = 0;

	for (int round = 0; round < 64; round++) {
		now_ms += CACHE_MS + 1;
		state = thread_find(&scratch, layout, process, &threads, (__u32)ident, ident,
				    now_ms, &loss);
		walk_start(&scratch.walk, state ? thread_frame(&scratch, layout) : 0, now_ms);
		while (walk_step(&scratch, layout, process, &codes) == WALK_NEXT)
			;
		describe_all(layout, process);
		if (!scratch.walk.unsent)
			break;
	}
	printf("thread %llu %u\n", (unsigned long long)ident, loss ? loss : scratch.walk.loss);
	for (__u32 i = 0; i < scratch.walk.nframes; i++)
		frame_print(&scratch.sample.frames[i]);
}

int main(int argc, char **argv)
{
	struct py_process process = {.generation = 1, .family = 1};
	struct python python;
	int r;

	if (argc < 3)
		return 64;
	target = (pid_t)atoi(argv[1]);
	r = python_find(target, &python);
	if (r || python.image.state != PY_SUPPORTED) {
		fprintf(stderr, "python_find: %s %s\n", strerror(-r), r ? "" : python.image.reason);
		return 1;
	}
	process.at = python.at;
	process.state = PY_SUPPORTED;
	for (int i = 2; i < argc; i++)
		thread_walk(&python.image.layout, &process, strtoull(argv[i], NULL, 10));
	return 0;
}
