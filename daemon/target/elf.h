/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads parts of an ELF64 x86-64 file by pread: file → [elf] → headers, sections, symbols, bytes at
 * a linked address. The file is hostile: each offset and count is checked and bounded, nothing is
 * mapped (a file that shrinks would kill us by SIGBUS), nothing is loaded whole.
 */
#ifndef PYPROF_DAEMON_TARGET_ELF_H
#define PYPROF_DAEMON_TARGET_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 64
#define ELF_SECTIONS_MAX 4096

struct elf {
	int fd; /* the caller's */
	uint64_t size;
	bool dynamic; /* ET_DYN */
	unsigned nsegments, nsections;
	Elf64_Phdr segments[ELF_SEGMENTS_MAX];
	Elf64_Shdr *sections; /* NULL when stripped of them */
	char *names;          /* of sections, NUL-terminated */
	size_t names_size;
	/* Of PT_DYNAMIC; addresses as linked, 0 = absent. */
	uint64_t gnu_hash, sysv_hash, symbols, strings, strings_size, soname;
};

struct elf_symbol {
	uint64_t value, size;
	uint8_t type; /* STT_* */
};

/* 0; -ENOEXEC: not such a file; -errno of reading. Sections or a dynamic part that are damaged
 * count as absent. */
int elf_open(int fd, struct elf *ret_elf);
void elf_done(struct elf *elf);

/* Exactly size bytes at a linked address, of what the file holds; 0 or -EFAULT, -errno. */
int elf_read(const struct elf *elf, uint64_t vaddr, void *buffer, size_t size);
/* The PT_LOAD that holds the address, NULL when none. */
const Elf64_Phdr *elf_segment(const struct elf *elf, uint64_t vaddr);
const Elf64_Shdr *elf_section(const struct elf *elf, const char *name);

/* A symbol that the file defines and exports, by hash. 0 or -ENOENT. */
int elf_export(const struct elf *elf, const char *name, struct elf_symbol *ret_symbol);

/* A symbol of .symtab that the file defines, exported or not. Reads the table through, some
 * milliseconds for a large one. 0 or -ENOENT. */
int elf_static(const struct elf *elf, const char *name, int type, struct elf_symbol *ret_symbol);
/* .symtab has a global variable of that name, and of a size from..to: only names of those are read,
 * so that it is quick to say no. */
bool elf_has_global(const struct elf *elf, const char *name, uint64_t from, uint64_t to);

/* Exact pread: 0, or -EFAULT when the file ends before. */
int elf_pread(const struct elf *elf, uint64_t offset, void *buffer, size_t size);

#endif
