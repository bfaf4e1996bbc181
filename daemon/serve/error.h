/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What went wrong with a request, in the words of API_ERRORS. */
#ifndef PYPROF_DAEMON_SERVE_ERROR_H
#define PYPROF_DAEMON_SERVE_ERROR_H

#include "daemon/api.h"
#include "daemon/base/text.h"

struct error {
	enum api_error code;
	unsigned http; /* status, when it is not the usual one of the code; else 0 */
	char subject[512];
};

/* Always -EPROTO, so that `return error_set(…)` reads well. */
int error_set(struct error *error, enum api_error code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
unsigned error_http(const struct error *error);
/* The whole document. */
void error_write(const struct error *error, struct text *out);

#endif
