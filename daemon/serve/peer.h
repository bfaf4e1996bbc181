/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who asks, and what may be shown: root and members of the group pyprof see every process, anyone
 * else the processes that run wholly as their uid. Local variables only root and the owner.
 */
#ifndef PYPROF_DAEMON_SERVE_PEER_H
#define PYPROF_DAEMON_SERVE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/profile/process.h"

struct peer {
	uid_t uid;
	pid_t pid;
	bool all; /* sees every user's processes */
};

/* From a connected Unix socket. */
int peer_of_socket(int fd, struct peer *ret_peer);
bool peer_may_see(const struct peer *peer, const struct process *process);
/* By pid, also for what is no Python process. */
bool peer_may_see_pid(const struct peer *peer, pid_t pid);
/* Values of the process's memory. */
bool peer_may_read(const struct peer *peer, pid_t pid);

#endif
