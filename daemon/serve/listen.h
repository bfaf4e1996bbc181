/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Unix socket's file: one daemon a path. */
#ifndef PYPROF_DAEMON_SERVE_LISTEN_H
#define PYPROF_DAEMON_SERVE_LISTEN_H

/*
 * A listening, non-blocking socket at path, for everyone to connect to; the folder above is made if
 * need be. A file that a dead daemon left is replaced; -EADDRINUSE when one lives. *ret_lock holds
 * the path until it is closed.
 */
int listen_open(const char *path, int *ret_fd, int *ret_lock);
/* fd -1: closed already. */
void listen_close(const char *path, int fd, int lock);

#endif
