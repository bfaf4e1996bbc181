/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a record: what decode lets pass may be read to its last byte.
 *
 * links: daemon/decode/decode.c
 */
#include "tests/fuzz/fuzz.h"

#include "daemon/decode/decode.h"

static volatile unsigned sum;

static void touch(const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)data)[i];
}

static void touch_sample(const struct sample_record *sample)
{
	touch(sample->frames, sample->nframes * sizeof(struct py_frame));
	touch(sample->comm, strlen(sample->comm));
	FUZZ_HOLDS(sample->nframes <= FRAMES_MAX && sample->loss < LOSS_MAX);
}

static void touch_code(const struct code_record *code)
{
	touch(code->data, (size_t)code->file_bytes + code->name_bytes + code->table_bytes);
	FUZZ_HOLDS(code->file_bytes % code->file_kind == 0);
}

static void check(const struct record_header *header)
{
	const struct sample_record *sample;
	const struct code_record *code;
	const struct fork_record *fork;
	const struct exec_record *exec;
	const struct exit_record *exited;

	touch(header, header->size);
	if (decode_sample(header, &sample) == 0)
		touch_sample(sample);
	if (decode_code(header, &code) == 0)
		touch_code(code);
	if (decode_fork(header, &fork) == 0)
		touch(fork->comm, strlen(fork->comm));
	if (decode_exec(header, &exec) == 0)
		touch(exec->argv, exec->argv_bytes);
	if (decode_exit(header, &exited) == 0)
		touch(exited, sizeof(*exited));
}

/* The first byte says whether size and kind are made plausible, which random bytes rarely are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct record_header *header;
	uint8_t how, *bytes = malloc(size + 8);

	fuzz_take(&data, &size, &how, sizeof(how));
	if (size)
		memcpy(bytes, data, size);
	if (how & 1 && size >= sizeof(*header)) {
		struct record_header *made = (struct record_header *)bytes;

		made->size = (uint32_t)(size - (how >> 5));
		made->kind = how >> 1 & 7;
	}
	bytes = realloc(bytes, size + !size);
	if (decode_record(bytes, size, &header) == 0)
		check(header);
	free(bytes);
	return 0;
}
