/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ELF files, made here and real ones, whole, cut and damaged → struct python_image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/python.h"
#include "daemon/target/pyversion.h"
#include "tests/unit/debug_offsets.h"
#include "tests/unit/fake_elf.h"

#define CODE_TYPE_OFFSET 0x3800

static struct python_image image_of(struct fake_elf *f)
{
	_cleanup_close_ int fd = fake_open(f);
	struct python_image image;

	assert_int_equal(python_image_read(fd, &image), 0);
	return image;
}

/* A static 3.x without exports: PyCode_Type and more in .symtab. */
static void fake_python(struct fake_elf *f, uint64_t runtime_size)
{
	fake_init(f);
	fake_symbol(f, "PyCode_Type", STT_OBJECT, CODE_TYPE_OFFSET, 408);
	if (runtime_size)
		fake_symbol(f, "_PyRuntime", STT_OBJECT, FAKE_DATA, runtime_size);
}

static void test_not_elf(void **state)
{
	_cleanup_close_ int fd = memfd_create("text", MFD_CLOEXEC);
	struct python_image image;

	(void)state;
	assert_int_equal(python_image_read(fd, &image), -ENOEXEC);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_int_equal(python_image_read(fd, &image), -ENOEXEC);
}

static void test_not_python(void **state)
{
	struct fake_elf f;

	(void)state;
	fake_init(&f);
	fake_string(&f, "3.9.2");
	fake_string(&f, "lib/python3.9");
	assert_int_equal(image_of(&f).state, PY_NOT_PYTHON);
	/* of another size: not CPython's variable; undefined: imported */
	fake_symbol(&f, "PyCode_Type", STT_OBJECT, CODE_TYPE_OFFSET, 48);
	fake_symbol(&f, "PyCode_Type", STT_OBJECT, 0, 408);
	assert_int_equal(image_of(&f).state, PY_NOT_PYTHON);
}

static void test_version_from_strings(void **state)
{
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_python(&f, 656);
	fake_string(&f, "3.8.11"); /* another library's */
	fake_string(&f, "/usr/lib/python3.9");
	fake_string(&f, "Python 3.9.2");
	fake_string(&f, "2.7.1");
	image = image_of(&f);
	assert_int_equal(image.state, PY_SUPPORTED);
	assert_int_equal(image.version, 0x030902f0);
	assert_int_equal(image.layout.version, 0x030902f0);
	assert_false(image.position_independent);
	assert_int_equal(image.runtime, FAKE_BASE + FAKE_DATA);
	assert_int_equal(image.vaddr.interp_head, image.runtime + 32);
	assert_int_equal(image.vaddr.tss_key, image.runtime + 588);
	assert_int_equal(image.vaddr.gil, image.runtime + 352);
	assert_int_equal(image.vaddr.code_type, FAKE_BASE + CODE_TYPE_OFFSET);
	assert_int_equal(image.first_exec_vaddr, FAKE_BASE + FAKE_TEXT);
	assert_int_equal(image.first_exec_offset, FAKE_TEXT);
	assert_int_equal(image.vaddr.text_start, FAKE_BASE + FAKE_TEXT);
	assert_int_equal(image.vaddr.text_end, FAKE_BASE + FAKE_TEXT + 0x1000);
}

static void test_micro_unknown(void **state)
{
	struct python_image image;
	struct fake_elf f;
	char text[24];

	(void)state;
	fake_python(&f, 656);
	fake_string(&f, "python3.9");
	fake_string(&f, "3.9.2");
	fake_string(&f, "3.9.10"); /* one is SQLite's, say */
	image = image_of(&f);
	assert_int_equal(image.state, PY_SUPPORTED);
	python_version_text(image.version, false, text);
	assert_string_equal(text, "3.9.?");
}

