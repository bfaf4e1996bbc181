/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "cli/field.h"
#include "cli/view_json.h"
#include "daemon/base/cleanup.h"

static struct top_moment *past_slot(struct top_past *past, size_t number)
{
	return &past->moments[(past->first + number) % TOP_PAST_MOMENTS];
}

const struct top_moment *top_past_at(const struct top_past *past, size_t number)
{
	return number < past->count ? past_slot((struct top_past *)past, number) : NULL;
}

static size_t moment_bytes(const struct top_moment *moment)
{
	return moment->packed_size + moment->count * sizeof(*moment->uses);
}

static void moment_done(struct top_moment *moment)
{
	free(moment->packed);
	free(moment->uses);
	*moment = (struct top_moment){};
}

static int use_compare(const void *pa, const void *pb)
{
	const struct top_use *a = pa, *b = pb;
	int order = (a->pid > b->pid) - (a->pid < b->pid);

	return order
		   ? order
		   : (a->start_time_ns > b->start_time_ns) - (a->start_time_ns < b->start_time_ns);
}

static bool moment_uses(struct top_moment *moment, const json_t *document)
{
	const json_t *processes = json_object_get(document, "processes"), *process;
	size_t i;

	moment->uses = calloc(json_array_size(processes) + 1, sizeof(*moment->uses));
	if (!moment->uses)
		return false;
	json_array_foreach((json_t *)processes, i, process)
	{
		moment->uses[moment->count++] = (struct top_use){
		    .pid = field_int_or(process, "pid", 0),
		    .start_time_ns = field_int_or(process, "start_time_ns", 0),
		    .cpu_percent = view_json_number(process, "cpu_percent"),
		};
	}
	qsort(moment->uses, moment->count, sizeof(*moment->uses), use_compare);
	return true;
}

/* A process's names and units are the same in most of a document: it packs to a tenth. */
static bool moment_pack(struct top_moment *moment, const char *body, size_t size)
{
	uLongf room = compressBound(size);
	void *shrunk;

	moment->size = size;
	moment->packed = malloc(room);
	if (!moment->packed ||
	    compress2(moment->packed, &room, (const Bytef *)body, size, Z_BEST_SPEED) != Z_OK)
		return false;
	shrunk = realloc(moment->packed, room);
	moment->packed = shrunk ? shrunk : moment->packed;
	moment->packed_size = room;
	return true;
}

static void past_forget(struct top_past *past)
{
	struct top_moment *oldest = past_slot(past, 0);

	past->bytes -= moment_bytes(oldest);
	moment_done(oldest);
	past->first = (past->first + 1) % TOP_PAST_MOMENTS;
	past->count--;
}

void top_past_keep(struct top_past *past, int64_t at_ms, int64_t wall_s, const char *body,
		   size_t size, const json_t *document, const struct top_self *self)
{
	struct top_moment moment = {.at_ms = at_ms, .wall_s = wall_s, .self = *self};

	if (past->count && at_ms - past_slot(past, past->count - 1)->at_ms < TOP_PAST_GAP_MS)
		return;
	if (!moment_pack(&moment, body, size) || !moment_uses(&moment, document) ||
	    moment_bytes(&moment) > TOP_PAST_BYTES) {
		moment_done(&moment);
		return;
	}
	while (past->count && (past->count == TOP_PAST_MOMENTS ||
			       at_ms - past_slot(past, 0)->at_ms > TOP_PAST_MS ||
			       past->bytes + moment_bytes(&moment) > TOP_PAST_BYTES))
		past_forget(past);
	past->bytes += moment_bytes(&moment);
	*past_slot(past, past->count++) = moment;
}

size_t top_past_until(const struct top_past *past, int64_t at_ms)
{
	size_t low = 0, high = past->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (top_past_at(past, middle)->at_ms <= at_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

json_t *top_moment_document(const struct top_moment *moment)
{
	_cleanup_free_ char *body = malloc(moment->size + 1);
	uLongf size = moment->size;

	if (!body || uncompress((Bytef *)body, &size, moment->packed, moment->packed_size) != Z_OK)
		return NULL;
	return json_loadb(body, size, 0, NULL);
}

double top_moment_cpu(const struct top_moment *moment, int64_t pid, int64_t start_time_ns)
{
	const struct top_use key = {.pid = pid, .start_time_ns = start_time_ns};
	const struct top_use *use =
	    bsearch(&key, moment->uses, moment->count, sizeof(*moment->uses), use_compare);

	return use ? use->cpu_percent : NAN;
}

void top_past_done(struct top_past *past)
{
	while (past->count)
		past_forget(past);
}
