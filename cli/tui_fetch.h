/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One question to the daemon that never blocks: connect, send and receive go on as poll() allows,
 * so that a slow or dead daemon does not freeze the screen. client.h is its blocking counterpart.
 */
#ifndef PYPROF_CLI_TUI_FETCH_H
#define PYPROF_CLI_TUI_FETCH_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/failure.h"
#include "daemon/base/text.h"

struct tui_fetch {
	int fd; /* -1: idle */
	struct text request, answer;
	size_t sent;
	int64_t deadline_ms;
	bool timed_out;
};

#define TUI_FETCH_IDLE ((struct tui_fetch){.fd = -1})

/* Begins to ask; an earlier question is dropped. 0 or -errno (the daemon is not there). */
int tui_fetch_start(struct tui_fetch *fetch, const char *socket, const char *path, int64_t now_ms);
/* For poll(): the events to wait for. */
struct pollfd tui_fetch_poll(const struct tui_fetch *fetch);
/* Goes on as far as it can; true once the answer is whole or will not come. */
bool tui_fetch_step(struct tui_fetch *fetch, int64_t now_ms);
/* After that: 0 and the document, or -errno and the failure. The fetch is idle then. */
int tui_fetch_take(struct tui_fetch *fetch, const char *socket, json_t **ret_document,
		   struct failure *ret_failure);
/* The bytes of the document that was taken, until the next question. */
const char *tui_fetch_body(const struct tui_fetch *fetch, size_t *ret_size);
void tui_fetch_done(struct tui_fetch *fetch);

#endif
