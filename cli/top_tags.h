/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes that the reader has marked. One with a pid used again is another process. */
#ifndef PYPROF_CLI_TOP_TAGS_H
#define PYPROF_CLI_TOP_TAGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_TAGS_MAX 64 /* a question names each of them */

struct top_tags {
	struct top_tag {
		int64_t pid, start_time_ns;
	} all[TOP_TAGS_MAX];
	size_t count;
};

bool top_tags_has(const struct top_tags *tags, const json_t *process);
/* Marks or unmarks a process; false: no more can be marked. */
bool top_tags_turn(struct top_tags *tags, const json_t *process);
/* The marked processes that are in a document; the count. */
size_t top_tags_pids(const struct top_tags *tags, const json_t *document,
		     int64_t ret_pids[TOP_TAGS_MAX]);

#endif
