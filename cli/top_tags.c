/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_tags.h"

#include "cli/field.h"

static size_t tags_find(const struct top_tags *tags, const json_t *process)
{
	int64_t pid = field_int_or(process, "pid", 0);
	int64_t start = field_int_or(process, "start_time_ns", 0);
	size_t i = 0;

	while (i < tags->count && (tags->all[i].pid != pid || tags->all[i].start_time_ns != start))
		i++;
	return i;
}

bool top_tags_has(const struct top_tags *tags, const json_t *process)
{
	return tags_find(tags, process) < tags->count;
}

bool top_tags_turn(struct top_tags *tags, const json_t *process)
{
	size_t at = tags_find(tags, process);

	if (at < tags->count) {
		tags->all[at] = tags->all[--tags->count];
		return true;
	}
	if (tags->count == TOP_TAGS_MAX)
		return false;
	tags->all[tags->count++] = (struct top_tag){field_int_or(process, "pid", 0),
						    field_int_or(process, "start_time_ns", 0)};
	return true;
}

size_t top_tags_pids(const struct top_tags *tags, const json_t *document,
		     int64_t ret_pids[TOP_TAGS_MAX])
{
	const json_t *processes = json_object_get(document, "processes"), *process;
	size_t count = 0, i;

	json_array_foreach((json_t *)processes, i, process)
	{
		if (count < TOP_TAGS_MAX && top_tags_has(tags, process))
			ret_pids[count++] = field_int_or(process, "pid", 0);
	}
	return count;
}
