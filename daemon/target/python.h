/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which Python runs in a process: process → mapped files → [python] → addresses and offsets.
 * Found by content (ELF section .PyRuntime, symbols), never by the file's name. Used by the daemon
 * to configure the kernel side, and by the outside reader.
 */
#ifndef PYPROF_DAEMON_TARGET_PYTHON_H
#define PYPROF_DAEMON_TARGET_PYTHON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/config.h"
#include "daemon/target/pylayout.h"

#define PYTHON_REASON_LEN 128

/* What an ELF file says of the interpreter in it; addresses as linked (vaddr), not as loaded. */
struct python_image {
	enum py_state state; /* PY_NOT_PYTHON: nothing else is set */
	uint32_t version;    /* PY_VERSION_HEX; for unsupported ones as much as is known, else 0 */
	bool free_threaded;
	bool position_independent; /* ET_DYN */
	struct py_layout layout;
	struct py_objects objects; /* for readers from outside */
	struct py_addresses vaddr; /* 0 = not found in this file */
	uint64_t runtime;          /* vaddr of _PyRuntime, 0 for 3.6 */
	uint64_t first_exec_vaddr; /* of the first executable PT_LOAD: what mm->start_code is loaded
				      from */
	uint64_t first_exec_offset;     /* and its offset in the file */
	char reason[PYTHON_REASON_LEN]; /* why unsupported */
};

/* Reads the ELF file behind fd (pread only, bounded; the file is hostile). 0, or -errno when it is
 * no readable ELF64 x86-64 file, which callers treat as "not Python". */
int python_image_read(int fd, struct python_image *ret_image);

/* The interpreter of one process. */
struct python {
	pid_t pid;
	struct python_image image;
	struct py_addresses at; /* absolute, in the process */
	uint64_t runtime;       /* absolute address of _PyRuntime, 0 for 3.6 */
	uint64_t bias;          /* load address − vaddr */
	char executable[256];   /* /proc/PID/exe's target, cut */
	char library[256]; /* path of the shared libpython, "" when the interpreter is static */
};

/*
 * Looks at the executable mappings of a live process (opened through /proc/PID/map_files) and
 * caches the verdict per file. 0 also for an unsupported Python (image.state says so); -ENODATA:
 * not Python; -ESRCH: gone; -EACCES; -EAGAIN: a file was left alone, as another worker hangs in
 * its file system (worker_touch()). Thread-safe.
 */
int python_find(pid_t pid, struct python *ret_python);

/* Fills at, bias, runtime from the load address of the image's first executable segment. */
void python_place(struct python *python, uint64_t first_exec_address);

/* "3.11.2" or "3.13.5t" into out; "?" parts where unknown. */
void python_version_text(uint32_t version, bool free_threaded, char out[24]);

#endif
