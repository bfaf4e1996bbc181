/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A string that grows. The first failed allocation is remembered; the text then stays as it was. */
#ifndef PYPROF_DAEMON_BASE_TEXT_H
#define PYPROF_DAEMON_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data; /* NUL-terminated once anything was added; NULL before */
	size_t size, room;
	bool failed; /* out of memory */
};

void text_add(struct text *text, const char *bytes, size_t size);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_done(struct text *text);

#endif
