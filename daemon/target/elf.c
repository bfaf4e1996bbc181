/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Headers, sections and bytes of an ELF file; its symbols are elf_symbol.c's. */
#include "daemon/target/elf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

#define NAMES_MAX (256 << 10) /* bytes of section names; the longest seen are under 4 KiB */
#define DYNAMIC_MAX 512       /* entries of PT_DYNAMIC */

int elf_pread(const struct elf *elf, uint64_t offset, void *buffer, size_t size)
{
	char *to = buffer;

	if (offset > elf->size || size > elf->size - offset)
		return -EFAULT;
	while (size) {
		ssize_t n = pread(elf->fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EFAULT;
		to += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static bool header_fits(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == EM_X86_64 &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum && h->e_phnum <= ELF_SEGMENTS_MAX;
}

static int segments_load(struct elf *elf, const Elf64_Ehdr *h)
{
	elf->nsegments = h->e_phnum;
	return elf_pread(elf, h->e_phoff, elf->segments, h->e_phnum * sizeof(Elf64_Phdr));
}

static int names_load(struct elf *elf, const Elf64_Shdr *names)
{
	if (names->sh_type != SHT_STRTAB || names->sh_size > NAMES_MAX)
		return -EFAULT;
	elf->names = malloc(names->sh_size + 1);
	if (!elf->names)
		return -ENOMEM;
	elf->names_size = names->sh_size;
	elf->names[names->sh_size] = '\0';
	return elf_pread(elf, names->sh_offset, elf->names, names->sh_size);
}

static int sections_load(struct elf *elf, const Elf64_Ehdr *h)
{
	int r;

	if (!h->e_shoff || h->e_shentsize != sizeof(Elf64_Shdr) || !h->e_shnum ||
	    h->e_shnum > ELF_SECTIONS_MAX || h->e_shstrndx >= h->e_shnum)
		return -EFAULT;
	elf->sections = calloc(h->e_shnum, sizeof(*elf->sections));
	if (!elf->sections)
		return -ENOMEM;
	r = elf_pread(elf, h->e_shoff, elf->sections, h->e_shnum * sizeof(*elf->sections));
	if (!r)
		r = names_load(elf, &elf->sections[h->e_shstrndx]);
	if (!r)
		elf->nsections = h->e_shnum;
	return r;
}

static void dynamic_take(struct elf *elf, const Elf64_Dyn *d)
{
	uint64_t *const takes[] = {
	    [DT_HASH] = &elf->sysv_hash, [DT_STRTAB] = &elf->strings,
	    [DT_SYMTAB] = &elf->symbols, [DT_STRSZ] = &elf->strings_size,
	    [DT_SONAME] = &elf->soname,
	};

	if (d->d_tag == DT_GNU_HASH)
		elf->gnu_hash = d->d_un.d_val;
	else if (d->d_tag >= 0 && (size_t)d->d_tag < ARRAY_SIZE(takes) && takes[d->d_tag])
		*takes[d->d_tag] = d->d_un.d_val;
}

static void dynamic_load(struct elf *elf, const Elf64_Phdr *p)
{
	Elf64_Dyn entries[64];
	uint64_t count = MIN(p->p_filesz / sizeof(entries[0]), DYNAMIC_MAX);

	for (uint64_t done = 0; done < count; done += ARRAY_SIZE(entries)) {
		size_t n = MIN(count - done, ARRAY_SIZE(entries));

		if (elf_pread(elf, p->p_offset + done * sizeof(entries[0]), entries,
			      n * sizeof(entries[0])))
			return;
		for (size_t i = 0; i < n; i++) {
			if (entries[i].d_tag == DT_NULL)
				return;
			dynamic_take(elf, &entries[i]);
		}
	}
}

int elf_open(int fd, struct elf *ret_elf)
{
	struct elf elf = {.fd = fd};
	struct stat st;
	Elf64_Ehdr h;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(h))
		return -ENOEXEC;
	elf.size = (uint64_t)st.st_size;
	r = elf_pread(&elf, 0, &h, sizeof(h));
	if (r < 0)
		return r;
	if (!header_fits(&h) || segments_load(&elf, &h) < 0)
		return -ENOEXEC;
	elf.dynamic = h.e_type == ET_DYN;
	sections_load(&elf, &h);
	for (unsigned i = 0; i < elf.nsegments; i++)
		if (elf.segments[i].p_type == PT_DYNAMIC)
			dynamic_load(&elf, &elf.segments[i]);
	*ret_elf = elf;
	return 0;
}

void elf_done(struct elf *elf)
{
	if (!elf)
		return;
	free(elf->sections);
	free(elf->names);
	elf->sections = NULL;
	elf->names = NULL;
}

const Elf64_Phdr *elf_segment(const struct elf *elf, uint64_t vaddr)
{
	for (unsigned i = 0; i < elf->nsegments; i++) {
		const Elf64_Phdr *p = &elf->segments[i];

		if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr && vaddr - p->p_vaddr < p->p_memsz)
			return p;
	}
	return NULL;
}

int elf_read(const struct elf *elf, uint64_t vaddr, void *buffer, size_t size)
{
	const Elf64_Phdr *p = elf_segment(elf, vaddr);
	uint64_t at;

	if (!p)
		return -EFAULT;
	at = vaddr - p->p_vaddr;
	if (at > p->p_filesz || size > p->p_filesz - at || p->p_offset > UINT64_MAX - at)
		return -EFAULT;
	return elf_pread(elf, p->p_offset + at, buffer, size);
}

const Elf64_Shdr *elf_section(const struct elf *elf, const char *name)
{
	for (unsigned i = 0; i < elf->nsections; i++) {
		const Elf64_Shdr *s = &elf->sections[i];

		if (s->sh_name < elf->names_size && !strcmp(elf->names + s->sh_name, name))
			return s;
	}
	return NULL;
}
