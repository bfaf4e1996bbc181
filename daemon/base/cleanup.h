/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values that free themselves when their scope ends; destructors accept NULL and -1. */
#ifndef PYPROF_DAEMON_BASE_CLEANUP_H
#define PYPROF_DAEMON_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(free_ptr)
#define _cleanup_close_ _cleanup_(close_ptr)
#define _cleanup_fclose_ _cleanup_(fclose_ptr)

/* Hands a pointer over: the value, while the variable becomes NULL. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void close_ptr(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclose_ptr(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif
