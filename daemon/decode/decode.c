/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/decode/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "daemon/base/cleanup.h"

/* Fixed part of each kind; 0 = no such kind. */
static const uint32_t kind_sizes[] = {
    [RECORD_SAMPLE] = sizeof(struct sample_record), [RECORD_CODE] = sizeof(struct code_record),
    [RECORD_FORK] = sizeof(struct fork_record),     [RECORD_EXEC] = sizeof(struct exec_record),
    [RECORD_EXIT] = sizeof(struct exit_record),
};

static const bool losses[LOSS_MAX] = {
#define X(id, name, text, meaning) [id] = true,
    LOSS_REASONS(X)
#undef X
};

int decode_record(const void *data, size_t size, const struct record_header **ret_header)
{
	const struct record_header *header = data;

	if ((uintptr_t)data % _Alignof(struct record_header) || size < sizeof(*header))
		return -EBADMSG;
	if (header->size > size || header->kind >= ARRAY_SIZE(kind_sizes))
		return -EBADMSG;
	if (!kind_sizes[header->kind] || header->size < kind_sizes[header->kind])
		return -EBADMSG;
	*ret_header = header;
	return 0;
}

/* Bytes behind the fixed part. */
static size_t tail_size(const struct record_header *header)
{
	return header->size - kind_sizes[header->kind];
}

static bool comm_ends(const char comm[COMM_LEN])
{
	return memchr(comm, '\0', COMM_LEN) != NULL;
}

int decode_sample(const struct record_header *header, const struct sample_record **ret_sample)
{
	const struct sample_record *sample = (const struct sample_record *)header;

	if (header->kind != RECORD_SAMPLE)
		return -EBADMSG;
	if (sample->nframes > FRAMES_MAX ||
	    sample->nframes * sizeof(struct py_frame) > tail_size(header))
		return -EBADMSG;
	if (sample->resource >= RESOURCE_MAX || sample->leaf > LEAF_SYSTEM ||
	    sample->gil > GIL_NONE || sample->source > SOURCE_SESSION)
		return -EBADMSG;
	if (sample->loss >= LOSS_MAX || !losses[sample->loss] || sample->flags & ~SAMPLE_PARTIAL)
		return -EBADMSG;
	if (!comm_ends(sample->comm))
		return -EBADMSG;
	*ret_sample = sample;
	return 0;
}

static bool string_fits(uint16_t bytes, uint8_t kind)
{
	if (kind != 1 && kind != 2 && kind != 4)
		return false;
	return bytes <= CODE_STRING_MAX && bytes % kind == 0;
}

int decode_code(const struct record_header *header, const struct code_record **ret_code)
{
	const struct code_record *code = (const struct code_record *)header;

	if (header->kind != RECORD_CODE)
		return -EBADMSG;
	if (!string_fits(code->file_bytes, code->file_kind) ||
	    !string_fits(code->name_bytes, code->name_kind))
		return -EBADMSG;
	if (code->table_bytes > CODE_TEXT_MAX ||
	    (code->table_bytes > code->table_len && !(code->flags & CODE_TABLE_PARTIAL)))
		return -EBADMSG;
	if ((size_t)code->file_bytes + code->name_bytes + code->table_bytes > tail_size(header))
		return -EBADMSG;
	if (code->flags & ~(CODE_FILE_PARTIAL | CODE_NAME_PARTIAL | CODE_TABLE_PARTIAL))
		return -EBADMSG;
	*ret_code = code;
	return 0;
}

int decode_fork(const struct record_header *header, const struct fork_record **ret_fork)
{
	const struct fork_record *fork = (const struct fork_record *)header;

	if (header->kind != RECORD_FORK || !comm_ends(fork->comm))
		return -EBADMSG;
	*ret_fork = fork;
	return 0;
}

int decode_exec(const struct record_header *header, const struct exec_record **ret_exec)
{
	const struct exec_record *exec = (const struct exec_record *)header;

	if (header->kind != RECORD_EXEC || !comm_ends(exec->comm) || exec->configured > 1)
		return -EBADMSG;
	if (exec->argv_bytes > ARGV_MAX || exec->argv_bytes > tail_size(header))
		return -EBADMSG;
	*ret_exec = exec;
	return 0;
}

int decode_exit(const struct record_header *header, const struct exit_record **ret_exit)
{
	if (header->kind != RECORD_EXIT)
		return -EBADMSG;
	*ret_exit = (const struct exit_record *)header;
	return 0;
}
