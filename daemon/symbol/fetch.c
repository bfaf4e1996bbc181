/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/symbol/fetch.h"

#include <errno.h>
#include <string.h>

#include "bpf/checksum.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/worker.h"
#include "daemon/target/mem.h"

#define HEAD_MAX 256   /* py_layout.co_span's bound */
#define OBJECT_MAX 128 /* head of a str or bytes object */

static uint64_t word_at(const uint8_t *bytes, size_t at)
{
	uint64_t word;

	memcpy(&word, bytes + at, sizeof(word));
	return word;
}

static uint32_t half_at(const uint8_t *bytes, size_t at)
{
	uint32_t half;

	memcpy(&half, bytes + at, sizeof(half));
	return half;
}

/* A pointer of the code object; 0 where the version lacks it. */
static uint64_t head_pointer(const struct py_layout *layout, const uint8_t *head, uint16_t at)
{
	return at + 8u <= layout->co_span ? word_at(head, at) : 0;
}

static uint32_t head_line(const struct py_layout *layout, const uint8_t *head)
{
	return layout->co_firstlineno + 4u <= layout->co_span
		   ? half_at(head, layout->co_firstlineno)
		   : 0;
}

static uint64_t head_name(const struct py_layout *layout, const uint8_t *head)
{
	return head_pointer(layout, head,
			    layout->co_qualname != PY_NONE ? layout->co_qualname : layout->co_name);
}

uint32_t fetch_checksum(const struct py_layout *layout, const uint8_t *head)
{
	return checksum_code(
	    head_name(layout, head), head_pointer(layout, head, layout->co_filename),
	    head_pointer(layout, head, layout->co_linetable),
	    head_pointer(layout, head, layout->co_consts), head_line(layout, head));
}

static int head_read(const struct py_layout *layout, struct mem *mem, uint64_t address,
		     uint32_t checksum, uint8_t head[HEAD_MAX])
{
	int r;

	if (layout->co_span > HEAD_MAX)
		return -EINVAL;
	r = mem_read(mem, address, head, layout->co_span);
	if (r < 0)
		return r;
	return fetch_checksum(layout, head) == checksum ? 0 : -ESTALE;
}

static int data_read(struct mem *mem, uint64_t address, size_t size, uint8_t **ret_data)
{
	_cleanup_free_ uint8_t *data = malloc(size + 1);
	int r;

	if (!data)
		return -ENOMEM;
	r = mem_read(mem, address, data, size);
	if (r < 0)
		return r;
	*ret_data = TAKE_PTR(data);
	return 0;
}

/* The str's length, width and where its characters start. Strings that are not compact are only
 * made by C code that uses an API which 3.12 removed; no compiler puts them into a code object. */
static int string_head(const struct py_layout *layout, struct mem *mem, uint64_t address,
		       uint64_t *ret_length, unsigned *ret_kind, uint64_t *ret_data)
{
	size_t span = MAX(layout->str_length + 8u, layout->str_state + 4u);
	uint32_t mask = layout->str_kind_mask, state;
	uint8_t head[OBJECT_MAX];
	int r;

	if (span > sizeof(head) || !mask)
		return -EINVAL;
	r = mem_read(mem, address, head, span);
	if (r < 0)
		return r;
	state = half_at(head, layout->str_state);
	if (!(state & layout->str_compact_bit))
		return -ENOTSUP;
	*ret_length = word_at(head, layout->str_length);
	*ret_kind = (state & mask) / (mask & -mask);
	*ret_data =
	    address + (state & layout->str_ascii_bit ? layout->str_ascii : layout->str_compact);
	return 0;
}

static void string_read(const struct py_layout *layout, struct mem *mem, uint64_t address,
			struct fetch_string *string, uint8_t **ret_buffer)
{
	uint64_t length, data;
	unsigned kind;
	size_t size;

	*string = (struct fetch_string){.kind = 1, .partial = true};
	if (string_head(layout, mem, address, &length, &kind, &data) < 0)
		return;
	if (kind != 1 && kind != 2 && kind != 4)
		return;
	size = MIN(length, (uint64_t)FETCH_STRING_MAX / kind) * kind;
	if (data_read(mem, data, size, ret_buffer) < 0)
		return;
	*string = (struct fetch_string){*ret_buffer, size, kind, length > size / kind};
}

static void table_read(const struct py_layout *layout, struct mem *mem, uint64_t address,
		       struct fetch_code *code)
{
	uint8_t length[8];

	code->table_partial = true;
	if (mem_read(mem, address + layout->bytes_size, length, sizeof(length)) < 0)
		return;
	code->table_size = MIN(word_at(length, 0), (uint64_t)FETCH_TABLE_MAX);
	if (data_read(mem, address + layout->bytes_data, code->table_size, &code->buffers[2]) < 0) {
		code->table_size = 0;
		return;
	}
	code->table = code->buffers[2];
	code->table_partial = word_at(length, 0) > FETCH_TABLE_MAX;
}

static int code_read(const struct py_layout *layout, struct mem *mem, uint64_t address,
		     uint32_t checksum, struct fetch_code *code)
{
	uint8_t head[HEAD_MAX];
	int r = head_read(layout, mem, address, checksum, head);

	if (r < 0)
		return r;
	code->version = layout->version;
	code->first_line = (int)head_line(layout, head);
	string_read(layout, mem, head_pointer(layout, head, layout->co_filename), &code->file,
		    &code->buffers[0]);
	string_read(layout, mem, head_name(layout, head), &code->name, &code->buffers[1]);
	table_read(layout, mem, head_pointer(layout, head, layout->co_linetable), code);
	mem_forget(mem);
	return head_read(layout, mem, address, checksum, head);
}

/* One code object; the worker's until it has ended. */
struct fetch {
	struct py_layout layout;
	pid_t pid;
	uint64_t address;
	uint32_t checksum;
	int result;
	struct fetch_code code;
	struct fetch_code *ret_code; /* the caller's while it waits */
	int *ret_result;
};

static void fetch_run(void *data)
{
	struct fetch *f = data;
	struct mem *mem = mem_new(f->pid);

	f->result = -ENOMEM;
	if (mem)
		f->result = code_read(&f->layout, mem, f->address, f->checksum, &f->code);
	mem_free(mem);
}

static void fetch_ended(void *data, bool called)
{
	struct fetch *f = data;

	if (called)
		*f->ret_result = f->result;
	if (called && f->result == 0)
		*f->ret_code = f->code;
	else
		fetch_done(&f->code);
	free(f);
}

/* The process's memory may lie on a file system that does not answer. */
int fetch_code(const struct py_layout *layout, pid_t pid, uint64_t address, uint32_t checksum,
	       struct fetch_code *ret_code)
{
	struct fetch *f = calloc(1, sizeof(*f));
	struct worker_job job = {fetch_run, fetch_ended, f,
				 worker_owner(WORKER_PROCESS, (uint64_t)pid), 0};
	int result = -EBUSY, r;

	if (!f)
		return -ENOMEM;
	*f = (struct fetch){.layout = *layout,
			    .pid = pid,
			    .address = address,
			    .checksum = checksum,
			    .ret_code = ret_code,
			    .ret_result = &result};
	r = worker_call(&job);
	if (r == -EBUSY || r == -EAGAIN)
		free(f);
	return result == -EFAULT ? -ESTALE : result;
}

void fetch_done(struct fetch_code *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(code->buffers); i++)
		free(code->buffers[i]);
	*code = (struct fetch_code){0};
}
