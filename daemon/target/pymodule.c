/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/pymodule.h"

#include "daemon/target/pydict.h"
#include "daemon/target/pystring.h"

#define NAMES_MAX 8 /* __name__ is the first global of a module */
#define MAX_CHARS 256

int pymodule_name(const struct pyreader *reader, uint64_t globals, char **ret_name)
{
	uint64_t string;
	int r = pydict_get(reader, globals, NAMES_MAX, "__name__", &string);

	return r < 0 ? r : pystring_read(reader, string, MAX_CHARS, ret_name);
}
