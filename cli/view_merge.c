/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

/* What adds up; everything else is as the first one has it. */
static const char *const sums[] = {"own_ns", "total_ns", "own_percent", "total_percent", "samples"};

static void sum_add(json_t *into, const json_t *from, const char *key)
{
	const json_t *a = json_object_get(into, key), *b = json_object_get(from, key);

	if (json_is_integer(a) && json_is_integer(b))
		json_object_set_new(into, key,
				    json_integer(json_integer_value(a) + json_integer_value(b)));
	else if (json_is_number(a) && json_is_number(b))
		json_object_set_new(into, key,
				    json_real(json_number_value(a) + json_number_value(b)));
	else
		json_object_set_new(into, key, json_null());
}

/* The function in an object keyed by identity; a new one is a copy. */
static json_t *entry_get(json_t *entries, const json_t *function, bool *ret_new)
{
	char key[24];
	json_t *entry;

	snprintf(key, sizeof(key), "%" PRIx64, view_json_function_id(function));
	entry = json_object_get(entries, key);
	*ret_new = !entry;
	if (entry)
		return entry;
	entry = json_copy((json_t *)function);
	json_object_set_new(entries, key, entry);
	return json_object_get(entries, key);
}

static void entry_add(json_t *entries, const json_t *function, json_t **ret_entry, bool *ret_new)
{
	json_t *entry = *ret_entry = entry_get(entries, function, ret_new);

	for (size_t i = 0; entry && !*ret_new && i < ARRAY_SIZE(sums); i++)
		if (json_object_get(entry, sums[i]))
			sum_add(entry, function, sums[i]);
}

/* Callers and callees are kept by identity until all are there. */
static void edges_add(json_t *entry, const json_t *function, const char *key, bool new)
{
	json_t *entries = new ? json_object() : json_incref(json_object_get(entry, key));
	json_t *edge, *ignored;
	bool was_new;
	size_t i;

	json_array_foreach(json_object_get(function, key), i, edge)
	    entry_add(entries, edge, &ignored, &was_new);
	json_object_set_new(entry, key, entries);
}

static json_t *object_values(json_t *object)
{
	json_t *array = json_array(), *value;
	const char *key;

	json_object_foreach(object, key, value) json_array_append(array, value);
	return array;
}

static void process_add(json_t *entries, const json_t *process)
{
	json_t *functions = json_object_get(process, "functions"), *function, *entry;
	size_t i;
	bool new;

	json_array_foreach(functions, i, function)
	{
		entry_add(entries, function, &entry, &new);
		if (!entry)
			continue;
		edges_add(entry, function, "callers", new);
		edges_add(entry, function, "callees", new);
	}
}

json_t *view_merge_functions(const json_t *document, const struct view_target *target)
{
	static const char *const edges[] = {"callers", "callees"};
	json_t *entries, *functions, *function;
	size_t i;

	if (target->npids < 2)
		return json_incref(
		    json_object_get(view_json_process(document, target->pid), "functions"));
	entries = json_object();
	for (i = 0; i < target->npids; i++) {
		const json_t *process = view_json_process(document, target->pids[i]);

		process_add(entries, process);
	}
	functions = object_values(entries);
	json_array_foreach(functions, i, function) for (size_t k = 0; k < ARRAY_SIZE(edges); k++)
	    json_object_set_new(function, edges[k],
				object_values(json_object_get(function, edges[k])));
	json_decref(entries);
	return functions;
}
