/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of routes. A path is its fixed part, then for some a number, then for some a tail. */
#include "daemon/serve/route.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/doc.h"
#include "daemon/serve/selector.h"

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct route {
	const char *method, *path;
	bool number;      /* "/N" follows */
	const char *tail; /* after the number, NULL = nothing */
	bool selectors;   /* takes selector_keys */
	const char *const *keys;
	int (*handle)(struct request *request);
};

static const struct route routes[] = {
    {"GET", API_ROUTE_VERSION, .handle = doc_version},
    {"GET", API_ROUTE_STATUS, .handle = doc_status},
    {"GET", API_ROUTE_PROCESSES, .selectors = true, .keys = KEYS("exited"),
     .handle = doc_processes},
    {"GET", API_ROUTE_PROCESSES, .number = true, .handle = doc_process},
    {"GET", API_ROUTE_PROCESSES, .number = true, .tail = "/stacks", .keys = KEYS("locals"),
     .handle = doc_stacks},
    {"GET", API_ROUTE_TOP, .selectors = true, .keys = KEYS("window"), .handle = doc_top},
    {"GET", API_ROUTE_FUNCTIONS, .selectors = true, .keys = KEYS("window", "seconds", "children"),
     .handle = doc_functions},
    {"GET", API_ROUTE_LINES, .selectors = true,
     .keys = KEYS("window", "seconds", "file", "children"), .handle = doc_lines},
    {"GET", API_ROUTE_PROFILE, .selectors = true,
     .keys = KEYS("resource", "window", "seconds", "hz", "format", "children"),
     .handle = doc_profile},
    {"POST", API_ROUTE_RECORDINGS, .selectors = true,
     .keys = KEYS("resource", "seconds", "hz", "children"), .handle = doc_recording_new},
    {"GET", API_ROUTE_RECORDINGS, .number = true, .handle = doc_recording_get},
    {"DELETE", API_ROUTE_RECORDINGS, .number = true, .handle = doc_recording_end},
};

static bool number_match(const char *rest, const char *tail, unsigned long *ret_id)
{
	char digits[21];
	size_t size;

	if (*rest != '/')
		return false;
	rest++;
	size = strspn(rest, "0123456789");
	if (size == 0 || size >= sizeof(digits) || strcmp(rest + size, tail ? tail : "") != 0)
		return false;
	memcpy(digits, rest, size);
	digits[size] = '\0';
	return query_number(digits, ret_id) == 0;
}

static bool path_match(const struct route *route, const char *path, unsigned long *ret_id)
{
	size_t size = strlen(route->path);

	if (strncmp(path, route->path, size) != 0)
		return false;
	return route->number ? number_match(path + size, route->tail, ret_id) : !path[size];
}

static bool method_match(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

int route_call(struct request *request)
{
	const char *allowed = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		const struct route *route = &routes[i];

		if (!path_match(route, request->path, &request->id))
			continue;
		if (!method_match(route, request->method)) {
			allowed = route->method;
			continue;
		}
		r = query_check(&request->query, route->keys,
				route->selectors ? selector_keys : NULL, &request->error);
		return r < 0 ? r : route->handle(request);
	}
	if (!allowed)
		return error_set(&request->error, API_NOT_FOUND, "%s", request->path);
	request->error.http = 405;
	return error_set(&request->error, API_USAGE, "%s takes %s, not %s", request->path, allowed,
			 request->method);
}
