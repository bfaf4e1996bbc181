/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* probe_python PID: what python_find() says of a process, as JSON for test_python_find.py.
 * probe_python -f FILE…: what python_image_read() says of files, one line each, and how long it
 * took. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/python.h"

#define NUMBER(s, field) printf(", \"" #field "\": %" PRIu64, (uint64_t)(s)->field)

static void layout_print(const struct py_layout *l)
{
	NUMBER(l, flags);
	NUMBER(l, rt_interpreters_head);
	NUMBER(l, is_gil);
	NUMBER(l, is_next);
	NUMBER(l, is_threads_head);
	NUMBER(l, ts_next);
	NUMBER(l, ts_interp);
	NUMBER(l, ts_frame);
	NUMBER(l, ts_thread_id);
	NUMBER(l, ts_native_id);
	NUMBER(l, ts_span);
	NUMBER(l, cframe_current);
	NUMBER(l, f_size);
	NUMBER(l, f_previous);
	NUMBER(l, f_code);
	NUMBER(l, f_owner);
	NUMBER(l, f_owner_shim);
	NUMBER(l, co_span);
	NUMBER(l, co_filename);
	NUMBER(l, co_name);
	NUMBER(l, co_qualname);
	NUMBER(l, co_linetable);
	NUMBER(l, co_firstlineno);
	NUMBER(l, co_consts);
	NUMBER(l, ob_type);
	NUMBER(l, str_length);
	NUMBER(l, str_state);
	NUMBER(l, str_ascii);
	NUMBER(l, str_compact);
	NUMBER(l, str_kind_mask);
	NUMBER(l, str_compact_bit);
	NUMBER(l, str_ascii_bit);
	NUMBER(l, bytes_size);
	NUMBER(l, bytes_data);
	NUMBER(l, gil_holder);
	NUMBER(l, gil_locked);
}

static void objects_print(const struct py_objects *o)
{
	NUMBER(o, is_imports_modules);
	NUMBER(o, is_sysdict);
	NUMBER(o, ts_status);
	NUMBER(o, ts_bound_bit);
	NUMBER(o, tp_name);
	NUMBER(o, dict_used);
	NUMBER(o, tuple_size);
}

static void addresses_print(const struct py_addresses *at)
{
	NUMBER(at, interp_head);
	NUMBER(at, tss_key);
	NUMBER(at, code_type);
	NUMBER(at, gil);
	NUMBER(at, text_start);
	NUMBER(at, text_end);
}

static int process_print(pid_t pid)
{
	struct python python;
	char version[24];
	int r = python_find(pid, &python);

	if (r < 0) {
		printf("{\"error\": \"%s\"}\n", strerrorname_np(-r));
		return 0;
	}
	python_version_text(python.image.version, python.image.free_threaded, version);
	printf("{\"text\": \"%s\", \"reason\": \"%s\", \"executable\": \"%s\", \"library\": \"%s\"",
	       version, python.image.reason, python.executable, python.library);
	NUMBER(&python.image, state);
	NUMBER(&python.image, version);
	NUMBER(&python.image, free_threaded);
	NUMBER(&python, runtime);
	NUMBER(&python, bias);
	addresses_print(&python.at);
	layout_print(&python.image.layout);
	objects_print(&python.image.objects);
	printf("}\n");
	return 0;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void file_print(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct python_image image = {0};
	uint64_t start = now_us();
	char version[24];
	int r = fd < 0 ? -errno : python_image_read(fd, &image);

	python_version_text(image.version, image.free_threaded, version);
	printf("%d %d %s %" PRIu64 " us %s %s\n", r, image.state, version, now_us() - start, path,
	       image.reason);
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "-f")) {
		for (int i = 2; i < argc; i++)
			file_print(argv[i]);
		return 0;
	}
	return argc == 2 ? process_print(atoi(argv[1])) : 2;
}
