/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Another process is read whole or not at all; pages are kept until they are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/mem.h"

#define PAGE 4096u

static uint64_t address_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void test_reads_across_pages(void **state)
{
	size_t size = 5 * PAGE;
	uint8_t *from = malloc(size), *to = malloc(size);
	struct mem *mem = mem_new(getpid());

	(void)state;
	for (size_t i = 0; i < size; i++)
		from[i] = (uint8_t)(i * 31 >> 3);
	for (size_t n = 1; n <= size; n = n * 2 + 1) {
		assert_int_equal(mem_read(mem, address_of(from) + size - n, to, n), 0);
		assert_memory_equal(to, from + size - n, n);
	}
	mem_free(mem);
	free(from);
	free(to);
}

static void test_pages_are_kept_until_forgotten(void **state)
{
	volatile uint64_t *value =
	    mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mem *mem = mem_new(getpid());
	uint64_t read;

	(void)state;
	*value = 1;
	assert_int_equal(mem_u64(mem, address_of((void *)value), &read), 0);
	*value = 2;
	assert_int_equal(mem_u64(mem, address_of((void *)value), &read), 0);
	assert_int_equal(read, 1);
	mem_forget(mem);
	assert_int_equal(mem_u64(mem, address_of((void *)value), &read), 0);
	assert_int_equal(read, 2);
	munmap((void *)value, PAGE);
	mem_free(mem);
}

static void test_more_than_the_cache_holds(void **state)
{
	size_t pages = 3000;
	uint8_t *from =
	    mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mem *mem = mem_new(getpid());

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < pages; i++) {
			uint32_t read;

			memcpy(from + i * PAGE + 8, &(uint32_t){(uint32_t)(i + round)}, 4);
			assert_int_equal(mem_u32(mem, address_of(from) + i * PAGE + 8, &read), 0);
			assert_int_equal(read, i + round);
		}
		mem_forget(mem);
	}
	munmap(from, pages * PAGE);
	mem_free(mem);
}

static void test_what_is_not_mapped(void **state)
{
	uint8_t *two =
	    mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mem *mem = mem_new(getpid());
	uint8_t out[64];
	static const uint64_t wild[] = {
	    0, 8, 4095, 1ull << 47, UINT64_MAX, UINT64_MAX - 3, (1ull << 47) - 4};

	(void)state;
	mprotect(two + PAGE, PAGE, PROT_NONE);
	assert_int_equal(mem_read(mem, address_of(two) + PAGE - 8, out, 8), 0);
	assert_int_equal(mem_read(mem, address_of(two) + PAGE - 8, out, 9), -EFAULT);
	assert_int_equal(mem_read(mem, address_of(two) + PAGE, out, 1), -EFAULT);
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++)
		assert_int_equal(mem_read(mem, wild[i], out, 8), -EFAULT);
	assert_int_equal(mem_read(mem, address_of(two), out, SIZE_MAX), -EFAULT);
	munmap(two, 2 * PAGE);
	mem_free(mem);
}

static void test_strings(void **state)
{
	uint8_t *page =
	    mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mem *mem = mem_new(getpid());
	char out[8];

	(void)state;
	mprotect(page + PAGE, PAGE, PROT_NONE);
	memcpy(page + PAGE - 4, "abc", 4);
	assert_int_equal(mem_text(mem, address_of(page) + PAGE - 4, out, sizeof(out)), 3);
	assert_string_equal(out, "abc");
	memcpy(page + PAGE - 4, "abcd", 4);
	mem_forget(mem);
	assert_int_equal(mem_text(mem, address_of(page) + PAGE - 4, out, sizeof(out)), -EFAULT);
	memcpy(page, "0123456789", 11);
	mem_forget(mem);
	assert_int_equal(mem_text(mem, address_of(page), out, sizeof(out)), 7);
	assert_string_equal(out, "0123456");
	munmap(page, 2 * PAGE);
	mem_free(mem);
}

static void test_another_process(void **state)
{
	static uint64_t value = 7;
	pid_t child = fork();
	struct mem *mem;
	uint64_t read;

	(void)state;
	if (!child) {
		value = 8;
		for (;;)
			pause();
	}
	usleep(50000);
	mem = mem_new(child);
	assert_int_equal(mem_u64(mem, address_of(&value), &read), 0);
	assert_int_equal(read, 8);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	mem_forget(mem);
	assert_int_equal(mem_u64(mem, address_of(&value), &read), -ESRCH);
	mem_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_across_pages),
	    cmocka_unit_test(test_pages_are_kept_until_forgotten),
	    cmocka_unit_test(test_more_than_the_cache_holds),
	    cmocka_unit_test(test_what_is_not_mapped),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
