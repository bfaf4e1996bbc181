/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/base/utf8.h"

#include "daemon/base/cleanup.h"

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

/* Disjoint, ascending. */
static const struct {
	uint32_t first, last;
	enum utf8_shown shown;
} ranges[] = {
    {0x0, 0x1f, UTF8_REPLACED},        {0x7f, 0x9f, UTF8_REPLACED},
    {0xad, 0xad, UTF8_LEFT_OUT},       {0x34f, 0x34f, UTF8_LEFT_OUT},
    {0x61c, 0x61c, UTF8_LEFT_OUT},     {0x115f, 0x1160, UTF8_LEFT_OUT},
    {0x17b4, 0x17b5, UTF8_LEFT_OUT},   {0x180b, 0x180f, UTF8_LEFT_OUT},
    {0x200b, 0x200f, UTF8_LEFT_OUT},   {0x2028, 0x202e, UTF8_REPLACED},
    {0x2060, 0x2065, UTF8_LEFT_OUT},   {0x2066, 0x2069, UTF8_REPLACED},
    {0x206a, 0x206f, UTF8_LEFT_OUT},   {0x3164, 0x3164, UTF8_LEFT_OUT},
    {0xfe00, 0xfe0f, UTF8_LEFT_OUT},   {0xfeff, 0xfeff, UTF8_LEFT_OUT},
    {0xffa0, 0xffa0, UTF8_LEFT_OUT},   {0xfff9, 0xfffb, UTF8_LEFT_OUT},
    {0x1bca0, 0x1bca3, UTF8_LEFT_OUT}, {0x1d173, 0x1d17a, UTF8_LEFT_OUT},
    {0xe0000, 0xe0fff, UTF8_LEFT_OUT}, {UTF8_INVALID, UTF8_INVALID, UTF8_REPLACED},
};

enum utf8_shown utf8_shown(uint32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return UTF8_AS_IT_IS;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c <= ranges[i].last)
			return c >= ranges[i].first ? ranges[i].shown : UTF8_AS_IT_IS;
	return UTF8_AS_IT_IS;
}

void utf8_print(struct text *out, const char *bytes, size_t size)
{
	while (size) {
		uint32_t c;
		size_t n = utf8_next(bytes, size, &c);

		enum utf8_shown shown = utf8_shown(c);

		if (shown == UTF8_REPLACED)
			text_puts(out, "\xef\xbf\xbd");
		else if (shown == UTF8_AS_IT_IS)
			text_add(out, bytes, n);
		bytes += n;
		size -= n;
	}
}
