/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The x86-64 system calls whose return value is a number of bytes moved, and by which arguments. */
#ifndef PYPROF_BPF_IO_CALLS_H
#define PYPROF_BPF_IO_CALLS_H

#include <linux/types.h>

/* Bits 0–1: the argument with the descriptor read from + 1; bits 2–3: written to. 0 = none. (No
 * such descriptor is an argument beyond the third.) */
#define IO_IN(argument) ((argument) + 1)
#define IO_OUT(argument) (((argument) + 1) << 2)
#define IO_CALLS_MAX 512

static const __u8 io_calls[IO_CALLS_MAX] = {
    [0] = IO_IN(0),               /* read */
    [1] = IO_OUT(0),              /* write */
    [17] = IO_IN(0),              /* pread64 */
    [18] = IO_OUT(0),             /* pwrite64 */
    [19] = IO_IN(0),              /* readv */
    [20] = IO_OUT(0),             /* writev */
    [40] = IO_OUT(0) | IO_IN(1),  /* sendfile */
    [44] = IO_OUT(0),             /* sendto */
    [45] = IO_IN(0),              /* recvfrom */
    [46] = IO_OUT(0),             /* sendmsg */
    [47] = IO_IN(0),              /* recvmsg */
    [275] = IO_IN(0) | IO_OUT(2), /* splice */
    [278] = IO_OUT(0),            /* vmsplice: into the pipe */
    [295] = IO_IN(0),             /* preadv */
    [296] = IO_OUT(0),            /* pwritev */
    [326] = IO_IN(0) | IO_OUT(2), /* copy_file_range */
    [327] = IO_IN(0),             /* preadv2 */
    [328] = IO_OUT(0),            /* pwritev2 */
};

#endif
