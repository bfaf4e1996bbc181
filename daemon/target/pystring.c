/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/pystring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

#define LENGTH_MAX (1ull << 40) /* longer is no string but a misread word */
#define PIECE 1024              /* bytes read at a time */

struct shape {
	uint64_t data;
	uint64_t length; /* characters */
	unsigned kind;   /* bytes a character: 1 Latin-1, 2, 4 */
};

static int shape_read(const struct pyreader *reader, uint64_t string, struct shape *ret_shape)
{
	const struct py_layout *l = reader->layout;
	struct shape shape;
	uint32_t state;
	int r;

	r = pyreader_u64(reader, string, l->str_length, &shape.length);
	if (r < 0)
		return r;
	r = mem_u32(reader->mem, string + l->str_state, &state);
	if (r < 0)
		return r;
	shape.kind = (state & l->str_kind_mask) >> __builtin_ctz(l->str_kind_mask);
	if (shape.length > LENGTH_MAX || (shape.kind != 1 && shape.kind != 2 && shape.kind != 4))
		return -EBADMSG;
	shape.data = string + (state & l->str_ascii_bit ? l->str_ascii : l->str_compact);
	if (!(state & l->str_compact_bit)) { /* a subclass's: the data lies elsewhere */
		r = pyreader_u64(reader, string, l->str_compact, &shape.data);
		if (r < 0)
			return r;
	}
	*ret_shape = shape;
	return 0;
}

static uint32_t character(const uint8_t *bytes, unsigned kind)
{
	uint16_t two;
	uint32_t four;

	if (kind == 1)
		return bytes[0];
	if (kind == 2) {
		memcpy(&two, bytes, sizeof(two));
		return two;
	}
	memcpy(&four, bytes, sizeof(four));
	return four;
}

static void add_characters(struct text *out, const uint8_t *bytes, size_t n, unsigned kind)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c = character(bytes + i * kind, kind);
		char utf8[4];

		text_add(out, utf8, utf8_encode(c ? c : 0xfffd, utf8));
	}
}

int pystring_add(const struct pyreader *reader, uint64_t string, size_t max, struct text *out)
{
	struct shape shape;
	uint8_t piece[PIECE];
	uint64_t left;
	int r = shape_read(reader, string, &shape);

	if (r < 0)
		return r;
	left = MIN(shape.length, max);
	while (left) {
		size_t n = MIN(left, PIECE / shape.kind);

		r = mem_read(reader->mem, shape.data, piece, n * shape.kind);
		if (r < 0)
			return r;
		add_characters(out, piece, n, shape.kind);
		shape.data += n * shape.kind;
		left -= n;
	}
	return shape.length > max;
}

int pystring_read(const struct pyreader *reader, uint64_t string, size_t max, char **ret_text)
{
	_cleanup_(text_done) struct text text = {0};
	int r = pystring_add(reader, string, max, &text);

	if (r < 0)
		return r;
	text_puts(&text, r ? "…" : "");
	if (text.failed)
		return -ENOMEM;
	*ret_text = TAKE_PTR(text.data);
	return r;
}

bool pystring_equals(const struct pyreader *reader, uint64_t string, const char *ascii)
{
	size_t length = strlen(ascii);
	struct shape shape;
	char bytes[64];

	return length <= sizeof(bytes) && shape_read(reader, string, &shape) == 0 &&
	       shape.kind == 1 && shape.length == length &&
	       mem_read(reader->mem, shape.data, bytes, length) == 0 &&
	       !memcmp(bytes, ascii, length);
}