static void test_3_7_needs_micro(void **state)
{
	static const struct {
		uint64_t size, key;
	} cases[] = {{1424, 1420}, {1520, 1508}, {1000, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct python_image image;
		struct fake_elf f;

		fake_python(&f, cases[i].size);
		fake_string(&f, "python3.7");
		image = image_of(&f);
		assert_int_equal(image.state, cases[i].key ? PY_SUPPORTED : PY_UNSUPPORTED);
		if (cases[i].key)
			assert_int_equal(image.vaddr.tss_key, image.runtime + cases[i].key);
		else
			assert_string_equal(image.reason, "3.7 of an unknown micro version");
	}
}

static void test_version_ambiguous(void **state)
{
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_python(&f, 656);
	fake_string(&f, "python3.8");
	fake_string(&f, "python3.9");
	fake_string(&f, "3.9.2");
	assert_int_equal(image_of(&f).version, 0x030902f0); /* the size decides */
	fake_python(&f, 700);
	fake_string(&f, "python3.8");
	fake_string(&f, "python3.9");
	image = image_of(&f);
	assert_int_equal(image.state, PY_UNSUPPORTED);
	assert_int_equal(image.version, 0);
	assert_string_equal(image.reason, "its version cannot be told");
}

static void test_exported_version(void **state)
{
	const uint32_t version = 0x030c07f0;
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_python(&f, 459944);
	fake_symbol(&f, "Py_Version", STT_OBJECT, FAKE_RODATA + 0x100, 4);
	memcpy(f.bytes + FAKE_RODATA + 0x100, &version, sizeof(version));
	image = image_of(&f);
	assert_int_equal(image.state, PY_SUPPORTED);
	assert_int_equal(image.version, version);
	assert_int_equal(image.vaddr.gil, 0); /* the interpreter state's, since 3.12 */
}

static void test_unsupported(void **state)
{
	static const struct {
		const char *folder, *version, *reason;
	} cases[] = {
	    {"python2.7", "2.7.18", "Python 2.7.18 is not supported; 3.6 to 3.15 are"},
	    {"python3.5", "3.5.3", "Python 3.5.3 is not supported; 3.6 to 3.15 are"},
	    {"python3.16", "3.16.0", "Python 3.16.0 is not supported; 3.6 to 3.15 are"},
	    {"python3.9", "3.9.0b2+", "Python 3.9.0b2: alphas and betas are not supported"},
	    {"python3.13", "3.13.0", "Python 3.13.0 without a readable table of debug offsets"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct python_image image;
		struct fake_elf f;

		fake_python(&f, 0);
		fake_string(&f, cases[i].folder);
		fake_string(&f, cases[i].version);
		image = image_of(&f);
		assert_int_equal(image.state, PY_UNSUPPORTED);
		assert_string_equal(image.reason, cases[i].reason);
	}
}

static void test_debug_build(void **state)
{
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_python(&f, 656);
	fake_symbol(&f, "_Py_NegativeRefcount", STT_FUNC, FAKE_TEXT + 16, 32);
	fake_string(&f, "python3.9");
	fake_string(&f, "3.9.2");
	image = image_of(&f);
	assert_int_equal(image.state, PY_UNSUPPORTED);
	assert_non_null(strstr(image.reason, "debug build"));
	assert_int_equal(image.version, 0x030902f0);
}

/* 3.6 has no _PyRuntime: the list's head is what PyInterpreterState_Head() loads. */
static void test_3_6_head(void **state)
{
	static const uint8_t plain[] = {0x48, 0x8b, 0x05, 0x00, 0x20, 0x00, 0x00, 0xc3};
	static const uint8_t got[] = {0x48, 0x8b, 0x05, 0x00, 0x20, 0x00, 0x00, 0x48};
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_python(&f, 0);
	fake_symbol(&f, "PyInterpreterState_Head", STT_FUNC, FAKE_TEXT + 16, 8);
	fake_string(&f, "python3.6");
	fake_string(&f, "3.6.15");
	memcpy(f.bytes + FAKE_TEXT + 16, plain, sizeof(plain));
	image = image_of(&f);
	assert_int_equal(image.state, PY_SUPPORTED);
	assert_int_equal(image.vaddr.interp_head, FAKE_BASE + FAKE_TEXT + 16 + 7 + 0x2000);
	assert_int_equal(image.runtime, 0);
	assert_int_equal(image.vaddr.tss_key, 0);
	memcpy(f.bytes + FAKE_TEXT + 16, got, sizeof(got));
	image = image_of(&f);
	assert_int_equal(image.state, PY_UNSUPPORTED);
	assert_string_equal(image.reason, "its list of interpreters cannot be found");
}

/* Its GIL is variables, in any order; without the static ones only the holder is known. */
static void test_3_6_gil(void **state)
{
	static const uint8_t plain[] = {0x48, 0x8b, 0x05, 0x00, 0x20, 0x00, 0x00, 0xc3};
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_python(&f, 0);
	fake_symbol(&f, "PyInterpreterState_Head", STT_FUNC, FAKE_TEXT + 16, 8);
	fake_symbol(&f, "_PyThreadState_Current", STT_OBJECT, FAKE_DATA + 0x800, 8);
	fake_string(&f, "python3.6");
	fake_string(&f, "3.6.15");
	memcpy(f.bytes + FAKE_TEXT + 16, plain, sizeof(plain));
	image = image_of(&f);
	assert_int_equal(image.vaddr.gil, FAKE_BASE + FAKE_DATA + 0x800);
	assert_int_equal(image.layout.gil_holder, 0);
	assert_int_equal(image.layout.gil_cond, PY_NONE);
	fake_symbol(&f, "switch_mutex", STT_OBJECT, FAKE_DATA + 0x100, 40);
	fake_symbol(&f, "switch_cond", STT_OBJECT, FAKE_DATA + 0x140, 48);
	fake_symbol(&f, "gil_mutex", STT_OBJECT, FAKE_DATA + 0x180, 40);
	fake_symbol(&f, "gil_cond", STT_OBJECT, FAKE_DATA + 0x1c0, 48);
	image = image_of(&f);
	assert_int_equal(image.vaddr.gil, FAKE_BASE + FAKE_DATA + 0x100);
	assert_int_equal(image.layout.gil_holder, 0x700);
	assert_int_equal(image.layout.gil_cond, 0xc0);
	assert_int_equal(image.layout.gil_size, 0xf0);
	assert_int_equal(image.objects.gil_mutex, 0x80);
	assert_int_equal(image.objects.gil_switch_cond, 0x40);
	/* too far off for the layout, and of another size: some other variable */
	f.symbols[f.nsymbols - 1].st_value += 0x10000;
	assert_int_equal(image_of(&f).layout.gil_cond, PY_NONE);
	f.symbols[f.nsymbols - 1].st_value -= 0x10000;
	f.symbols[f.nsymbols - 1].st_size = 8;
	assert_int_equal(image_of(&f).layout.gil_cond, PY_NONE);
}

static void check_table(const struct debug_offsets *d, bool section, bool no_sections, size_t at)
{
	struct python_image image;
	struct fake_elf f;

	fake_init(&f);
	f.runtime_section = section;
	f.no_sections = no_sections;
	memcpy(f.bytes + FAKE_DATA + at, d->word, d->count * 8);
	image = image_of(&f);
	assert_int_equal(image.state, PY_SUPPORTED);
	assert_int_equal(image.version, d->word[1]);
	assert_int_equal(image.free_threaded, d->word[2]);
	assert_int_equal(image.runtime, FAKE_BASE + FAKE_DATA + at);
	assert_int_equal(image.vaddr.interp_head, image.runtime + d->word[5]);
	assert_int_equal(image.vaddr.code_type, 0);
}

/* By its section; by the cookie alone where that was renamed or all sections stripped. */
static void test_debug_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(debug_offsets); i++) {
		check_table(&debug_offsets[i], true, false, 0);
		check_table(&debug_offsets[i], false, false, 0x48);
		check_table(&debug_offsets[i], false, true, 0x528);
	}
}

