/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes JSON straight into a text, without a tree in memory: profiles are large. Commas are the
 *writer's. Strings of targets may hold anything: bytes that are not UTF-8 become U+FFFD.
 *
 *	json_object(&j, NULL); json_string(&j, "schema", "pyprof/1"); json_end(&j);
 *
 * `key` is NULL inside arrays and for the outermost value.
 */
#ifndef PYPROF_DAEMON_BASE_JSON_H
#define PYPROF_DAEMON_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/text.h"

#define JSON_DEPTH_MAX 32

/* jansson, which the CLI reads with, exports functions of these names: keep ours apart when linked.
 */
#define json_object pyprof_json_object
#define json_array pyprof_json_array
#define json_string pyprof_json_string
#define json_real pyprof_json_real
#define json_null pyprof_json_null

struct json {
	struct text *out;
	unsigned depth;
	bool more[JSON_DEPTH_MAX]; /* something was written at this depth */
	char close[JSON_DEPTH_MAX];
};

void json_init(struct json *json, struct text *out);
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json); /* of the innermost object or array */
void json_string(struct json *json, const char *key, const char *value); /* NULL → null */
void json_bytes(struct json *json, const char *key, const char *value, size_t size);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_real(struct json *json, const char *key, double value, int digits);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_raw(struct json *json, const char *key, const char *value); /* JSON text already */

#endif
