/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A code object of another process: its names and its lines. */
#ifndef PYPROF_DAEMON_TARGET_PYCODE_H
#define PYPROF_DAEMON_TARGET_PYCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/target/pyreader.h"

struct pycode {
	char *function, *file;       /* UTF-8; function is qualified on 3.11+ */
	bool function_cut, file_cut; /* the text was too long */
	int first_line;
	uint8_t *table; /* NULL: too long to be read */
	size_t table_size;
};

/* 0; -EBADMSG: no code object; -EFAULT; -ENOMEM. */
int pycode_read(const struct pyreader *reader, uint64_t address, struct pycode *ret_code);
void pycode_done(struct pycode *code);
/* Line of an instruction (negative: not started yet); 0: none. */
int pycode_line(const struct pyreader *reader, const struct pycode *code, int64_t lasti);

#endif
