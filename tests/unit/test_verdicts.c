/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdicts of many files: what is remembered is bounded. Files differ by the inode that the record
 * tells; what is read is this program, or a Python. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/verdicts.h"

#define PYTHON "/usr/bin/python3"

static void late(void *data, pid_t pid)
{
	(void)data;
	(void)pid;
	fail(); /* without an event loop every look is done when asked for */
}

static struct exec_record record_of(pid_t pid, const char *path)
{
	struct exec_record record = {.pid = (uint32_t)pid};
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	record.image.size = (uint64_t)st.st_size;
	return record;
}

static struct python_image *look(struct verdicts *verdicts, struct exec_record *record)
{
	struct python_image *image = NULL;
	bool is_new;

	record->image.ino++;
	assert_int_equal(verdicts_exec(verdicts, record, &image, &is_new), 0);
	return image;
}

static size_t held(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void new_files_for_ever(void **state)
{
	struct verdicts *verdicts = verdicts_new(late, NULL);
	struct exec_record record = record_of(getpid(), "/proc/self/exe");
	size_t before = held(), most = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		assert_null(look(verdicts, &record));
		most = held() > most ? held() : most;
	}
	assert_true(most - before < 2u << 20);
	verdicts_free(verdicts);
}

static void one_interpreter_in_many_files(void **state)
{
	struct verdicts *verdicts = verdicts_new(late, NULL);
	struct python_image *image;
	struct exec_record record;
	int pipe_fds[2];
	char ready;
	pid_t pid;

	(void)state;
	if (access(PYTHON, X_OK) < 0) {
		print_message("SKIP: " PYTHON " is not installed\n");
		skip();
	}
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipe_fds[1], 1);
		execl(PYTHON, PYTHON, "-S", "-c",
		      "print(end='r', flush=True); import time; time.sleep(60)", NULL);
		_exit(1);
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &ready, 1), 1);
	record = record_of(pid, PYTHON);
	image = look(verdicts, &record);
	assert_non_null(image);
	for (int i = 0; i < 10; i++)
		assert_ptr_equal(look(verdicts, &record), image);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipe_fds[0]);
	verdicts_free(verdicts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(new_files_for_ever),
	    cmocka_unit_test(one_interpreter_in_many_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
