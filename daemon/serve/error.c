/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* API_ERRORS → the error document and its HTTP status. */
#include "daemon/serve/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/base/json.h"

static const struct {
	const char *code, *message, *remedy;
	unsigned http;
} errors[] = {
#define X(name, code_, exit_, http_, message_, remedy_)                                            \
	[API_##name] = {.code = code_, .message = message_, .remedy = remedy_, .http = http_},
    API_ERRORS(X)
#undef X
};

int error_set(struct error *error, enum api_error code, const char *format, ...)
{
	va_list args;

	error->code = code;
	va_start(args, format);
	vsnprintf(error->subject, sizeof(error->subject), format, args);
	va_end(args);
	return -EPROTO;
}

unsigned error_http(const struct error *error)
{
	return error->http ? error->http : errors[error->code].http;
}

void error_write(const struct error *error, struct text *out)
{
	struct json json;
	char message[640];

/* The formats come from API_ERRORS and hold one %s each. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(message, sizeof(message), errors[error->code].message, error->subject);
#pragma GCC diagnostic pop
	json_init(&json, out);
	json_object(&json, NULL);
	json_string(&json, "schema", API_SCHEMA);
	json_object(&json, "error");
	json_string(&json, "code", errors[error->code].code);
	json_string(&json, "message", message);
	json_string(&json, "remedy", errors[error->code].remedy);
	json_end(&json);
	json_end(&json);
}
