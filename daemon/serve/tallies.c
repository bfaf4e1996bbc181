/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One pass over the profile, into the tally of each entry's process. */
#include "daemon/serve/tallies.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"

static void map_free_ptr(struct map **map)
{
	map_free(*map);
}

void tallies_done(struct tallies *tallies)
{
	for (size_t i = 0; tallies->tallies && i < tallies->selection.nprocesses; i++)
		tally_free(tallies->tallies[i]);
	free(tallies->tallies);
	selection_done(&tallies->selection);
	*tallies = (struct tallies){0};
}

/* generation → struct tally * */
static int tallies_index(struct tallies *tallies, struct map *index)
{
	size_t n = tallies->selection.nprocesses;

	tallies->tallies = calloc(n + 1, sizeof(struct tally *));
	if (!tallies->tallies)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct tally **slot =
		    map_put(index, &tallies->selection.processes[i]->generation, NULL);

		tallies->tallies[i] = tally_new();
		if (!slot || !tallies->tallies[i])
			return -ENOMEM;
		*slot = tallies->tallies[i];
	}
	return 0;
}

static int tallies_fill(struct tallies *tallies, const struct profile *profile)
{
	_cleanup_(map_free_ptr) struct map *index =
	    map_new(sizeof(uint64_t), sizeof(struct tally *));
	const struct profile_value *value;
	const struct profile_key *key;
	int r = index ? tallies_index(tallies, index) : -ENOMEM;

	for (size_t at = 0; r == 0 && (value = profile_next(profile, &at, &key));) {
		struct tally **tally = map_get(index, &key->generation);

		if (tally)
			r = tally_add(*tally, key->stack, key->leaf, value->weight, value->samples);
	}
	return r;
}

int tallies_make(struct view *view, struct tallies *ret_tallies)
{
	_cleanup_(tallies_done) struct tallies tallies = {0};
	int r = view_processes(view, &tallies.selection);

	if (r < 0)
		return r;
	if (tallies_fill(&tallies, view->profile) < 0)
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	*ret_tallies = tallies;
	tallies = (struct tallies){0};
	return 0;
}
