/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `size` more bytes and a NUL. */
static bool text_grow(struct text *text, size_t size)
{
	size_t room = text->room ? text->room : 256;
	char *data;

	if (text->failed)
		return false;
	if (text->size + size + 1 <= text->room)
		return true;
	while (room < text->size + size + 1)
		room *= 2;
	data = realloc(text->data, room);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *bytes, size_t size)
{
	if (!text_grow(text, size))
		return;
	memcpy(text->data + text->size, bytes, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_puts(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_putc(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !text_grow(text, (size_t)n))
		return;
	va_start(args, format);
	vsnprintf(text->data + text->size, (size_t)n + 1, format, args);
	va_end(args);
	text->size += (size_t)n;
}

void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}
