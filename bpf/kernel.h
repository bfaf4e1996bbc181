/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few kernel fields that are read, relocated by CO-RE; everything else comes from UAPI headers.
 */
#ifndef PYPROF_BPF_KERNEL_H
#define PYPROF_BPF_KERNEL_H

#include <linux/types.h>

#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_rdev;
	long long i_size;
	__u32 i_generation;
};

struct file {
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct linux_binprm {
	struct file *file;
};

struct mm_struct {
	unsigned long start_code, arg_start, arg_end;
};

struct signal_struct {
	struct {
		int counter;
	} live;
};

struct thread_struct {
	unsigned long fsbase;
};

struct thread_info {
	__u32 status; /* x86 */
};

struct task_struct {
	struct thread_info thread_info;
	struct files_struct *files;
	int pid, tgid, exit_code;
	unsigned int flags;
	unsigned long long start_boottime; /* 5.5+ */
	struct mm_struct *mm;
	struct task_struct *group_leader, *real_parent;
	struct signal_struct *signal;
	struct thread_struct thread;
	void *stack;
	char comm[16];
};

/* The kernel's pt_regs at the top of a task's kernel stack; named apart from the UAPI one. */
struct pt_regs___kernel {
	unsigned long di, si, dx, ip, orig_ax;
};

/* 6.2+: an array of these is mm_struct.rss_stat; before, a struct mm_rss_stat. */
struct percpu_counter {
	__s64 count;
};

struct mm_struct___counters {
	struct percpu_counter rss_stat[4];
};

struct mm_rss_stat {
	int unused;
};

#pragma clang attribute pop

#endif
