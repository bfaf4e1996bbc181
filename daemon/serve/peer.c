/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SO_PEERCRED and SO_PEERGROUPS → rights. Uids of living processes are read anew at each question:
 * a process may change its own. */
#include "daemon/serve/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/api.h"
#include "daemon/base/cleanup.h"
#include "daemon/target/procfs.h"
#include "daemon/target/user.h"

#define GROUPS_MAX 65536 /* NGROUPS_MAX */

static bool in_group(int fd, gid_t primary, gid_t wanted)
{
	socklen_t size = 64 * sizeof(gid_t);
	_cleanup_free_ gid_t *groups = malloc(size);

	if (primary == wanted)
		return true;
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		/* ERANGE tells the size that it takes. */
		free(TAKE_PTR(groups));
		if (errno == ERANGE && size <= GROUPS_MAX * sizeof(gid_t))
			groups = malloc(size);
		if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
			return false;
	}
	for (size_t i = 0; groups && i < size / sizeof(gid_t); i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

int peer_of_socket(int fd, struct peer *ret_peer)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	gid_t group;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	ret_peer->uid = cred.uid;
	ret_peer->pid = cred.pid;
	ret_peer->all =
	    cred.uid == 0 || (user_group(API_GROUP, &group) == 0 && in_group(fd, cred.gid, group));
	return 0;
}

/* A set-uid program runs partly as another user: it is shown to neither. */
bool peer_may_see_pid(const struct peer *peer, pid_t pid)
{
	struct procfs_status status;

	if (peer->all)
		return true;
	if (procfs_status(pid, &status) < 0)
		return false;
	return status.uid[0] == peer->uid && status.uid[1] == peer->uid &&
	       status.uid[2] == peer->uid && status.uid[3] == peer->uid;
}

bool peer_may_see(const struct peer *peer, const struct process *process)
{
	if (peer->all)
		return true;
	if (process->ended_time_ns)
		return process->uid == peer->uid;
	return peer_may_see_pid(peer, process->pid);
}

/* /proc/PID belongs to root once a process holds what its user may not read (prctl(2),
 * PR_SET_DUMPABLE): ptrace(2)'s own rule. */
bool peer_may_read(const struct peer *peer, pid_t pid)
{
	struct peer owner = {.uid = peer->uid};
	struct stat at;
	char path[32];

	if (peer->uid == 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &at) == 0 && at.st_uid == peer->uid && peer_may_see_pid(&owner, pid);
}
