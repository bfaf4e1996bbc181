/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the memory of another process: bounded, never by ptrace, never stopping it. Pages are kept
 * until mem_forget(), so that a stack and the objects around it cost one system call a page and a
 * page is the same however often it is looked at.
 */
#ifndef PYPROF_DAEMON_TARGET_MEM_H
#define PYPROF_DAEMON_TARGET_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mem;

/* NULL when out of memory. */
struct mem *mem_new(pid_t pid);
/* NULL is fine. */
void mem_free(struct mem *mem);

/* From now on everything is read anew. */
void mem_forget(struct mem *mem);

/* All of size bytes or an error: -EFAULT not mapped, -ESRCH gone, -EPERM. */
int mem_read(struct mem *mem, uint64_t address, void *out, size_t size);
int mem_u8(struct mem *mem, uint64_t address, uint8_t *ret_value);
int mem_u32(struct mem *mem, uint64_t address, uint32_t *ret_value);
int mem_u64(struct mem *mem, uint64_t address, uint64_t *ret_value);
/* A C string, cut to fit; always NUL-terminated on success. Its length or an error. */
ssize_t mem_text(struct mem *mem, uint64_t address, char *out, size_t size);

#endif
