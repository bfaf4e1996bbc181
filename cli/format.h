/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures and foreign text as a reader wants them. Widths are columns of a terminal, not bytes. */
#ifndef PYPROF_CLI_FORMAT_H
#define PYPROF_CLI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/text.h"

#define FORMAT_SIZE 32

/* "612M", "1.4G", "980K": binary units, three figures. */
void format_bytes(char out[FORMAT_SIZE], double bytes);
/* "1.23 s", "45.6 ms", "7.0 us", "12 ns" */
void format_ns(char out[FORMAT_SIZE], double ns);
/* "4m10s", "2h03m", "5d02h", "12s" */
void format_age(char out[FORMAT_SIZE], double seconds);
/* "12.3"; 100 and more without a fraction */
void format_percent(char out[FORMAT_SIZE], double percent);
/* "12,345,678" */
void format_count(char out[FORMAT_SIZE], uint64_t count);

/* Appends a foreign string made safe for a terminal; NULL as "-". */
void format_clean(struct text *out, const char *string);
/* The same in a heading: cut to FORMAT_HEADING columns, a script behind -c is no heading. */
#define FORMAT_HEADING 160
void format_heading(struct text *out, const char *string);
/* Columns that a clean string takes. */
size_t format_width(const char *string);
/* Bytes of the longest start of a clean string that fits the width. */
size_t format_fit(const char *string, size_t width);
/* Last part of a path: "query.py" of "/srv/orm/query.py". */
const char *format_base(const char *path);

/* Columns of the terminal behind a descriptor; 0 = no terminal, do not cut. */
size_t format_terminal(int fd);
/* NO_COLOR, CLICOLOR_FORCE, TERM=dumb, isatty(); choice: "auto", "always", "never" or NULL. */
bool format_colored(int fd, const char *choice);

#endif