static void test_damaged_table(void **state)
{
	struct python_image image;
	struct fake_elf f;

	(void)state;
	fake_init(&f);
	f.runtime_section = true;
	memcpy(f.bytes + FAKE_DATA, debug_offsets[0].word, 16 * 8); /* zeros behind */
	image = image_of(&f);
	assert_int_equal(image.state, PY_UNSUPPORTED);
	assert_string_equal(image.reason, "its table of debug offsets is not plausible");
}

static void test_version_parse(void **state)
{
	static const struct {
		const char *text;
		uint32_t version;
	} cases[] = {
	    {"3.9.2", 0x030902f0},
	    {"3.11.0rc1", 0x030b00c1},
	    {"3.7.0b5+", 0x030700b5},
	    {"3.8.0a4", 0x030800a4},
	    {"2.7.18", 0x020712f0},
	    {"3.15.10+", 0x030f0af0},
	    {"3.9", 0},
	    {"3.9.", 0},
	    {"3.9.2.1", 0},
	    {"3.9.2x", 0},
	    {"", 0},
	    {"13.9.2", 0},
	    {"3.9.2rc", 0},
	    {"3.9.2rc16", 0},
	    {"3.9999.2", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(pyversion_parse(cases[i].text), cases[i].version);
}

/* What any damaged file must keep to, so that the rest of the program may rely on it. */
static void check_sane(const struct python_image *image)
{
	assert_in_range(image->state, PY_SUPPORTED, PY_NOT_PYTHON);
	assert_non_null(memchr(image->reason, '\0', sizeof(image->reason)));
	if (image->state != PY_SUPPORTED)
		return;
	assert_true(image->vaddr.interp_head);
	assert_in_range(image->layout.ts_span, 1, 255);
	assert_in_range(image->layout.f_size, 1, 128);
	assert_in_range(image->layout.co_span, 1, 255);
}

static void read_checked(int fd)
{
	struct python_image image;

	if (!python_image_read(fd, &image))
		check_sane(&image);
}

static uint32_t random_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Writes a hostile value of 1, 4 or 8 bytes somewhere, reads, and puts the old one back. */
static void damage_once(int fd, uint64_t from, uint64_t size, uint32_t *seed)
{
	static const uint64_t values[] = {0, 1, 0x7fffffff, 0xffffffff, 1ull << 63, UINT64_MAX};
	size_t width = (size_t[]){1, 4, 8}[random_next(seed) % 3];
	off_t at = (off_t)(from + random_next(seed) % (size - 8));
	uint64_t old, new;

	assert_int_equal(pread(fd, &old, width, at), width);
	new = random_next(seed) % 2 ? values[random_next(seed) % ARRAY_SIZE(values)]
				    : (uint64_t)random_next(seed) << 32 | random_next(seed);
	assert_int_equal(pwrite(fd, &new, width, at), width);
	read_checked(fd);
	if (random_next(seed) % 4) /* else damage adds up */
		assert_int_equal(pwrite(fd, &old, width, at), width);
}

static void test_damaged_fakes(void **state)
{
	uint32_t seed = 20240607;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		_cleanup_close_ int fd = -1;
		struct fake_elf f;

		fake_python(&f, 656);
		fake_symbol(&f, "Py_Version", STT_OBJECT, FAKE_RODATA + 0x100, 4);
		fake_string(&f, "python3.9");
		f.runtime_section = round % 2;
		if (round % 4 == 1)
			memcpy(f.bytes + FAKE_DATA, debug_offsets[0].word, 73 * 8);
		fd = fake_open(&f);
		for (unsigned i = 0; i < 100; i++) {
			damage_once(fd, 0, 512, &seed);
			damage_once(fd, FAKE_DATA, 640, &seed);
			damage_once(fd, FAKE_TABLES, FAKE_SIZE - FAKE_TABLES, &seed);
		}
	}
}

/* The whole file in memory, so that it can be damaged. */
static int copy_of(const char *path)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("copy", MFD_CLOEXEC);
	char chunk[65536];
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, chunk, sizeof(chunk))) > 0)
		assert_int_equal(write(to, chunk, (size_t)n), n);
	return to;
}

