/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fields of the daemon's documents. What is missing, null or of another type is "not known", never
 * 0.
 */
#ifndef PYPROF_CLI_FIELD_H
#define PYPROF_CLI_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* NULL when not known. */
const char *field_string(const json_t *object, const char *key);
/* False, and *ret untouched, when not known. */
bool field_real(const json_t *object, const char *key, double *ret);
bool field_int(const json_t *object, const char *key, int64_t *ret);
/* fallback when not known */
int64_t field_int_or(const json_t *object, const char *key, int64_t fallback);
bool field_true(const json_t *object, const char *key);
/* Sum of the numbers in an object such as lost{}; NULL gives 0. */
int64_t field_sum(const json_t *object);

#endif
