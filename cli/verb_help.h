/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Help texts, made from the tables of verbs and options. */
#ifndef PYPROF_CLI_VERB_HELP_H
#define PYPROF_CLI_VERB_HELP_H

#include <stdio.h>

#include "cli/verb.h"

/* verb NULL or without name: the program's. */
void verb_help_print(FILE *out, const struct verb *verb);

#endif
