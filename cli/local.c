/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/local.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"
#include "daemon/target/cgroup.h"
#include "daemon/target/procfs.h"
#include "daemon/target/python.h"
#include "daemon/target/user.h"

/* Foreign bytes as valid UTF-8, which jansson asks for. Control characters stay: the printer's
 * business. */
static json_t *safe_string(const char *bytes, size_t size)
{
	struct text safe = {};
	json_t *string;

	while (size) {
		uint32_t c;
		size_t n = utf8_next(bytes, size, &c);

		text_add(&safe, c == UTF8_INVALID ? "\xef\xbf\xbd" : bytes,
			 c == UTF8_INVALID ? 3 : n);
		bytes += n;
		size -= n;
	}
	string = json_stringn(safe.data ? safe.data : "", safe.size);
	text_done(&safe);
	return string;
}

static json_t *string_or_null(const char *string)
{
	return string && *string ? safe_string(string, strlen(string)) : json_null();
}

static json_t *words_of(pid_t pid)
{
	_cleanup_free_ char *bytes = NULL;
	json_t *words = json_array();
	size_t size = 0;

	if (procfs_cmdline(pid, &bytes, &size))
		return words;
	for (size_t at = 0; at < size; at += strnlen(bytes + at, size - at) + 1)
		json_array_append_new(words,
				      safe_string(bytes + at, strnlen(bytes + at, size - at)));
	return words;
}

char *local_cmdline(pid_t pid)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0;

	if (procfs_cmdline(pid, &bytes, &size) || !size)
		return NULL;
	for (size_t i = 0; i + 1 < size; i++)
		if (!bytes[i] || strchr("\n\r\t", bytes[i]))
			bytes[i] = ' ';
	return strndup(bytes, size);
}

struct found {
	pid_t pid;
	struct python python;
	struct procfs_stat stat;
	struct procfs_status status;
	struct cgroup_names names;
};

static bool unit_matches(const char *pattern, const char *unit)
{
	char full[300];

	snprintf(full, sizeof(full), "%s.service", pattern);
	return !fnmatch(pattern, unit, 0) || !fnmatch(full, unit, 0);
}

/* As the daemon matches them: patterns for units and commands, the start of a container's id. */
static bool wanted(const struct found *found, const struct options *options)
{
	bool listed = !options->npids;
	uid_t uid;

	for (size_t i = 0; i < options->npids; i++)
		listed = listed || options->pids[i] == found->pid;
	if (options->user && (user_find(options->user, &uid) || uid != found->status.uid[1]))
		return false;
	return listed && (!options->unit || unit_matches(options->unit, found->names.unit)) &&
	       (!options->container ||
		(*found->names.container && !strncmp(found->names.container, options->container,
						     strlen(options->container)))) &&
	       (!options->comm || !fnmatch(options->comm, found->stat.comm, 0));
}

static json_t *python_object(const struct python *python)
{
	char version[24];
	json_t *object = json_object();
	const char *build = python->image.free_threaded ? "free-threaded" : "gil";

	python_version_text(python->image.version, python->image.free_threaded, version);
	json_object_set_new(object, "version", json_string(version));
	json_object_set_new(object, "build", json_string(build));
	json_object_set_new(object, "executable", string_or_null(python->executable));
	json_object_set_new(object, "library", string_or_null(python->library));
	return object;
}

static json_t *object_of(const struct found *found)
{
	const struct python *python = &found->python;
	bool supported = python->image.state == PY_SUPPORTED;
	json_t *object = json_object();

	json_object_set_new(object, "pid", json_integer(found->pid));
	json_object_set_new(object, "comm", string_or_null(found->stat.comm));
	json_object_set_new(object, "cmdline", words_of(found->pid));
	json_object_set_new(object, "uid", json_integer(found->status.uid[1]));
	json_object_set_new(object, "unit", string_or_null(found->names.unit));
	json_object_set_new(object, "container", string_or_null(found->names.container));
	json_object_set_new(object, "python", python_object(python));
	json_object_set_new(object, "supported", json_boolean(supported));
	json_object_set_new(object, "reason",
			    supported ? json_null() : string_or_null(python->image.reason));
	return object;
}

/* 0, -ENODATA when it is not wanted, or why it could not be looked at. */
static int look(pid_t pid, const struct options *options, json_t *list)
{
	struct found found = {.pid = pid};
	int r = python_find(pid, &found.python);

	if (r)
		return r;
	if (procfs_stat(pid, &found.stat) || procfs_status(pid, &found.status))
		return -ESRCH;
	cgroup_of_pid(pid, &found.names);
	if (!wanted(&found, options))
		return -ENODATA;
	return json_array_append_new(list, object_of(&found));
}

static void closedir_ptr(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

json_t *local_processes(const struct options *options, unsigned *ret_hidden)
{
	_cleanup_(closedir_ptr) DIR *proc = opendir("/proc");
	json_t *list = json_array();
	struct dirent *entry;
	unsigned hidden = 0;

	while (proc && list && (entry = readdir(proc))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		int r;

		if (*end || pid <= 0)
			continue;
		r = look((pid_t)pid, options, list);
		hidden += r == -EACCES || r == -EPERM;
	}
	if (ret_hidden)
		*ret_hidden = hidden;
	return list;
}
