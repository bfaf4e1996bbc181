/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Control-group paths as they are met on real hosts → unit and container. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/cgroup.h"
#include "daemon/target/cgroupfs.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const struct {
	const char *path, *unit, *container;
} paths[] = {
    {"/", "", ""},
    {"", "", ""},
    {"/init.scope", "init.scope", ""},
    {"/system.slice/foo.service", "foo.service", ""},
    {"/system.slice/foo.service/worker", "foo.service", ""},
    {"/system.slice/foo.service/inner.service", "foo.service", ""},
    {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", ""},
    {"/system.slice", "system.slice", ""},
    {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "x.service", ""},
    {"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", ""},
    {"/user.slice/user-1000.slice/user@1000.service", "user@1000.service", ""},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome.slice/vte-1.scope",
     "vte-1.scope", ""},
    {"/system.slice/_foo.service", "foo.service", ""},
    {"/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID},
    {"/docker/" ID, "", ID},
    {"/docker/" ID "/init", "", ID},
    {"/docker/" OTHER "/docker/" ID, "", ID},
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" ID
     ".scope",
     "cri-containerd-" ID ".scope", ID},
    {"/kubepods/burstable/pod12/" ID, "", ID},
    {"/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID,
     "containerd.service", ID},
    {"/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID},
    {"/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", ""},
    {"/user.slice/user-1.slice/user@1.service/user.slice/libpod-" ID ".scope",
     "libpod-" ID ".scope", ID},
    {"/../../docker/" ID, "", ID},
    {"/docker/" ID "0", "", ""},          /* 65 digits */
    {"/docker/0123456789abcdef", "", ""}, /* too short */
    {"/x" ID, "", ""},                    /* letters before it */
    {"//system.slice//foo.service/", "foo.service", ""},
    {"/.service/.scope", "", ""},
};

static void path_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct cgroup_names names;

		cgroup_parse_path(paths[i].path, &names);
		if (strcmp(names.unit, paths[i].unit) ||
		    strcmp(names.container, paths[i].container))
			fail_msg("%s: unit \"%s\" container \"%s\"", paths[i].path, names.unit,
				 names.container);
	}
}

static const struct {
	const char *text, *unit, *container;
} files[] = {
    {"0::/system.slice/foo.service\n", "foo.service", ""},
    {"0::/system.slice/foo.service", "foo.service", ""},
    {"0::/system.slice/foo.service (deleted)\n", "foo.service", ""},
    /* v1 */
    {"5:memory:/system.slice\n1:name=systemd:/system.slice/foo.service\n", "foo.service", ""},
    {"5:memory:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "", ID},
    /* hybrid: the unified hierarchy may be empty */
    {"4:memory:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/\n",
     "session-1.scope", ""},
    {"1:name=systemd:/a.service\n0::/system.slice/b.service\n", "b.service", ""},
    {"1:name=systemd:/a.service\n0::/system.slice\n", "a.service", ""},
    {"3:cpu:/docker/" ID "\n0::/\n", "", ID},
    /* a container's own hierarchy that has nothing to do with units */
    {"3:cpu:/system.slice/foo.service\n0::/\n", "", ""},
    {"", "", ""},
    {"nonsense\n::\n0:\n", "", ""},
};

static void file_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct cgroup_names names;

		cgroup_parse_file(files[i].text, &names);
		if (strcmp(names.unit, files[i].unit) ||
		    strcmp(names.container, files[i].container))
			fail_msg("%s: unit \"%s\" container \"%s\"", files[i].text, names.unit,
				 names.container);
	}
}

static void long_unit_is_cut(void **state)
{
	char path[1024] = "/";
	struct cgroup_names names;

	(void)state;
	memset(path + 1, 'u', 900);
	strcpy(path + 901, ".service");
	cgroup_parse_path(path, &names);
	assert_int_equal(strlen(names.unit), sizeof(names.unit) - 1);
}

static void own_and_missing_pid(void **state)
{
	struct cgroup_names names;

	(void)state;
	assert_int_equal(cgroup_of_pid(getpid(), &names), 0);
	assert_int_equal(cgroup_of_pid(0x7ffffff0, &names), -3 /* ESRCH */);
}

/* Where the unified hierarchy is mounted, and whether a folder may be made there. */
static const char *unified(void)
{
	static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/cgroup.controllers", places[i]);
		if (access(path, F_OK) == 0)
			return places[i];
	}
	return NULL;
}

static void by_id_also_when_empty(void **state)
{
	const char *top = unified();
	struct cgroup_names names;
	char folder[128], path[128];
	struct stat at;

	(void)state;
	if (!top) {
		puts("SKIP: no cgroup2 hierarchy is mounted");
		skip();
		return; /* for compilers that do not know skip() */
	}
	snprintf(folder, sizeof(folder), "%s/pyprof-test-%d.service", top, (int)getpid());
	if (mkdir(folder, 0755) < 0) {
		puts("SKIP: no right to make a control group");
		skip();
	}
	/* The inode number of a cgroup directory is its id, on 64 bits. */
	assert_int_equal(stat(folder, &at), 0);
	assert_int_equal(cgroupfs_path(at.st_ino, path, sizeof(path)), 0);
	assert_string_equal(path, folder + strlen(top));
	assert_int_equal(cgroup_of_id(at.st_ino, &names), 0);
	assert_string_equal(names.unit, folder + strlen(top) + 1);
	rmdir(folder);
	assert_int_equal(cgroupfs_path(at.st_ino, path, sizeof(path)), -2 /* ENOENT */);
	/* Asked before: still known. */
	memset(&names, 0, sizeof(names));
	assert_int_equal(cgroup_of_id(at.st_ino, &names), 0);
	assert_string_equal(names.unit, folder + strlen(top) + 1);
	assert_int_equal(cgroup_of_id(0, &names), -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_names),
	    cmocka_unit_test(file_names),
	    cmocka_unit_test(long_unit_is_cut),
	    cmocka_unit_test(own_and_missing_pid),
	    cmocka_unit_test(by_id_also_when_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
