/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this caller may do: capabilities, reading other processes, asking the daemon. */
#include <grp.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/doctor.h"
#include "cli/field.h"
#include "daemon/target/procfs.h"

void doctor_tell(struct doctor_check *check, bool ok, const char *remedy, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->detail, sizeof(check->detail), format, args);
	va_end(args);
	check->ok = ok;
	check->remedy = ok ? NULL : remedy;
}

bool doctor_line(const char *path, char *out, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	if (!file || !fgets(out, (int)size, file))
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

bool doctor_has(unsigned capability)
{
	char status[4096];
	const char *line;

	if (procfs_read(getpid(), "status", status, sizeof(status)) < 0)
		return false;
	line = strstr(status, "\nCapEff:");
	return line && strtoull(line + 8, NULL, 16) >> capability & 1;
}

static void ask_rights(struct doctor_check *check, const struct options *options)
{
	static const struct {
		const char *name;
		unsigned number;
	} wanted[] = {
	    {"CAP_BPF", CAP_BPF}, {"CAP_PERFMON", CAP_PERFMON}, {"CAP_SYS_PTRACE", CAP_SYS_PTRACE}};
	bool admin = doctor_has(CAP_SYS_ADMIN), ok = true;
	char missing[128] = "";
	size_t at = 0;

	(void)options;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		/* CAP_SYS_ADMIN still stands for those that were split from it in 5.8. */
		if (doctor_has(wanted[i].number) || (admin && wanted[i].number != CAP_SYS_PTRACE))
			continue;
		ok = false;
		at += (size_t)snprintf(missing + at, sizeof(missing) - at, " %s", wanted[i].name);
	}
	doctor_tell(
	    check, ok,
	    "start pyprofd as root; pyprofctl needs no rights to ask it about own processes",
	    ok ? "uid %u may run pyprofd" : "uid %u lacks%s", (unsigned)geteuid(), missing);
}

/* Yama's modes, Documentation/admin-guide/LSM/Yama.rst. */
static void ask_ptrace(struct doctor_check *check, const struct options *options)
{
	char scope[16] = "0";
	bool may = doctor_has(CAP_SYS_PTRACE);
	int mode;

	(void)options;
	if (!doctor_line("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope)))
		snprintf(scope, sizeof(scope), "0");
	mode = atoi(scope);
	doctor_tell(check, mode <= 0 || (mode < 3 && may),
		    mode >= 3 ? "ptrace_scope 3 lasts until reboot: see /etc/sysctl.d"
			      : "run dump as root or through pyprofd",
		    "reading memory of other processes: ptrace_scope is %s%s", scope,
		    may ? ", and this user has CAP_SYS_PTRACE" : "");
}

/* Before 5.11 BPF maps counted against it. */
static void ask_memlock(struct doctor_check *check, const struct options *options)
{
	struct rlimit limit = {};

	(void)options;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		doctor_tell(check, true, NULL, "no limit");
	else
		doctor_tell(check, true, NULL, "%lu KiB; pyprofd raises it where the kernel asks",
			    (unsigned long)limit.rlim_cur >> 10);
}

static void ask_group(struct doctor_check *check, const struct options *options)
{
	struct group *group = getgrnam(API_GROUP);
	bool member = group && (getegid() == group->gr_gid || group_member(group->gr_gid));

	(void)options;
	if (!geteuid())
		doctor_tell(check, true, NULL, "root sees every user's processes");
	else
		doctor_tell(check, true, NULL, "%s",
			    member ? "member of " API_GROUP ": sees every user's processes"
				   : "not a member of " API_GROUP ": sees own processes only");
}

static void ask_daemon(struct doctor_check *check, const struct options *options)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	_cleanup_json_ json_t *document = NULL;
	struct failure failure = {};
	const char *version;
	static char remedy[sizeof(failure.remedy)];

	if (!client)
		return;
	client_set_timeout(client, 5);
	if (client_json(client, "GET", API_ROUTE_VERSION, &document, &failure)) {
		snprintf(remedy, sizeof(remedy), "%s", failure.remedy);
		doctor_tell(check, false, remedy, "%s", failure.message);
		return;
	}
	version = field_string(document, "version");
	doctor_tell(check, true, NULL, "pyprofd %s answers on %s", version ? version : "?",
		    options->socket);
}

const struct doctor_row doctor_access[] = {
    {"rights", ask_rights}, {"ptrace", ask_ptrace}, {"memlock", ask_memlock},
    {"group", ask_group},   {"daemon", ask_daemon}, {},
};
