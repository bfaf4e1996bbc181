/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/verb.h"

#include <string.h>

#define O(name) OPTION_BIT(name)
#define SELECT OPTIONS_SELECT

const struct verb verb_table[] = {
    {"top", verb_top, "what every Python process does now, on the whole screen", NULL,
     SELECT | O(WINDOW) | O(INTERVAL) | O(ITERATIONS) | O(BATCH) | O(SORT) | O(LIMIT) | O(JSON)},
    {"ps", verb_ps, "the Python processes of this host", NULL, SELECT | O(EXITED) | O(JSON)},
    {"dump", verb_dump, "what each thread of a process does at this moment", NULL,
     SELECT | O(LOCALS) | O(DIRECT) | O(JSON)},
    {"functions", verb_functions, "own and total CPU time of each function", "[FILTER]",
     SELECT | O(DURATION) | O(WINDOW) | O(SORT) | O(LIMIT) | O(CALLERS) | O(CALLEES) | O(JSON)},
    {"record", verb_record, "a profile in a file, for flame graphs", "[-- COMMAND...]",
     SELECT | O(DURATION) | O(RESOURCE) | O(RATE) | O(FORMAT) | O(OUTPUT) | O(GIL) | O(IDLE) |
	 O(THREADS) | O(SUBPROCESSES) | O(FUNCTION) | O(NOLINENO) | O(FULL_FILENAMES)},
    {"status", verb_status, "is pyprofd running, what does it see, lose and cost", NULL,
     O(VERBOSE) | O(JSON)},
    {"doctor", verb_doctor, "what this kernel, these rights and each Python allow", NULL,
     SELECT | O(JSON)},
    {"version", verb_version, "the versions of pyprofctl and pyprofd", NULL, O(JSON)},
    {"completion", verb_completion, "a completion script for a shell", "bash|zsh", 0},
    {"help", verb_help, "this text, a verb's, or the API's", "[VERB | api]", 0},
    {},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *verb = verb_table; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}
