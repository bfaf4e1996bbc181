/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The path of a question: a route and its query, percent-encoded. */
#ifndef PYPROF_CLI_QUERY_H
#define PYPROF_CLI_QUERY_H

#include "cli/options.h"
#include "daemon/base/text.h"

/* Appends ?key=value, or &key=value when the path has a query. */
void query_add(struct text *path, const char *key, const char *value);
void query_number(struct text *path, const char *key, double value);
/* The selectors: pid= unit= container= comm= user= all=1. */
void query_select(struct text *path, const struct options *options);
/* As users would write them: "--unit api --user bob"; "" without any. */
void query_describe(struct text *out, const struct options *options);

#endif
