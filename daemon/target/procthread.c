/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/procthread.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/procfs.h"

static ssize_t thread_read(pid_t pid, pid_t tid, const char *name, char *text, size_t size)
{
	char path[48];

	snprintf(path, sizeof(path), "task/%d/%s", (int)tid, name);
	return procfs_read(pid, path, text, size);
}

static void closedir_ptr(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int tid_compare(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

/* Room for one more; 0 or -ENOMEM. */
static int tids_grow(pid_t **tids, size_t ntids, size_t *room)
{
	size_t more = *room ? *room * 2 : 64;
	pid_t *moved;

	if (ntids < *room)
		return 0;
	moved = realloc(*tids, more * sizeof(**tids));
	if (!moved)
		return -ENOMEM;
	*tids = moved;
	*room = more;
	return 0;
}

int procthread_list(pid_t pid, pid_t **ret_tids, size_t *ret_ntids)
{
	_cleanup_(closedir_ptr) DIR *dir = NULL;
	_cleanup_free_ pid_t *tids = NULL;
	size_t ntids = 0, room = 0;
	struct dirent *entry;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (ntids < PROCTHREAD_MAX && (entry = readdir(dir))) {
		pid_t tid = (pid_t)atoi(entry->d_name);

		if (tid <= 0)
			continue;
		if (tids_grow(&tids, ntids, &room) < 0)
			return -ENOMEM;
		tids[ntids++] = tid;
	}
	if (!ntids)
		return -ESRCH;
	qsort(tids, ntids, sizeof(*tids), tid_compare);
	*ret_tids = TAKE_PTR(tids);
	*ret_ntids = ntids;
	return 0;
}

/* Comm may hold spaces and parentheses: it ends at the last one. Fields 3, 39 and 41 of proc(5). */
int procthread_stat_parse(const char *text, struct procthread_stat *ret_stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct procthread_stat stat = {0};
	const char *at;

	if (!open || !close || close < open)
		return -EBADMSG;
	memcpy(stat.name, open + 1, MIN((size_t)(close - open - 1), sizeof(stat.name) - 1));
	if (sscanf(close + 1, " %c", &stat.letter) != 1)
		return -EBADMSG;
	at = close + 2;
	for (int field = 3; at && field < 39; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at || sscanf(at, "%d %*u %d", &stat.cpu, &stat.policy) != 2)
		return -EBADMSG;
	*ret_stat = stat;
	return 0;
}

int procthread_stat(pid_t pid, pid_t tid, struct procthread_stat *ret_stat)
{
	char text[1024];
	ssize_t n = thread_read(pid, tid, "stat", text, sizeof(text));

	return n < 0 ? (int)n : procthread_stat_parse(text, ret_stat);
}

/* The number after "\nKEY:" of a status file. */
static int status_number(const char *text, const char *key, uint64_t *ret_value)
{
	const char *at = strstr(text, key);

	if (!at)
		return -EBADMSG;
	*ret_value = strtoull(at + strlen(key), NULL, 10);
	return 0;
}

static int runs_from_status(pid_t pid, pid_t tid, struct procthread_runs *ret_runs)
{
	char text[8192];
	ssize_t n = thread_read(pid, tid, "status", text, sizeof(text));
	uint64_t willing, forced;

	if (n < 0)
		return (int)n;
	if (status_number(text, "\nvoluntary_ctxt_switches:", &willing) < 0 ||
	    status_number(text, "\nnonvoluntary_ctxt_switches:", &forced) < 0)
		return -EBADMSG;
	*ret_runs = (struct procthread_runs){.count = willing + forced};
	return 0;
}

int procthread_runs(pid_t pid, pid_t tid, struct procthread_runs *ret_runs)
{
	struct procthread_runs runs = {.at_switch_in = true};
	char text[96];
	ssize_t n = thread_read(pid, tid, "schedstat", text, sizeof(text));

	/* "0 0 0" is what a kernel that does not count says: a live thread has run once */
	if (n > 0 && sscanf(text, "%" SCNu64 " %*u %" SCNu64, &runs.run_ns, &runs.count) == 2 &&
	    runs.count) {
		*ret_runs = runs;
		return 0;
	}
	return n == -ESRCH ? -ESRCH : runs_from_status(pid, tid, ret_runs);
}

/* proc(5) "syscall": "running", or the number (-1: none), and for a call its arguments in hex. */
int procthread_call_parse(const char *text, struct procthread_call *ret_call)
{
	struct procthread_call call = {.number = -1};
	uint64_t *a = call.args;
	int n;

	if (!strncmp(text, "running", 7)) {
		call.running = true;
		*ret_call = call;
		return 0;
	}
	n = sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64,
		   &call.number, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]);
	if (n < 1 || (call.number >= 0 && n != 7))
		return -EBADMSG;
	*ret_call = call;
	return 0;
}

int procthread_call(pid_t pid, pid_t tid, struct procthread_call *ret_call)
{
	char text[256];
	ssize_t n = thread_read(pid, tid, "syscall", text, sizeof(text));

	return n < 0 ? (int)n : procthread_call_parse(text, ret_call);
}

/* The last number of the NSpid line: the id in the innermost namespace. *ret_nested: it has
 * several. 0 where the thread is gone. */
static pid_t own_id(pid_t pid, pid_t tid, bool *ret_nested)
{
	char text[8192];
	ssize_t n = thread_read(pid, tid, "status", text, sizeof(text));
	const char *at = n < 0 ? NULL : strstr(text, "\nNSpid:");
	long ids[32];
	unsigned nids = 0;

	if (!at)
		return 0;
	at += strlen("\nNSpid:");
	while (nids < ARRAY_SIZE(ids)) {
		char *end;

		at += strspn(at, " \t");
		ids[nids] = strtol(at, &end, 10);
		if (*at == '\n' || end == at)
			break;
		nids++;
		at = end;
	}
	*ret_nested = nids > 1;
	return nids ? (pid_t)ids[nids - 1] : 0;
}

int procthread_own_ids(pid_t pid, const pid_t *tids, size_t ntids, pid_t *out)
{
	bool nested = false;

	if (!own_id(pid, pid, &nested))
		return -ESRCH;
	for (size_t i = 0; i < ntids; i++)
		out[i] = nested ? own_id(pid, tids[i], &nested) : tids[i];
	return 0;
}
