/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The arguments behind the "?" of a request, decoded; and their values as numbers. */
#ifndef PYPROF_DAEMON_SERVE_QUERY_H
#define PYPROF_DAEMON_SERVE_QUERY_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "daemon/serve/error.h"

#define QUERY_MAX 64 /* arguments; pid= may come often */

struct query {
	struct {
		const char *key, *value; /* the caller's, who keeps them */
	} args[QUERY_MAX];
	size_t nargs;
	bool overflow; /* more came */
};

void query_add(struct query *query, const char *key, const char *value);
/* The first value of the key, NULL when absent. */
const char *query_text(const struct query *query, const char *key);
/* "", "1", "true", "yes" → true; absent, "0", "false", "no" → false. */
int query_flag(const struct query *query, const char *key, bool *ret_flag, struct error *error);
/* An integer or seconds ("2.5") in a range; the fallback when absent. */
int query_uint(const struct query *query, const char *key, unsigned min, unsigned max,
	       unsigned fallback, unsigned *ret_value, struct error *error);
int query_seconds(const struct query *query, const char *key, double min, double max,
		  double fallback, double *ret_value, struct error *error);
/* The words of resource_names[]; without one "cpu". */
int query_resource(const struct query *query, uint32_t *ret_bits, struct error *error);
/* An argument that knows one word so far. */
int query_word(const struct query *query, const char *key, const char *known, struct error *error);
/* Refuses what is in neither list (NULL-ended): a mistyped argument must not be ignored. */
int query_check(const struct query *query, const char *const *keys, const char *const *more_keys,
		struct error *error);
/* Decimal, no sign, no blanks. -EINVAL, -ERANGE. */
int query_number(const char *text, unsigned long *ret_value);

#endif