static void check_damaged_file(const char *path, uint32_t *seed)
{
	_cleanup_close_ int fd = copy_of(path);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	for (unsigned i = 0; i < 40; i++) {
		damage_once(fd, 0, 1024, seed);                           /* headers */
		damage_once(fd, 0, 200000, seed);                         /* hash table, symbols */
		damage_once(fd, (uint64_t)st.st_size - 4096, 4096, seed); /* sections */
	}
	for (off_t size = st.st_size; size > 0; size -= size / 12 + 1) {
		assert_int_equal(ftruncate(fd, size), 0);
		read_checked(fd);
	}
}

static int real_files(glob_t *ret_files)
{
	char pattern[512];

	snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/*/lib/libpython[23].*.so.1.0",
		 getenv("HOME") ? getenv("HOME") : "");
	glob("/usr/bin/python3.[0-9]*[0-9]", 0, NULL, ret_files);
	glob(pattern, GLOB_APPEND, NULL, ret_files);
	return (int)ret_files->gl_pathc;
}

static void test_real_files(void **state)
{
	glob_t files;
	uint32_t seed = 4711;

	(void)state;
	if (!real_files(&files)) {
		print_message("SKIP: no interpreter installed\n");
		skip();
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		_cleanup_close_ int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		struct python_image image;

		assert_int_equal(python_image_read(fd, &image), 0);
		assert_int_not_equal(image.state, PY_NOT_PYTHON);
		check_damaged_file(files.gl_pathv[i], &seed);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_not_elf),
	    cmocka_unit_test(test_not_python),
	    cmocka_unit_test(test_version_from_strings),
	    cmocka_unit_test(test_micro_unknown),
	    cmocka_unit_test(test_3_7_needs_micro),
	    cmocka_unit_test(test_version_ambiguous),
	    cmocka_unit_test(test_exported_version),
	    cmocka_unit_test(test_unsupported),
	    cmocka_unit_test(test_debug_build),
	    cmocka_unit_test(test_3_6_head),
	    cmocka_unit_test(test_3_6_gil),
	    cmocka_unit_test(test_debug_table),
	    cmocka_unit_test(test_damaged_table),
	    cmocka_unit_test(test_version_parse),
	    cmocka_unit_test(test_damaged_fakes),
	    cmocka_unit_test(test_real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
