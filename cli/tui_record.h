/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records in the background: `pyprofctl record` as a child, so that the screen stays alive. */
#ifndef PYPROF_CLI_TUI_RECORD_H
#define PYPROF_CLI_TUI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/text.h"

#define TUI_RECORD_SECONDS 10

struct tui_record {
	pid_t child;   /* 0: none */
	int fd;        /* what the child says; -1: none */
	char what[48]; /* "process 4242", "3 processes" */
	char file[96];
	struct text said;
};

#define TUI_RECORD_IDLE ((struct tui_record){.fd = -1})

/* 0 or -errno. The file's name is made of the (first) pid and the time. */
int tui_record_start(struct tui_record *record, const char *socket, const int64_t *pids,
		     size_t count);
/* When fd is readable: true once the child has ended; then *ret_ok and in `said` its last line. */
bool tui_record_step(struct tui_record *record, bool *ret_ok);
/* Lets go; a child that still records goes on to its end. */
void tui_record_done(struct tui_record *record);

#endif
