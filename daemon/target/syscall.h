/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of system calls by number, for x86-64. */
#ifndef PYPROF_DAEMON_TARGET_SYSCALL_H
#define PYPROF_DAEMON_TARGET_SYSCALL_H

/* NULL for a number that no kernel known here has. */
const char *syscall_name(long number);

#endif
