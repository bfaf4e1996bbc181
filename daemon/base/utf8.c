/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/base/utf8.h"

#include <stdbool.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t utf8_next(const char *bytes, size_t size, uint32_t *ret_char)
{
	const uint8_t *b = (const uint8_t *)bytes;
	size_t n = b[0] < 0x80   ? 1
		   : b[0] < 0xc2 ? 0
		   : b[0] < 0xe0 ? 2
		   : b[0] < 0xf0 ? 3
		   : b[0] < 0xf5 ? 4
				 : 0;
	uint32_t c;

	*ret_char = UTF8_INVALID;
	if (n == 1) {
		*ret_char = b[0];
		return 1;
	}
	if (!n || n > size)
		return 1;
	c = b[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (b[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || (c >= 0xd800 && c < 0xe000) ||
	    c > 0x10ffff)
		return 1;
	*ret_char = c;
	return n;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static bool char_hostile(uint32_t c)
{
	return c == UTF8_INVALID || c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 ||
	       c == 0x2029;
}

void utf8_print(struct text *out, const char *bytes, size_t size)
{
	while (size) {
		uint32_t c;
		size_t n = utf8_next(bytes, size, &c);

		if (char_hostile(c))
			text_puts(out, "\xef\xbf\xbd");
		else
			text_add(out, bytes, n);
		bytes += n;
		size -= n;
	}
}
