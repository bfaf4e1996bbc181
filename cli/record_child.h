/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `record -- command`: the command as our child, held before its exec until the recording runs, so
 * that its first instruction is in it; and the signals of a recording with or without one.
 */
#ifndef PYPROF_CLI_RECORD_CHILD_H
#define PYPROF_CLI_RECORD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct record_child {
	pid_t pid; /* 0 = none */
	int go;    /* writing a byte lets it exec; closing it ends it */
	int error; /* reads the errno of a failed exec; its end otherwise */
	bool ended;
	int status; /* of waitpid(), once ended */
};

/* 0 or -errno. */
int record_child_start(char **argv, struct record_child *ret_child);
/* Lets it exec. 0, or -errno of the exec: the child has then ended. */
int record_child_go(struct record_child *child);
/* Has it ended? With `wait`, waits for it. */
bool record_child_ended(struct record_child *child, bool wait);
/* As shells tell it: its exit code, 128 + the signal. */
int record_child_exit(const struct record_child *child);
/* Ends one that was never let go. */
void record_child_done(struct record_child *child);

/*
 * From now on the signals that end programs end the recording instead, or with a child are passed
 * on to it. A second one without child has its default effect.
 */
void record_child_signals(const struct record_child *child);
/* A signal asked to end the recording. */
bool record_child_stopped(void);

#endif
