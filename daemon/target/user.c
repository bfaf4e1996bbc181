/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* uid ↔ name, kept in a small direct-mapped table; the host's names, also for uids of containers.
 */
#include "daemon/target/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/cleanup.h"

#define KEEP_SECONDS 60
#define NAME_ROOM 16384 /* for the name service; larger entries than this are not looked at */

struct known_user {
	bool used;
	uid_t uid;
	time_t until;
	char name[64];
};

static struct known_user known[64];

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

const char *user_name(uid_t uid)
{
	struct known_user *user = &known[uid % ARRAY_SIZE(known)];
	time_t now = now_seconds();
	_cleanup_free_ char *room = NULL;
	struct passwd entry, *found = NULL;

	if (!user->used || user->uid != uid || user->until <= now) {
		*user = (struct known_user){.used = true, .uid = uid, .until = now + KEEP_SECONDS};
		room = malloc(NAME_ROOM);
		if (room && getpwuid_r(uid, &entry, room, NAME_ROOM, &found) == 0 && found)
			strncpy(user->name, entry.pw_name, sizeof(user->name) - 1);
	}
	return user->name[0] ? user->name : NULL;
}

int user_find(const char *text, uid_t *ret_uid)
{
	_cleanup_free_ char *room = malloc(NAME_ROOM);
	struct passwd entry, *found = NULL;
	unsigned long number;
	char *end;

	if (!room)
		return -ENOMEM;
	if (getpwnam_r(text, &entry, room, NAME_ROOM, &found) == 0 && found) {
		*ret_uid = entry.pw_uid;
		return 0;
	}
	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || number >= UINT32_MAX)
		return -ENOENT;
	*ret_uid = (uid_t)number;
	return 0;
}

int user_group(const char *name, gid_t *ret_gid)
{
	static time_t until;
	static gid_t gid;
	static int verdict;
	static char asked[32];
	_cleanup_free_ char *room = NULL;
	struct group entry, *found = NULL;

	if (until <= now_seconds() || strcmp(asked, name) != 0) {
		room = malloc(NAME_ROOM);
		if (!room)
			return -ENOMEM;
		verdict = -ENOENT;
		if (getgrnam_r(name, &entry, room, NAME_ROOM, &found) == 0 && found) {
			gid = entry.gr_gid;
			verdict = 0;
		}
		strncpy(asked, name, sizeof(asked) - 1);
		until = now_seconds() + KEEP_SECONDS;
	}
	if (verdict == 0)
		*ret_gid = gid;
	return verdict;
}

void user_clear(void)
{
	memset(known, 0, sizeof(known));
}
