/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verbs of pyprofctl: one row of a table and one file each. */
#ifndef PYPROF_CLI_VERB_H
#define PYPROF_CLI_VERB_H

#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"

struct verb {
	const char *name;
	int (*run)(const struct options *options); /* returns the exit code */
	const char *help;                          /* one line */
	const char *arguments;                     /* "[FILTER]", NULL = takes none */
	uint64_t options;                          /* OPTION_BIT()s, without OPTIONS_GLOBAL */
};

/* NULL-terminated by name. */
extern const struct verb verb_table[];

const struct verb *verb_find(const char *name);

int verb_ps(const struct options *options);
int verb_top(const struct options *options);
int verb_dump(const struct options *options);
int verb_functions(const struct options *options);
int verb_record(const struct options *options);
int verb_status(const struct options *options);
int verb_doctor(const struct options *options);
int verb_version(const struct options *options);
int verb_completion(const struct options *options);
int verb_help(const struct options *options);

#endif
