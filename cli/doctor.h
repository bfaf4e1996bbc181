/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The questions of `doctor` about this host and this caller, each with its answer and remedy. */
#ifndef PYPROF_CLI_DOCTOR_H
#define PYPROF_CLI_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/options.h"

struct doctor_check {
	const char *name;
	bool ok;
	char detail[256];
	const char *remedy; /* NULL when nothing is to be done */
};

/* Each fills detail, ok and remedy; name is set. */
struct doctor_row {
	const char *name;
	void (*ask)(struct doctor_check *check, const struct options *options);
};

/* NULL-terminated by name, in the order in which they are told. */
extern const struct doctor_row doctor_kernel[];
extern const struct doctor_row doctor_access[];

/* An effective capability of this process, by its number of capability.h. */
bool doctor_has(unsigned capability);
/* The first line of a small file, without its end; false when it cannot be read. */
bool doctor_line(const char *path, char *out, size_t size);
void doctor_tell(struct doctor_check *check, bool ok, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
