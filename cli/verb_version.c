/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `version`: of both programs; they may be of different packages. */
#include "cli/client.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/verb.h"

static void version_line(const char *name, const json_t *document, const char *key)
{
	_cleanup_(text_done) struct text value = {};
	int64_t number;

	if (field_int(document, key, &number))
		text_printf(&value, "%ld", (long)number);
	else
		format_clean(&value, field_string(document, key));
	printf("%-10s %s\n", name, value.data ? value.data : "?");
}

static void features_line(const json_t *features)
{
	_cleanup_(text_done) struct text line = {};
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)features, name, value)
	{
		if (!json_is_true(value))
			continue;
		text_putc(&line, ' ');
		format_clean(&line, name);
	}
	if (line.data)
		printf("%-10s%s\n", "features", line.data);
}

int verb_version(const struct options *options)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	_cleanup_json_ json_t *document = NULL;
	struct failure failure;

	if (!client)
		return failure_say(API_INTERNAL, "out of memory");
	if (options->json)
		return output_answer(client, API_ROUTE_VERSION);
	printf("%-10s %s\n", "pyprofctl", PYPROF_VERSION);
	if (client_json(client, "GET", API_ROUTE_VERSION, &document, &failure)) {
		fflush(stdout);
		return failure_print(&failure);
	}
	version_line("pyprofd", document, "version");
	version_line("api", document, "api");
	version_line("records", document, "abi");
	version_line("kernel", document, "kernel");
	features_line(json_object_get(document, "features"));
	return output_end(0);
}
