/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/pycode.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/symbol/linetable.h"
#include "daemon/target/pystring.h"

#define NAME_MAX_CHARS 1024    /* of a function: as much as travels through the ring */
#define FILE_MAX_CHARS 4096    /* PATH_MAX */
#define TABLE_MAX (256 * 1024) /* the longest of the standard library is 14 KiB */

void pycode_done(struct pycode *code)
{
	free(code->function);
	free(code->file);
	free(code->table);
	*code = (struct pycode){0};
}

/* 1 when it was cut. */
static int read_string(const struct pyreader *reader, uint64_t address, uint16_t offset, size_t max,
		       char **ret_text)
{
	uint64_t string;
	int r = pyreader_u64(reader, address, offset, &string);

	return r < 0 ? r : pystring_read(reader, string, max, ret_text);
}

static int read_table(const struct pyreader *reader, uint64_t address, struct pycode *code)
{
	const struct py_layout *l = reader->layout;
	uint64_t bytes, size;
	int r;

	r = pyreader_u64(reader, address, l->co_linetable, &bytes);
	if (r < 0)
		return r;
	r = pyreader_u64(reader, bytes, l->bytes_size, &size);
	if (r < 0)
		return r;
	if (size > TABLE_MAX) /* the frame is named all the same, without a line */
		return 0;
	code->table = malloc(size + 1);
	if (!code->table)
		return -ENOMEM;
	code->table_size = size;
	return size ? mem_read(reader->mem, bytes + l->bytes_data, code->table, size) : 0;
}

static int read_all(const struct pyreader *reader, uint64_t address, struct pycode *code)
{
	const struct py_layout *l = reader->layout;
	uint16_t name = l->co_qualname != PY_NONE ? l->co_qualname : l->co_name;
	int r;

	r = read_string(reader, address, name, NAME_MAX_CHARS, &code->function);
	if (r < 0)
		return r;
	code->function_cut = r;
	r = read_string(reader, address, l->co_filename, FILE_MAX_CHARS, &code->file);
	if (r < 0)
		return r;
	code->file_cut = r;
	r = mem_read(reader->mem, address + l->co_firstlineno, &code->first_line,
		     sizeof(code->first_line));
	if (r < 0)
		return r;
	return read_table(reader, address, code);
}

int pycode_read(const struct pyreader *reader, uint64_t address, struct pycode *ret_code)
{
	_cleanup_(pycode_done) struct pycode code = {0};
	int r = read_all(reader, address, &code);

	if (r < 0)
		return r;
	*ret_code = code;
	code = (struct pycode){0};
	return 0;
}

int pycode_line(const struct pyreader *reader, const struct pycode *code, int64_t lasti)
{
	if (lasti < 0) /* PyCode_Addr2Line() of an instruction before the first */
		return code->first_line;
	if (lasti > INT32_MAX || !code->table)
		return 0;
	return linetable_line(reader->layout->version, code->table, code->table_size,
			      code->first_line, (uint32_t)lasti);
}
