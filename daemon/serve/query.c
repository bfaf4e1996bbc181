/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arguments of a request → checked values. Pure. */
#include "daemon/serve/query.h"

#include "daemon/profile/resource.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

void query_add(struct query *query, const char *key, const char *value)
{
	if (query->nargs == QUERY_MAX) {
		query->overflow = true;
		return;
	}
	query->args[query->nargs].key = key;
	query->args[query->nargs].value = value ? value : "";
	query->nargs++;
}

const char *query_text(const struct query *query, const char *key)
{
	for (size_t i = 0; i < query->nargs; i++)
		if (strcmp(query->args[i].key, key) == 0)
			return query->args[i].value;
	return NULL;
}

int query_flag(const struct query *query, const char *key, bool *ret_flag, struct error *error)
{
	static const char *const words[] = {"0", "1", "false", "true", "no", "yes"};
	const char *text = query_text(query, key);

	if (!text || !*text) {
		*ret_flag = text != NULL;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_flag = i % 2;
			return 0;
		}
	}
	return error_set(error, API_USAGE, "%s takes 0 or 1, not %s", key, text);
}

int query_number(const char *text, unsigned long *ret_value)
{
	unsigned long value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (value > (ULONG_MAX - 9) / 10)
			return -ERANGE;
		value = value * 10 + (unsigned long)(*text - '0');
	}
	*ret_value = value;
	return 0;
}

int query_uint(const struct query *query, const char *key, unsigned min, unsigned max,
	       unsigned fallback, unsigned *ret_value, struct error *error)
{
	const char *text = query_text(query, key);
	unsigned long value = fallback;

	if (text && (query_number(text, &value) < 0 || value < min || value > max))
		return error_set(error, API_BAD_NUMBER, "%s=%s (%u to %u)", key, text, min, max);
	*ret_value = (unsigned)value;
	return 0;
}

/* Digits with at most one point; strtod() alone would take "inf", "0x1" and blanks. */
static int seconds_parse(const char *text, double *ret_value)
{
	size_t size = strlen(text), digits = strspn(text, "0123456789."), points = 0;

	for (size_t i = 0; i < size; i++)
		points += text[i] == '.';
	if (size == 0 || size > 16 || digits != size || points > 1 || points == size)
		return -EINVAL;
	*ret_value = strtod(text, NULL);
	return 0;
}

int query_seconds(const struct query *query, const char *key, double min, double max,
		  double fallback, double *ret_value, struct error *error)
{
	const char *text = query_text(query, key);
	double value = fallback;

	if (text && (seconds_parse(text, &value) < 0 || value < min || value > max))
		return error_set(error, API_BAD_NUMBER, "%s=%s (%g to %g)", key, text, min, max);
	*ret_value = value;
	return 0;
}

int query_word(const struct query *query, const char *key, const char *known, struct error *error)
{
	const char *text = query_text(query, key);

	if (text && strcmp(text, known) != 0)
		return error_set(error, API_USAGE, "%s=%s is not known; %s is", key, text, known);
	return 0;
}

static bool listed(const char *const *keys, const char *key)
{
	for (; keys && *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

int query_check(const struct query *query, const char *const *keys, const char *const *more_keys,
		struct error *error)
{
	if (query->overflow)
		return error_set(error, API_USAGE, "more than %d arguments", QUERY_MAX);
	for (size_t i = 0; i < query->nargs; i++)
		if (!listed(keys, query->args[i].key) && !listed(more_keys, query->args[i].key))
			return error_set(error, API_USAGE, "unknown argument: %s",
					 query->args[i].key);
	return 0;
}

int query_resource(const struct query *query, uint32_t *ret_bits, struct error *error)
{
	const char *word = query_text(query, "resource");
	const struct resource_name *resource = resource_find(word ? word : resource_names[0].name);

	if (!resource)
		return error_set(error, API_USAGE,
				 "resource is one of cpu, memory, io and syscall");
	*ret_bits = resource->bits;
	return 0;
}
