/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CPU shares of earlier windows, put beside those of a document. */
#ifndef PYPROF_CLI_TOP_TREND_H
#define PYPROF_CLI_TOP_TREND_H

#include "cli/top_past.h"

#define TOP_TREND_WINDOWS 5

/*
 * Gives each process of a document that was answered at `at_ms` an array "trend": its cpu_percent
 * one, two, … windows before. null: it was not there, or nobody looked.
 */
void top_trend_add(json_t *document, const struct top_past *past, int64_t at_ms);

#endif
