/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What verbs print on stdout, and the questions that need no more than a path. */
#ifndef PYPROF_CLI_OUTPUT_H
#define PYPROF_CLI_OUTPUT_H

#include <jansson.h>
#include <stddef.h>

#include "cli/client.h"

/* Appends JSON for a descriptor: as it is, but for a terminal with what could harm it as \u. */
void output_json(struct text *out, int fd, const char *bytes, size_t size);
/* A document as the daemon wrote it, with a newline at its end. Returns the exit code. */
int output_document(const char *bytes, size_t size);
/* Asks and prints so. */
int output_answer(struct client *client, const char *path);
/* A tree of ours, in one line. */
int output_tree(const json_t *document);
/* Flushes stdout; an error that only shows now (a full disk, a closed pipe) is not lost. `r` is the
 * verb's 0 or -errno so far. Returns the exit code. */
int output_end(int r);

#endif
