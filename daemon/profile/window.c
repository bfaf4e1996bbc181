/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rolling window: a ring of one-second profiles, indexed by second. One more than
 * WINDOW_SECONDS, as the second that runs comes on top. What is older goes at the next call.
 */
#include "daemon/profile/profile.h"

#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

#define SLICES (WINDOW_SECONDS + 1)
#define SECOND 1000000000ull

struct slice {
	uint64_t second;
	struct profile *profile; /* NULL: nothing in that second */
};

struct window {
	struct stacks *stacks;
	uint64_t start_ns;
	uint64_t newest; /* second; time does not go back */
	struct slice slices[SLICES];
};

struct window *window_new(struct stacks *stacks)
{
	struct window *window = calloc(1, sizeof(*window));

	if (!window)
		return NULL;
	window->stacks = stacks;
	window->start_ns = loop_now_ns();
	window->newest = window->start_ns / SECOND;
	return window;
}

void window_free(struct window *window)
{
	if (!window)
		return;
	for (size_t i = 0; i < SLICES; i++)
		profile_free(window->slices[i].profile);
	free(window);
}

static void slice_clear(struct slice *slice)
{
	profile_free(slice->profile);
	slice->profile = NULL;
}

/* Frees what is too old, so that an idle host's window empties. */
static void window_turn(struct window *window, uint64_t second)
{
	if (second <= window->newest)
		return;
	window->newest = second;
	for (size_t i = 0; i < SLICES; i++)
		if (window->slices[i].second + SLICES <= second)
			slice_clear(&window->slices[i]);
}

void window_add(struct window *window, const struct profile_key *key, uint64_t weight,
		uint64_t now_ns)
{
	uint64_t second = now_ns / SECOND;
	struct slice *slice;

	window_turn(window, second);
	/* A sample that waited in its ring longer than the window: now is the best that is known.
	 */
	if (second + SLICES <= window->newest)
		second = window->newest;
	slice = &window->slices[second % SLICES];
	slice->second = second;
	if (!slice->profile)
		slice->profile = profile_new(window->stacks, WINDOW_ENTRIES);
	if (slice->profile)
		profile_add(slice->profile, key, weight);
}

struct profile *window_last(struct window *window, uint32_t resources, unsigned seconds,
			    uint64_t now_ns, double *ret_seconds)
{
	struct profile *sum = profile_new(window->stacks, WINDOW_ENTRIES * 4);
	uint64_t back = MIN(MAX(seconds, 1u), WINDOW_SECONDS), first, since_ns;

	if (!sum)
		return NULL;
	window_turn(window, now_ns / SECOND);
	first = window->newest - MIN(back, window->newest);
	for (size_t i = 0; i < SLICES; i++)
		if (window->slices[i].profile && window->slices[i].second >= first)
			profile_merge(sum, window->slices[i].profile, resources);
	since_ns = MAX(first * SECOND, window->start_ns);
	*ret_seconds = now_ns > since_ns ? (double)(now_ns - since_ns) / SECOND : 0;
	return sum;
}

size_t window_bytes(const struct window *window)
{
	size_t bytes = sizeof(*window);

	for (size_t i = 0; i < SLICES; i++)
		if (window->slices[i].profile)
			bytes += profile_bytes(window->slices[i].profile);
	return bytes;
}
