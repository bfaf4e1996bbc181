/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/base/json.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "daemon/base/utf8.h"

void json_init(struct json *json, struct text *out)
{
	*json = (struct json){.out = out};
}

static void json_quote(struct text *out, const char *value, size_t size)
{
	text_putc(out, '"');
	while (size) {
		uint32_t c;
		size_t n = utf8_next(value, size, &c);

		if (c == '"' || c == '\\')
			text_printf(out, "\\%c", (char)c);
		else if (c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029)
			text_printf(out, "\\u%04x", c);
		else if (c == UTF8_INVALID)
			text_puts(out, "\xef\xbf\xbd");
		else
			text_add(out, value, n);
		value += n;
		size -= n;
	}
	text_putc(out, '"');
}

/* The comma, if one is due, and the key. */
static void json_start(struct json *json, const char *key)
{
	if (json->more[json->depth])
		text_putc(json->out, ',');
	json->more[json->depth] = true;
	if (!key)
		return;
	json_quote(json->out, key, strlen(key));
	text_putc(json->out, ':');
}

static void json_open(struct json *json, const char *key, char open, char close)
{
	json_start(json, key);
	assert(json->depth + 1 < JSON_DEPTH_MAX);
	text_putc(json->out, open);
	json->depth++;
	json->more[json->depth] = false;
	json->close[json->depth] = close;
}

void json_object(struct json *json, const char *key)
{
	json_open(json, key, '{', '}');
}

void json_array(struct json *json, const char *key)
{
	json_open(json, key, '[', ']');
}

void json_end(struct json *json)
{
	assert(json->depth > 0);
	text_putc(json->out, json->close[json->depth]);
	json->depth--;
}

void json_bytes(struct json *json, const char *key, const char *value, size_t size)
{
	json_start(json, key);
	json_quote(json->out, value, size);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (value)
		json_bytes(json, key, value, strlen(value));
	else
		json_null(json, key);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	json_start(json, key);
	text_printf(json->out, "%lld", (long long)value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	json_start(json, key);
	text_printf(json->out, "%llu", (unsigned long long)value);
}

void json_real(struct json *json, const char *key, double value, int digits)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	json_start(json, key);
	text_printf(json->out, "%.*f", digits, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_start(json, key);
	text_puts(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
	json_start(json, key);
	text_puts(json->out, "null");
}

void json_raw(struct json *json, const char *key, const char *value)
{
	json_start(json, key);
	text_puts(json->out, value);
}
