/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/process_name.h"

#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "daemon/base/cleanup.h"

#define CONTAINER_ID_SHOWN 12 /* as docker ps shows it */

/* Units that say how somebody logged in, not what the process is. */
static bool unit_telling(const char *unit)
{
	return unit && *unit && strncmp(unit, "session-", 8) != 0 &&
	       strncmp(unit, "user@", 5) != 0 && strcmp(unit, "init.scope") != 0;
}

static const char *path_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "python3" says little: what it runs, "serve.py" or the module behind -m. NULL: not known. */
static const char *script_name(const json_t *process)
{
	const json_t *words = json_object_get(process, "cmdline");

	for (size_t i = 1; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));

		if (!word || strcmp(word, "-c") == 0 || strcmp(word, "-") == 0)
			return NULL;
		if (strcmp(word, "-m") == 0)
			return json_string_value(json_array_get(words, i + 1));
		if (*word && *word != '-')
			return path_last(word);
		if (strcmp(word, "-W") == 0 || strcmp(word, "-X") == 0)
			i++;
	}
	return NULL;
}

static const char *program_name(const json_t *process)
{
	const char *comm = field_string(process, "comm");
	const char *script = !comm || strncmp(comm, "python", 6) == 0 ? script_name(process) : NULL;

	return script ? script : comm ? comm : "?";
}

void process_name(const json_t *process, char *out, size_t size)
{
	const char *unit = field_string(process, "unit");
	const char *container = field_string(process, "container");
	size_t length;

	if (unit_telling(unit)) {
		length = strlen(unit);
		if (length > 8 && strcmp(unit + length - 8, ".service") == 0)
			length -= 8;
		snprintf(out, size, "%.*s", (int)MIN(length, size - 1), unit);
	} else if (container && *container) {
		snprintf(out, size, "%.*s", CONTAINER_ID_SHOWN, container);
	} else {
		snprintf(out, size, "%s", program_name(process));
	}
}
