/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a recording goes: which form, which name; written whole or not at all. */
#ifndef PYPROF_CLI_RECORD_FILE_H
#define PYPROF_CLI_RECORD_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/options.h"
#include "daemon/base/text.h"

enum record_format { RECORD_FOLDED, RECORD_SPEEDSCOPE, RECORD_JSON };

struct record_file {
	enum record_format format;
	char *path;      /* NULL: stdout, or not named yet */
	char *temporary; /* beside it; NULL when written in place (a device, a pipe, stdout) */
	int fd;
};

/*
 * By -f, else by the name's end. Makes the temporary file now, so that a place that cannot be
 * written is known before the recording. 0 or the exit code after the line on stderr.
 */
int record_file_open(struct record_file *file, const struct options *options);
/* Writes and renames; a file without name gets one after the document's processes. As above. */
int record_file_save(struct record_file *file, const struct text *bytes, const json_t *document);
/* Removes what was not saved. */
void record_file_done(struct record_file *file);
/* "name.folded" → RECORD_FOLDED, …; false when the end says nothing. For tests. */
bool record_file_by_name(const char *name, enum record_format *ret_format);

#endif
