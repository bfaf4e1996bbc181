/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_line.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

#define COMBINING_MAX 2 /* marks on one character; names stacked with hundreds of them exist */

struct glyph {
	char bytes[8];
	size_t size;
	int width; /* 0: a mark on the glyph before */
};

static int char_width(uint32_t c)
{
	return c < 0x80 ? 1 : wcwidth((wchar_t)c);
}

/* The next glyph of a string; returns the bytes it took. An invisible one has no size. */
static size_t glyph_next(const char *s, size_t size, struct glyph *ret_glyph)
{
	uint32_t c;
	size_t n = utf8_next(s, size, &c);
	enum utf8_shown shown = utf8_shown(c);

	*ret_glyph = (struct glyph){};
	if (shown == UTF8_LEFT_OUT)
		return n;
	if (shown == UTF8_REPLACED || char_width(c) < 0) {
		memcpy(ret_glyph->bytes, "\xef\xbf\xbd", ret_glyph->size = 3);
		ret_glyph->width = 1;
		return n;
	}
	memcpy(ret_glyph->bytes, s, ret_glyph->size = n);
	ret_glyph->width = char_width(c);
	return n;
}

static void line_style(struct view_line *line, enum view_style style)
{
	struct view_span *grown;

	if (line->count && line->spans[line->count - 1].style == style) {
		line->spans[line->count - 1].end = line->text.size;
		return;
	}
	if (line->count == line->room) {
		size_t room = line->room ? line->room * 2 : 16;

		grown = realloc(line->spans, room * sizeof(*grown));
		if (!grown) {
			line->text.failed = true;
			return;
		}
		line->spans = grown;
		line->room = room;
	}
	line->spans[line->count++] = (struct view_span){.style = style, .end = line->text.size};
}

/* Adds glyphs of `s` while they fit into `width` columns; returns the bytes of `s` it took. */
static size_t line_glyphs(struct view_line *line, const char *s, size_t size, int width)
{
	size_t used = 0, marks = 0;
	int left = width;

	while (used < size) {
		struct glyph glyph;
		size_t n = glyph_next(s + used, size - used, &glyph);

		if (glyph.width > left)
			break;
		marks = glyph.width ? 0 : marks + 1;
		if (glyph.size && marks <= COMBINING_MAX && (glyph.width || left < width)) {
			text_add(&line->text, glyph.bytes, glyph.size);
			left -= glyph.width;
		}
		used += n;
	}
	line->width += width - left;
	return used;
}

int view_line_width(const char *string)
{
	_cleanup_(view_line_done) struct view_line line = {};

	line_glyphs(&line, string, strlen(string), INT_MAX);
	return line.width;
}

void view_line_add(struct view_line *line, enum view_style style, const char *string)
{
	line_glyphs(line, string, strlen(string), INT_MAX);
	line_style(line, style);
}

void view_line_printf(struct view_line *line, enum view_style style, const char *format, ...)
{
	_cleanup_free_ char *string = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&string, format, args);
	va_end(args);
	if (n < 0) {
		string = NULL;
		line->text.failed = true;
		return;
	}
	view_line_add(line, style, string);
}

void view_line_cut(struct view_line *line, enum view_style style, const char *string, int width)
{
	if (width <= 0)
		return;
	if (view_line_width(string) <= width) {
		view_line_add(line, style, string);
		return;
	}
	line_glyphs(line, string, strlen(string), width - 1);
	line_glyphs(line, "…", strlen("…"), 1);
	line_style(line, style);
}

void view_line_fill(struct view_line *line, enum view_style style, int width)
{
	while (line->width < width) {
		text_putc(&line->text, ' ');
		line->width++;
	}
	line_style(line, style);
}

void view_line_cell(struct view_line *line, enum view_style style, const char *string, int width,
		    bool right)
{
	int end = line->width + width;

	if (right)
		view_line_fill(line, style, end - view_line_width(string));
	view_line_cut(line, style, string, end - line->width);
	view_line_fill(line, style, end);
}

void view_line_clear(struct view_line *line)
{
	line->text.size = 0;
	if (line->text.data)
		line->text.data[0] = '\0';
	line->width = 0;
	line->count = 0;
}

void view_line_done(struct view_line *line)
{
	text_done(&line->text);
	free(line->spans);
	*line = (struct view_line){};
}
