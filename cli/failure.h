/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Errors as users see them: one line on stderr, "pyprofctl: MESSAGE (REMEDY)", and an exit code.
 * Text, remedy and code come from API_ERRORS, or from the daemon's error document.
 */
#ifndef PYPROF_CLI_FAILURE_H
#define PYPROF_CLI_FAILURE_H

#include "daemon/api.h"

struct failure {
	enum api_error error;
	int exit;
	char message[512];
	char remedy[256];
};

/* What the table says of an error; the subject stands for its %s. */
void failure_set(struct failure *failure, enum api_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* An error by its name in JSON ("no_such_pid"); API_INTERNAL when unknown. */
enum api_error failure_by_code(const char *code);
/* Prints the line; returns the exit code. */
int failure_print(const struct failure *failure);
/* failure_set() and failure_print() in one. */
int failure_say(enum api_error error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A message that is no error: "pyprofctl: …" on stderr, safe for a terminal. */
void failure_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
