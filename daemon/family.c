/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/family.h"

#include <stdlib.h>

#include "daemon/base/map.h"

struct family {
	unsigned living;
	struct python *python;
};

struct families {
	struct map *map; /* uint64_t → struct family */
};

struct families *families_new(void)
{
	struct families *families = calloc(1, sizeof(*families));

	if (!families)
		return NULL;
	families->map = map_new(sizeof(uint64_t), sizeof(struct family));
	if (families->map)
		return families;
	free(families);
	return NULL;
}

void families_free(struct families *families)
{
	struct family *family;

	if (!families)
		return;
	for (size_t at = 0; (family = map_next(families->map, &at, NULL));)
		free(family->python);
	map_free(families->map);
	free(families);
}

void families_join(struct families *families, uint64_t id, const struct python *python)
{
	struct family *family = map_put(families->map, &id, NULL);

	if (!family)
		return;
	if (!family->python)
		family->python = malloc(sizeof(*python));
	if (!family->python) {
		map_remove(families->map, &id);
		return;
	}
	if (!family->living++)
		*family->python = *python;
}

bool families_leave(struct families *families, uint64_t id)
{
	struct family *family = map_get(families->map, &id);

	if (!family || --family->living)
		return false;
	free(family->python);
	map_remove(families->map, &id);
	return true;
}

const struct python *families_python(const struct families *families, uint64_t id)
{
	const struct family *family = map_get(families->map, &id);

	return family ? family->python : NULL;
}
