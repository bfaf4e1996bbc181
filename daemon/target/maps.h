/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /proc/PID/maps, a line at a time: processes may have many thousand mappings. */
#ifndef PYPROF_DAEMON_TARGET_MAPS_H
#define PYPROF_DAEMON_TARGET_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define MAPS_LINE_MAX (4096 + 128) /* PATH_MAX and the fields before it */

struct maps {
	FILE *file;
	char line[MAPS_LINE_MAX];
};

struct maps_region {
	uint64_t start, end, offset;
	bool read, write, execute;
	dev_t device;
	uint64_t inode;   /* 0: anonymous */
	const char *path; /* in struct maps, until the next call; "" when none, "[stack]" … */
};

/* 0; -ESRCH: no such process; -EACCES. */
int maps_open(pid_t pid, struct maps *ret_maps);
/* 1: a region; 0: no more; -errno. Lines that are not as proc(5) says are left out. */
int maps_next(struct maps *maps, struct maps_region *ret_region);
void maps_done(struct maps *maps);

/* Pure; cuts the line's end off. 0 or -EBADMSG. */
int maps_parse(char *line, struct maps_region *ret_region);

#endif
