/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Asks the daemon: HTTP/1.1 over its Unix socket. The connection is opened at the first question
 * and kept; a kept one that the daemon closed meanwhile is opened again once.
 */
#ifndef PYPROF_CLI_CLIENT_H
#define PYPROF_CLI_CLIENT_H

#include <jansson.h>

#include "cli/failure.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#define CLIENT_TIMEOUT 30 /* seconds without a byte; a dump of 1,000 threads takes about one */

struct client;

/* The socket's path is copied. NULL when out of memory. */
struct client *client_new(const char *socket);
void client_free(struct client *client);
/* For questions whose answer takes longer on purpose, such as ?seconds=60. */
void client_set_timeout(struct client *client, unsigned seconds);
/* -1 when not connected; for poll(): readable means that the daemon has closed it. */
int client_fd(const struct client *client);

/*
 * method: "GET", "POST" or "DELETE"; path: with its query. 0, or -errno with *ret_failure filled
 * (also with the daemon's own error document). Outputs are untouched on failure.
 */
int client_text(struct client *client, const char *method, const char *path, struct text *ret_body,
		struct failure *ret_failure);
int client_json(struct client *client, const char *method, const char *path, json_t **ret_document,
		struct failure *ret_failure);

static inline void client_free_ptr(struct client **client)
{
	client_free(*client);
}

static inline void client_json_unref(json_t **document)
{
	json_decref(*document);
}

#define _cleanup_client_ _cleanup_(client_free_ptr)
#define _cleanup_json_ _cleanup_(client_json_unref)

#endif
