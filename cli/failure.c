/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/base/utf8.h"

static const struct failure_row {
	const char *code, *message, *remedy;
	int exit;
} failure_rows[] = {[API_OK] = {"ok", "%s", "", 0},
#define X(name, code_, exit_, http, message_, remedy_)                                             \
	[API_##name] = {code_, message_, remedy_, exit_},
		    API_ERRORS(X)
#undef X
};

/* Puts the subject where the row's text has its %s; no foreign text is ever a format. */
static void fill(char *out, size_t size, const char *pattern, const char *subject)
{
	const char *mark = strstr(pattern, "%s");
	int before = mark ? (int)(mark - pattern) : (int)strlen(pattern);

	snprintf(out, size, "%.*s%s%s", before, pattern, mark ? subject : "", mark ? mark + 2 : "");
}

static void failure_fill(struct failure *failure, enum api_error error, const char *format,
			 va_list args)
{
	const struct failure_row *row = &failure_rows[error];
	char subject[400];

	vsnprintf(subject, sizeof(subject), format, args);
	failure->error = error;
	failure->exit = row->exit;
	fill(failure->message, sizeof(failure->message), row->message, subject);
	snprintf(failure->remedy, sizeof(failure->remedy), "%s", row->remedy);
}

void failure_set(struct failure *failure, enum api_error error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	failure_fill(failure, error, format, args);
	va_end(args);
}

enum api_error failure_by_code(const char *code)
{
	for (size_t i = 1; code && i < ARRAY_SIZE(failure_rows); i++)
		if (!strcmp(code, failure_rows[i].code))
			return (enum api_error)i;
	return API_INTERNAL;
}

/* One write, so that lines of several programs on one terminal do not mix. */
static void line_print(const char *message, const char *remedy)
{
	_cleanup_(text_done) struct text line = {};

	text_puts(&line, "pyprofctl: ");
	utf8_print(&line, message, strlen(message));
	if (remedy && *remedy) {
		text_puts(&line, " (");
		utf8_print(&line, remedy, strlen(remedy));
		text_putc(&line, ')');
	}
	text_putc(&line, '\n');
	if (!line.failed)
		fwrite(line.data, 1, line.size, stderr);
}

int failure_print(const struct failure *failure)
{
	line_print(failure->message, failure->remedy);
	return failure->exit;
}

int failure_say(enum api_error error, const char *format, ...)
{
	struct failure failure;
	va_list args;

	va_start(args, format);
	failure_fill(&failure, error, format, args);
	va_end(args);
	return failure_print(&failure);
}

void failure_note(const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	line_print(message, NULL);
}
