/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Placing addresses, naming versions, the cache of verdicts, and processes that are not Python's;
 * live interpreters are tests/live/test_python_find.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/python.h"
#include "daemon/target/python_cache.h"
#include "tests/unit/debug_offsets.h"
#include "tests/unit/fake_elf.h"

static void test_place(void **state)
{
	struct python python = {
	    .image = {.first_exec_vaddr = 0x401000,
		      .runtime = 0x600000,
		      .vaddr = {.interp_head = 0x600020,
				.code_type = 0x500000,
				.text_start = 0x401000,
				.text_end = 0x480000}},
	};

	(void)state;
	python_place(&python, 0x401000);
	assert_int_equal(python.bias, 0);
	assert_int_equal(python.at.interp_head, 0x600020);
	python_place(&python, 0x7f0000001000);
	assert_int_equal(python.bias, 0x7f0000001000 - 0x401000);
	assert_int_equal(python.runtime, 0x7f0000200000);
	assert_int_equal(python.at.interp_head, 0x7f0000200020);
	assert_int_equal(python.at.code_type, 0x7f0000100000);
	assert_int_equal(python.at.text_start, 0x7f0000001000);
	assert_int_equal(python.at.text_end, 0x7f0000080000);
	assert_int_equal(python.at.tss_key, 0); /* absent stays absent */
	assert_int_equal(python.at.gil, 0);
}

static void test_version_text(void **state)
{
	static const struct {
		uint32_t version;
		bool free_threaded;
		const char *text;
	} cases[] = {
	    {0x030b02f0, false, "3.11.2"},
	    {0x030d05f0, true, "3.13.5t"},
	    {0x020712f0, false, "2.7.18"},
	    {0x030f00c1, false, "3.15.0rc1"},
	    {0x030f00a7, true, "3.15.0a7t"},
	    {0x0309ff00, false, "3.9.?"},
	    {0, false, "?"},
	    {0xffffffff, true, "255.255.?t"},
	};
	char text[24];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		python_version_text(cases[i].version, cases[i].free_threaded, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_not_python(void **state)
{
	struct python python = {.pid = 77};
	pid_t gone = fork();

	(void)state;
	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_int_equal(python_find(gone, &python), -ESRCH);
	assert_int_equal(python_find(getpid(), &python), -ENODATA);
	assert_int_equal(python.pid, 77); /* untouched */
}

static void test_zombie(void **state)
{
	struct python python;
	siginfo_t info;
	pid_t zombie = fork();
	int r;

	(void)state;
	if (!zombie)
		_exit(0);
	assert_int_equal(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT), 0);
	r = python_find(zombie, &python);
	assert_int_equal(waitpid(zombie, NULL, 0), zombie);
	assert_true(r == -ENODATA || r == -ESRCH);
}

/* The version that is known of the file, 0 when it is no Python. */
static uint32_t known(int fd, const struct stat *st)
{
	struct python_image image;

	return python_cache_get(fd, st, &image) ? image.version : 0;
}

static uint32_t cached(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return known(fd, &st);
}

static int fake_python(const struct debug_offsets *d)
{
	struct fake_elf f;

	fake_init(&f);
	f.runtime_section = true;
	memcpy(f.bytes + FAKE_DATA, d->word, d->count * 8);
	return fake_open(&f);
}

/* A file is read once, and again when its times say that it was written to. */
static void test_cache(void **state)
{
	static const struct timespec later[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	_cleanup_close_ int fd = fake_python(&debug_offsets[0]);
	const uint64_t version = 0x030d09f0;
	struct timespec times[2];
	struct stat st;

	(void)state;
	python_cache_clear();
	assert_int_equal(cached(fd), debug_offsets[0].word[1]);
	assert_int_equal(fstat(fd, &st), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(pwrite(fd, &version, 8, FAKE_DATA + 8), 8);
	/* As if nothing had been written: what was known is given, so it was kept. */
	assert_int_equal(known(fd, &st), debug_offsets[0].word[1]);
	assert_int_equal(futimens(fd, later), 0);
	assert_int_equal(cached(fd), version);
	assert_int_equal(futimens(fd, times), 0);
	python_cache_clear();
}

static void test_cache_of_others(void **state)
{
	_cleanup_close_ int empty = memfd_create("empty", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(cached(empty), 0);
	assert_int_equal(cached(empty), 0);
	python_cache_clear();
	python_cache_clear();
}

/* More files than are remembered: forgets, and still tells the truth. */
static void test_cache_bound(void **state)
{
	_cleanup_close_ int fd = fake_python(&debug_offsets[1]);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	for (unsigned i = 0; i < PYTHON_CACHE_MAX + 10; i++) {
		st.st_ino = i;
		assert_int_equal(known(fd, &st), debug_offsets[1].word[1]);
	}
	python_cache_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_place),       cmocka_unit_test(test_version_text),
	    cmocka_unit_test(test_not_python),  cmocka_unit_test(test_zombie),
	    cmocka_unit_test(test_cache),       cmocka_unit_test(test_cache_of_others),
	    cmocka_unit_test(test_cache_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
