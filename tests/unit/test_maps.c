/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lines of /proc/PID/maps → regions; and one's own, read through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/maps.h"

static int parse(const char *text, char *line, struct maps_region *ret)
{
	strcpy(line, text);
	return maps_parse(line, ret);
}

static void test_whole_line(void **state)
{
	struct maps_region r;
	char line[256];

	(void)state;
	assert_int_equal(parse("7f0000001000-7f0000003000 r-xp 0000a000 fd:1f 1234        "
			       "/opt/a b/lib (x).so (deleted)\n",
			       line, &r),
			 0);
	assert_int_equal(r.start, 0x7f0000001000);
	assert_int_equal(r.end, 0x7f0000003000);
	assert_int_equal(r.offset, 0xa000);
	assert_true(r.read && !r.write && r.execute);
	assert_int_equal(r.device, makedev(0xfd, 0x1f));
	assert_int_equal(r.inode, 1234);
	assert_string_equal(r.path, "/opt/a b/lib (x).so (deleted)");
}

static void test_without_path(void **state)
{
	struct maps_region r;
	char line[256];

	(void)state;
	assert_int_equal(parse("1000-2000 rw-s 00000000 00:00 0 \n", line, &r), 0);
	assert_string_equal(r.path, "");
	assert_int_equal(r.inode, 0);
	assert_false(r.execute);
	assert_int_equal(
	    parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]", line, &r),
	    0);
	assert_string_equal(r.path, "[vsyscall]");
	assert_int_equal(r.end, 0xffffffffff601000);
}

static void test_bad_lines(void **state)
{
	static const char *const lines[] = {
	    "",
	    "\n",
	    "1000",
	    "1000-",
	    "-1000-2000 r-xp 0 0:0 0",
	    "2000-1000 r-xp 0 0:0 0",
	    "1000-1000 r-xp 0 0:0 0",
	    "1000-2000 r-x",
	    "1000-2000 r-xp",
	    "1000-2000 r-xpp 0 0:0 0",
	    "1000-2000 r-xp 0 0:0",
	    "1000-2000 r-xp 0 0:0 -1",
	    "1000-2000 r-xp 0 0:0 12x",
	    "10000000000000000-20000000000000000 r-xp 0 0:0 0",
	    "zz-2000 r-xp 0 0:0 0",
	};
	struct maps_region r;
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(parse(lines[i], line, &r), -EBADMSG);
}

static void test_own_maps(void **state)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned seen = 0, ours = 0;
	struct maps_region r;
	struct maps maps;

	(void)state;
	assert_int_equal(maps_open(getpid(), &maps), 0);
	while (maps_next(&maps, &r) == 1) {
		seen++;
		if (r.start <= (uint64_t)page && (uint64_t)page < r.end) {
			ours++;
			assert_true(r.execute && !r.write);
		}
	}
	assert_int_equal(maps_next(&maps, &r), 0);
	maps_done(&maps);
	maps_done(&maps);
	assert_int_equal(ours, 1);
	assert_in_range(seen, 5, 100000);
	munmap(page, 4096);
}

static void test_no_process(void **state)
{
	struct maps maps;

	(void)state;
	assert_int_equal(maps_open(0x7ffffff0, &maps), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole_line), cmocka_unit_test(test_without_path),
	    cmocka_unit_test(test_bad_lines),  cmocka_unit_test(test_own_maps),
	    cmocka_unit_test(test_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
