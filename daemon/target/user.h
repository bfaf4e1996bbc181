/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of users and groups of the host. Look-ups may ask a directory server, so each answer is
 * kept for a minute. */
#ifndef PYPROF_DAEMON_TARGET_USER_H
#define PYPROF_DAEMON_TARGET_USER_H

#include <stdbool.h>
#include <sys/types.h>

/* NULL when the uid has no name. Valid until user_clear(); single-threaded. */
const char *user_name(uid_t uid);
/* A name or a number → uid; -ENOENT. */
int user_find(const char *text, uid_t *ret_uid);
/* -ENOENT when there is no such group. */
int user_group(const char *name, gid_t *ret_gid);
/* Frees what was kept. */
void user_clear(void);

#endif
