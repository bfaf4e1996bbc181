/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Text from targets is hostile: decode it strictly, and keep control characters off terminals. */
#ifndef PYPROF_DAEMON_BASE_UTF8_H
#define PYPROF_DAEMON_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/text.h"

#define UTF8_INVALID 0xffffffffu

/* The next character of size ≥ 1 bytes: returns its length (1 for a bad byte, then UTF8_INVALID).
 */
size_t utf8_next(const char *bytes, size_t size, uint32_t *ret_char);
/* Writes a code point (a lone surrogate or one > U+10FFFF as U+FFFD) to out[4]; returns its length.
 */
size_t utf8_encode(uint32_t c, char out[4]);
/* What a terminal may get of a character. The one definition for all that is shown to people. */
enum utf8_shown {
	UTF8_AS_IT_IS,
	UTF8_REPLACED, /* steers: C0, DEL, C1, line separators, bidirectional controls, bad bytes */
	UTF8_LEFT_OUT, /* takes no room and is no accent: joiners, direction marks, fillers, tags */
};
enum utf8_shown utf8_shown(uint32_t c);
/* Appends text for a terminal; what is replaced becomes U+FFFD. */
void utf8_print(struct text *out, const char *bytes, size_t size);

#endif
