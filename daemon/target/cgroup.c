/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Control-group path → unit and container id. The unit is found as systemd's cg_path_get_unit() and
 * cg_path_get_user_unit() do: the first component that is no slice; below a user's manager
 * (user@UID.service) the first again. A process that sits in a bare slice gets that slice.
 */
#include "daemon/target/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/cgroupfs.h"
#include "daemon/target/procfs.h"

#define CONTAINER_DIGITS (CGROUP_ID_LEN - 1)

static bool ends_with(const char *text, size_t size, const char *end)
{
	size_t n = strlen(end);

	return size > n && memcmp(text + size - n, end, n) == 0;
}

static bool is_unit(const char *part, size_t size)
{
	static const char *const suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_with(part, size, suffixes[i]))
			return true;
	return false;
}

static bool is_user_manager(const char *part, size_t size)
{
	return size > 5 && memcmp(part, "user@", 5) == 0 && ends_with(part, size, ".service");
}

/* systemd puts '_' before names that the kernel would take for its own files. */
static void unit_take(struct cgroup_names *names, const char *part, size_t size)
{
	if (part[0] == '_') {
		part++;
		size--;
	}
	size = MIN(size, sizeof(names->unit) - 1);
	memcpy(names->unit, part, size);
	names->unit[size] = '\0';
}

/* The monitor beside a container carries the container's id but is not in it. */
static bool is_monitor(const char *part, size_t size)
{
	static const char *const prefixes[] = {"libpod-conmon-", "crio-conmon-"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (size >= strlen(prefixes[i]) &&
		    memcmp(part, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/*
 * "<id>", "docker-<id>.scope", "cri-containerd-<id>.scope", "libpod-<id>", "a.slice:cri:<id>":
 * exactly 64 hexadecimal digits between the start or one of "-:" and the end or ".".
 */
static void container_take(struct cgroup_names *names, const char *part, size_t size)
{
	size_t run = 0;

	if (is_monitor(part, size))
		return;
	for (size_t i = 0; i <= size; i++) {
		size_t start = i - run;

		if (i < size && isxdigit((unsigned char)part[i])) {
			run++;
			continue;
		}
		if (run == CONTAINER_DIGITS && (i == size || part[i] == '.') &&
		    (start == 0 || part[start - 1] == '-' || part[start - 1] == ':')) {
			memcpy(names->container, part + start, run);
			names->container[run] = '\0';
		}
		run = 0;
	}
}

void cgroup_parse_path(const char *path, struct cgroup_names *ret_names)
{
	struct cgroup_names names = {0};
	bool found = false; /* a unit that nothing below can replace */

	while (*path) {
		size_t size = strcspn(path, "/");

		if (size) {
			bool slice = ends_with(path, size, ".slice");

			container_take(&names, path, size);
			if (!found && (slice || is_unit(path, size))) {
				unit_take(&names, path, size);
				found = !slice && !is_user_manager(path, size);
			}
		}
		path += size;
		path += *path == '/';
	}
	*ret_names = names;
}

/* A slice below a user's manager names a group of units, the manager names the user: keep it. */
static bool better(const struct cgroup_names *a, const struct cgroup_names *b)
{
	if (!b->unit[0])
		return a->unit[0];
	return ends_with(b->unit, strlen(b->unit), ".slice") && a->unit[0] &&
	       !ends_with(a->unit, strlen(a->unit), ".slice");
}

enum hierarchy { UNIFIED, SYSTEMD, OTHER };

static enum hierarchy hierarchy_of(const char *line)
{
	if (strncmp(line, "0::", 3) == 0)
		return UNIFIED;
	return strstr(line, ":name=systemd:") ? SYSTEMD : OTHER;
}

/* What cgroup v2 appends to the path of a removed directory. */
static void deleted_cut(char *line)
{
	static const char mark[] = " (deleted)";

	if (ends_with(line, strlen(line), mark))
		line[strlen(line) - strlen(mark)] = '\0';
}

static void file_scan(const char *text, enum hierarchy wanted, struct cgroup_names *names)
{
	while (*text) {
		size_t size = strcspn(text, "\n");
		char line[4096];
		struct cgroup_names found;
		char *path;

		snprintf(line, sizeof(line), "%.*s", (int)MIN(size, sizeof(line) - 1), text);
		text += size + (text[size] == '\n');
		path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path || hierarchy_of(line) != wanted)
			continue;
		deleted_cut(line);
		cgroup_parse_path(path + 1, &found);
		if (!names->container[0])
			strcpy(names->container, found.container);
		/* Other v1 hierarchies mirror only some units: good for containers alone. */
		if (wanted != OTHER && better(&found, names))
			strcpy(names->unit, found.unit);
	}
}

void cgroup_parse_file(const char *text, struct cgroup_names *ret_names)
{
	struct cgroup_names names = {0};

	file_scan(text, UNIFIED, &names);
	file_scan(text, SYSTEMD, &names);
	file_scan(text, OTHER, &names);
	*ret_names = names;
}

int cgroup_of_pid(pid_t pid, struct cgroup_names *ret_names)
{
	size_t size = 64 * 1024; /* about 14 lines of at most PATH_MAX */
	_cleanup_free_ char *text = malloc(size);
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = procfs_read(pid, "cgroup", text, size);
	if (n < 0)
		return (int)n;
	cgroup_parse_file(text, ret_names);
	return 0;
}

/* Direct-mapped: a burst of processes shares a few control groups. */
int cgroup_of_id(uint64_t id, struct cgroup_names *ret_names)
{
	static struct {
		uint64_t id;
		struct cgroup_names names;
	} known[64];
	size_t at = (id ^ id >> 6) % ARRAY_SIZE(known);
	char path[4096];
	int r;

	if (id == 0)
		return -ENOENT;
	if (known[at].id != id) {
		r = cgroupfs_path(id, path, sizeof(path));
		if (r < 0)
			return r;
		cgroup_parse_path(path, &known[at].names);
		known[at].id = id;
	}
	*ret_names = known[at].names;
	return 0;
}
