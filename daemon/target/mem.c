/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cache of pages, filled by process_vm_readv(2). Forgetting is O(1): slots carry the number of
 * the generation that filled them. */
#include "daemon/target/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "daemon/base/cleanup.h"

#define PAGE_BYTES 4096u      /* the unit of protection: a page is readable whole or not at all */
#define SLOTS 2048u           /* power of two */
#define PAGES_MAX (SLOTS / 2) /* 4 MiB a generation; what is beyond is read uncached */
#define USER_END (1ull << 47) /* hostile pointers end here before they reach the kernel */

struct slot {
	uint64_t page;
	uint64_t generation;
	uint8_t *data;
};

struct mem {
	pid_t pid;
	int fd; /* /proc/PID/mem, only where process_vm_readv is forbidden */
	bool by_file;
	uint64_t generation;
	unsigned used;
	struct slot slots[SLOTS];
};

struct mem *mem_new(pid_t pid)
{
	struct mem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return NULL;
	mem->pid = pid;
	mem->fd = -1;
	mem->generation = 1;
	return mem;
}

void mem_free(struct mem *mem)
{
	if (!mem)
		return;
	for (unsigned i = 0; i < SLOTS; i++)
		free(mem->slots[i].data);
	close_ptr(&mem->fd);
	free(mem);
}

void mem_forget(struct mem *mem)
{
	mem->generation++;
	mem->used = 0;
}

/* Where a seccomp filter answers EPERM or ENOSYS for the system call, the file may still work. */
static int read_by_file(struct mem *mem, uint64_t address, void *out, size_t size)
{
	char path[32];
	ssize_t n;

	if (mem->fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/mem", (int)mem->pid);
		mem->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (mem->fd < 0)
			return errno == ENOENT ? -ESRCH : -EPERM;
	}
	n = pread(mem->fd, out, size, (off_t)address);
	if (n < 0)
		return errno == EIO ? -EFAULT : -errno;
	/* of an address space whose last thread has exited, the file reads as empty */
	return (size_t)n == size ? 0 : n == 0 ? -ESRCH : -EFAULT;
}

static int read_target(struct mem *mem, uint64_t address, void *out, size_t size)
{
	struct iovec local = {out, size}, remote = {(void *)(uintptr_t)address, size};
	ssize_t n;

	if (mem->by_file)
		return read_by_file(mem, address, out, size);
	n = process_vm_readv(mem->pid, &local, 1, &remote, 1, 0);
	if (n < 0 && (errno == EPERM || errno == ENOSYS)) {
		mem->by_file = true;
		return read_by_file(mem, address, out, size);
	}
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

/* The slot of the page, filled; NULL when the cache is full or out of memory. */
static struct slot *slot_take(struct mem *mem, uint64_t page, bool *ret_filled)
{
	unsigned at = (unsigned)(page * 0x9e3779b97f4a7c15ull >> 53) & (SLOTS - 1);
	struct slot *slot;

	while (mem->slots[at].generation == mem->generation && mem->slots[at].page != page)
		at = (at + 1) & (SLOTS - 1);
	slot = &mem->slots[at];
	*ret_filled = slot->generation == mem->generation;
	if (*ret_filled)
		return slot;
	if (mem->used >= PAGES_MAX)
		return NULL;
	if (!slot->data)
		slot->data = malloc(PAGE_BYTES);
	return slot->data ? slot : NULL;
}

static int read_in_page(struct mem *mem, uint64_t address, void *out, size_t size)
{
	uint64_t page = address / PAGE_BYTES;
	bool filled;
	struct slot *slot = slot_take(mem, page, &filled);
	int r;

	if (!slot)
		return read_target(mem, address, out, size);
	if (!filled) {
		r = read_target(mem, page * PAGE_BYTES, slot->data, PAGE_BYTES);
		if (r < 0)
			return r;
		slot->page = page;
		slot->generation = mem->generation;
		mem->used++;
	}
	memcpy(out, slot->data + address % PAGE_BYTES, size);
	return 0;
}

int mem_read(struct mem *mem, uint64_t address, void *out, size_t size)
{
	uint8_t *to = out;

	if (address < PAGE_BYTES || address >= USER_END || size > USER_END - address)
		return -EFAULT;
	while (size) {
		size_t n = MIN(size, PAGE_BYTES - address % PAGE_BYTES);
		int r = read_in_page(mem, address, to, n);

		if (r < 0)
			return r;
		address += n;
		to += n;
		size -= n;
	}
	return 0;
}

int mem_u8(struct mem *mem, uint64_t address, uint8_t *ret_value)
{
	return mem_read(mem, address, ret_value, sizeof(*ret_value));
}

int mem_u32(struct mem *mem, uint64_t address, uint32_t *ret_value)
{
	return mem_read(mem, address, ret_value, sizeof(*ret_value));
}

int mem_u64(struct mem *mem, uint64_t address, uint64_t *ret_value)
{
	return mem_read(mem, address, ret_value, sizeof(*ret_value));
}

ssize_t mem_text(struct mem *mem, uint64_t address, char *out, size_t size)
{
	for (size_t n = 0; n + 1 < size; n++) {
		int r = mem_read(mem, address + n, out + n, 1);

		if (r < 0)
			return r;
		if (!out[n])
			return (ssize_t)n;
	}
	out[size - 1] = '\0';
	return (ssize_t)size - 1;
}
