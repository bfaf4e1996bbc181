/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes small ELF files in memory with what a CPython shows: strings, section, .symtab. One code
 * segment (file 0x1000), one read-only (0x2000), one writable (0x3000); vaddr = offset + FAKE_BASE.
 */
#ifndef PYPROF_TESTS_UNIT_FAKE_ELF_H
#define PYPROF_TESTS_UNIT_FAKE_ELF_H

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FAKE_BASE 0x400000ull
#define FAKE_TEXT 0x1000
#define FAKE_RODATA 0x2000
#define FAKE_DATA 0x3000
#define FAKE_TABLES 0x5000 /* symbols, strings, section names, section headers */
#define FAKE_SIZE 0x7000
#define FAKE_SYMBOLS_MAX 16

struct fake_elf {
	uint8_t bytes[FAKE_SIZE];
	Elf64_Sym symbols[FAKE_SYMBOLS_MAX];
	char names[512];
	size_t nsymbols, names_size, rodata_size;
	bool runtime_section, no_sections;
};

static inline void fake_init(struct fake_elf *f)
{
	memset(f, 0, sizeof(*f));
	f->nsymbols = 1;
	f->names_size = 1;
}

static inline void fake_symbol(struct fake_elf *f, const char *name, int type, uint64_t offset,
			       uint64_t size)
{
	Elf64_Sym *s = &f->symbols[f->nsymbols++];

	s->st_name = (uint32_t)f->names_size;
	s->st_info = ELF64_ST_INFO(STB_GLOBAL, type);
	s->st_shndx = offset ? 1 : SHN_UNDEF;
	s->st_value = offset ? FAKE_BASE + offset : 0;
	s->st_size = size;
	strcpy(f->names + f->names_size, name);
	f->names_size += strlen(name) + 1;
}

static inline void fake_string(struct fake_elf *f, const char *text)
{
	strcpy((char *)f->bytes + FAKE_RODATA + f->rodata_size, text);
	f->rodata_size += strlen(text) + 1;
}

static inline void fake_segment(Elf64_Phdr *p, uint32_t flags, uint64_t offset, uint64_t size)
{
	*p = (Elf64_Phdr){.p_type = PT_LOAD,
			  .p_flags = flags,
			  .p_offset = offset,
			  .p_vaddr = FAKE_BASE + offset,
			  .p_filesz = size,
			  .p_memsz = size,
			  .p_align = 0x1000};
}

static inline void fake_section(Elf64_Shdr *s, uint32_t name, uint32_t type, uint64_t offset,
				uint64_t size)
{
	*s = (Elf64_Shdr){.sh_name = name,
			  .sh_type = type,
			  .sh_addr = offset < FAKE_TABLES ? FAKE_BASE + offset : 0,
			  .sh_offset = offset,
			  .sh_size = size};
}

static inline void fake_sections(struct fake_elf *f, Elf64_Ehdr *h)
{
	static const char names[] = "\0.rodata\0.data\0.PyRuntime\0.symtab\0.strtab";
	Elf64_Shdr *s = (Elf64_Shdr *)(f->bytes + FAKE_TABLES + 0x1800);

	h->e_shoff = FAKE_TABLES + 0x1800;
	h->e_shentsize = sizeof(*s);
	h->e_shnum = 7;
	h->e_shstrndx = 6;
	memcpy(f->bytes + FAKE_TABLES, f->symbols, sizeof(f->symbols));
	memcpy(f->bytes + FAKE_TABLES + 0x800, f->names, sizeof(f->names));
	memcpy(f->bytes + FAKE_TABLES + 0x1000, names, sizeof(names));
	fake_section(&s[1], 1, SHT_PROGBITS, FAKE_RODATA, 0x1000);
	fake_section(&s[2], 9, SHT_PROGBITS, FAKE_DATA, 0x1000);
	fake_section(&s[3], f->runtime_section ? 15 : 9, SHT_PROGBITS, FAKE_DATA, 0x1000);
	fake_section(&s[4], 26, SHT_SYMTAB, FAKE_TABLES, f->nsymbols * sizeof(Elf64_Sym));
	s[4].sh_link = 5;
	s[4].sh_info = 1;
	fake_section(&s[5], 34, SHT_STRTAB, FAKE_TABLES + 0x800, f->names_size);
	fake_section(&s[6], 0, SHT_STRTAB, FAKE_TABLES + 0x1000, sizeof(names));
}

/* A file descriptor of the finished file. */
static inline int fake_open(struct fake_elf *f)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)f->bytes;
	Elf64_Phdr *p = (Elf64_Phdr *)(f->bytes + sizeof(*h));
	int fd = memfd_create("fake", MFD_CLOEXEC);

	*h = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			  .e_type = ET_EXEC,
			  .e_machine = EM_X86_64,
			  .e_phoff = sizeof(*h),
			  .e_phentsize = sizeof(*p),
			  .e_phnum = 3};
	fake_segment(&p[0], PF_R | PF_X, FAKE_TEXT, 0x1000);
	fake_segment(&p[1], PF_R, FAKE_RODATA, 0x1000);
	fake_segment(&p[2], PF_R | PF_W, FAKE_DATA, 0x2000);
	if (!f->no_sections)
		fake_sections(f, h);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->bytes, sizeof(f->bytes)), sizeof(f->bytes));
	return fd;
}

#endif
