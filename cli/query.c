/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/query.h"

#include <string.h>

/* RFC 3986's unreserved characters stay. */
static bool plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr("-._~", c));
}

void query_add(struct text *path, const char *key, const char *value)
{
	bool more = path->data && memchr(path->data, '?', path->size);

	text_printf(path, "%c%s=", more ? '&' : '?', key);
	for (; *value; value++)
		if (plain((unsigned char)*value))
			text_putc(path, *value);
		else
			text_printf(path, "%%%02X", (unsigned char)*value);
}

void query_number(struct text *path, const char *key, double value)
{
	char number[32];

	snprintf(number, sizeof(number), "%.10g", value);
	query_add(path, key, number);
}

static const struct selector {
	const char *key;
	size_t offset;
} selectors[] = {
    {"unit", offsetof(struct options, unit)},
    {"container", offsetof(struct options, container)},
    {"comm", offsetof(struct options, comm)},
    {"user", offsetof(struct options, user)},
};

static const char *selector_value(const struct options *options, size_t i)
{
	return *(const char *const *)((const char *)options + selectors[i].offset);
}

#define SELECTORS (sizeof(selectors) / sizeof(selectors[0]))

void query_select(struct text *path, const struct options *options)
{
	for (size_t i = 0; i < options->npids; i++)
		query_number(path, "pid", options->pids[i]);
	for (size_t i = 0; i < SELECTORS; i++)
		if (selector_value(options, i))
			query_add(path, selectors[i].key, selector_value(options, i));
	if (options->all)
		query_add(path, "all", "1");
}

void query_describe(struct text *out, const struct options *options)
{
	for (size_t i = 0; i < options->npids; i++)
		text_printf(out, "%s%d", !i ? "--pid " : ",", (int)options->pids[i]);
	for (size_t i = 0; i < SELECTORS; i++)
		if (selector_value(options, i))
			text_printf(out, "%s--%s %s", out->size ? " " : "", selectors[i].key,
				    selector_value(options, i));
	if (options->all)
		text_printf(out, "%s--all", out->size ? " " : "");
}
