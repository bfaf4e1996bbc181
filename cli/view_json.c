/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_json.h"

#include <math.h>

#include "cli/field.h"

double view_json_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

const json_t *view_json_process(const json_t *document, int64_t pid)
{
	const json_t *processes = json_object_get(document, "processes"), *process;
	size_t i;

	json_array_foreach((json_t *)processes, i,
			   process) if (field_int_or(process, "pid", 0) == pid ||
					!pid) return process;
	return NULL;
}

static uint64_t fnv1a(uint64_t hash, const char *string)
{
	do
		hash = (hash ^ (unsigned char)*string) * 0x100000001b3ull;
	while (*string++);
	return hash;
}

uint64_t view_json_function_id(const json_t *function)
{
	const char *name = field_string(function, "function");
	const char *file = field_string(function, "file");
	uint64_t hash = 0xcbf29ce484222325ull;

	hash = fnv1a(hash, name ? name : "");
	hash = fnv1a(hash, file ? file : "");
	hash = (hash ^ (uint64_t)field_int_or(function, "line", 0)) * 0x100000001b3ull;
	return hash ? hash : 1;
}
