/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a descriptor of the current task stands for. */
#ifndef PYPROF_BPF_FD_H
#define PYPROF_BPF_FD_H

#include "bpf/kernel.h"
#include "bpf/record.h"

/* include/uapi/linux/stat.h, major.h */
#define MODE_TYPE 0170000
#define MODE_SOCKET 0140000
#define MODE_REGULAR 0100000
#define MODE_BLOCK 0060000
#define MODE_CHARACTER 0020000
#define MODE_PIPE 0010000
#define MAJOR_TTY_FIRST 4
#define MAJOR_TTY_LAST 5
#define MAJOR_PTS_FIRST 136
#define MAJOR_PTS_LAST 143

/* NULL: no such descriptor. */
static inline __attribute__((always_inline)) struct inode *fd_inode(struct task_struct *task,
								    __u64 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file ? BPF_CORE_READ(file, f_inode) : NULL;
}

/* Of a dev_t inside the kernel: 12 bits major, 20 bits minor (include/linux/kdev_t.h). */
static inline __attribute__((always_inline)) __u32 device_major(__u32 dev)
{
	return dev >> 20;
}

static inline __attribute__((always_inline)) enum io_kind inode_kind(struct inode *inode)
{
	__u32 type = BPF_CORE_READ(inode, i_mode) & MODE_TYPE, major;

	if (type == MODE_REGULAR || type == MODE_BLOCK)
		return IO_FILE;
	if (type == MODE_SOCKET)
		return IO_SOCKET;
	if (type == MODE_PIPE)
		return IO_PIPE;
	if (type != MODE_CHARACTER)
		return IO_OTHER;
	major = device_major(BPF_CORE_READ(inode, i_rdev));
	if ((major >= MAJOR_TTY_FIRST && major <= MAJOR_TTY_LAST) ||
	    (major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST))
		return IO_TTY;
	return IO_OTHER;
}

#endif
