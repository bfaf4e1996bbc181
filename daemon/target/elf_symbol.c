/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Symbols of an ELF file. Exported ones through the hash table that the dynamic loader uses: a few
 * small reads tell that a file of any size lacks a name. Unexported ones by reading .symtab
 * through.
 */
#include "daemon/target/elf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define NAME_MAX_BYTES 64     /* of the names we ask for */
#define CHAIN_MAX 4096        /* symbols of one hash bucket */
#define STATIC_MAX (1u << 20) /* symbols of .symtab that are looked at */
#define STATIC_CHUNK 4096
#define STRINGS_MAX (32ull << 20) /* bytes of .symtab's names that are searched */
#define STRINGS_CHUNK (256u << 10)
#define NAME_TRIES_MAX 4096 /* names read of symbols whose size fits */
#define NAMES_MAX 16        /* places where a name, or its tail, stands */

static int symbol_take(const Elf64_Sym *sym, struct elf_symbol *ret_symbol)
{
	if (sym->st_shndx == SHN_UNDEF || !sym->st_value)
		return -ENOENT; /* an import, of a thin executable say */
	ret_symbol->value = sym->st_value;
	ret_symbol->size = sym->st_size;
	ret_symbol->type = ELF64_ST_TYPE(sym->st_info);
	return 0;
}

/* Reads as the table's entry `index`, when it has that name. */
static int export_check(const struct elf *elf, uint32_t index, const char *name, Elf64_Sym *ret_sym)
{
	char found[NAME_MAX_BYTES];
	size_t size = strlen(name) + 1;
	Elf64_Sym sym;

	if (size > sizeof(found) ||
	    elf_read(elf, elf->symbols + index * sizeof(sym), &sym, sizeof(sym)) < 0)
		return -ENOENT;
	if (elf->strings_size < size || sym.st_name > elf->strings_size - size)
		return -ENOENT;
	if (elf_read(elf, elf->strings + sym.st_name, found, size) < 0 || memcmp(found, name, size))
		return -ENOENT;
	*ret_sym = sym;
	return 0;
}

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

/* Layout of DT_GNU_HASH: this header, bloom words, buckets, one word per symbol. */
struct gnu_hash {
	uint32_t nbuckets, first, nbloom, shift;
};

static bool gnu_may_hold(const struct elf *elf, const struct gnu_hash *table, uint32_t hash)
{
	uint64_t word, at = hash / 64 % table->nbloom;

	if (elf_read(elf, elf->gnu_hash + sizeof(*table) + at * 8, &word, sizeof(word)) < 0)
		return false;
	return word >> hash % 64 & word >> (hash >> table->shift % 32) % 64 & 1;
}

static int gnu_chain(const struct elf *elf, uint64_t chain, uint32_t index, uint32_t hash,
		     const char *name, Elf64_Sym *ret_sym)
{
	uint32_t word;

	for (unsigned i = 0; i < CHAIN_MAX; i++, index++) {
		if (elf_read(elf, chain + (uint64_t)index * 4, &word, sizeof(word)) < 0)
			return -ENOENT;
		if ((word | 1) == (hash | 1) && !export_check(elf, index, name, ret_sym))
			return 0;
		if (word & 1)
			break;
	}
	return -ENOENT;
}

static int gnu_find(const struct elf *elf, const char *name, Elf64_Sym *ret_sym)
{
	uint32_t hash = gnu_hash_of(name), index;
	struct gnu_hash table;
	uint64_t buckets;

	if (elf_read(elf, elf->gnu_hash, &table, sizeof(table)) < 0)
		return -ENOENT;
	if (!table.nbuckets || !table.nbloom || !gnu_may_hold(elf, &table, hash))
		return -ENOENT;
	buckets = elf->gnu_hash + sizeof(table) + (uint64_t)table.nbloom * 8;
	if (elf_read(elf, buckets + hash % table.nbuckets * 4ull, &index, sizeof(index)) < 0 ||
	    index < table.first)
		return -ENOENT;
	return gnu_chain(elf, buckets + (uint64_t)table.nbuckets * 4 - (uint64_t)table.first * 4,
			 index, hash, name, ret_sym);
}

static uint32_t sysv_hash_of(const char *name)
{
	uint32_t hash = 0, high;

	for (; *name; name++) {
		hash = (hash << 4) + (uint8_t)*name;
		high = hash & 0xf0000000;
		hash = (hash ^ high >> 24) & ~high;
	}
	return hash;
}

/* Layout of DT_HASH: nbucket, nchain, buckets, chains. */
static int sysv_find(const struct elf *elf, const char *name, Elf64_Sym *ret_sym)
{
	uint32_t head[2], index;
	uint64_t buckets = elf->sysv_hash + sizeof(head), chains;

	if (elf_read(elf, elf->sysv_hash, head, sizeof(head)) < 0 || !head[0])
		return -ENOENT;
	chains = buckets + head[0] * 4ull;
	if (elf_read(elf, buckets + sysv_hash_of(name) % head[0] * 4ull, &index, 4) < 0)
		return -ENOENT;
	for (unsigned i = 0; index && i < CHAIN_MAX; i++) {
		if (!export_check(elf, index, name, ret_sym))
			return 0;
		if (elf_read(elf, chains + index * 4ull, &index, sizeof(index)) < 0)
			break;
	}
	return -ENOENT;
}

int elf_export(const struct elf *elf, const char *name, struct elf_symbol *ret_symbol)
{
	Elf64_Sym sym;
	int r = -ENOENT;

	if (!elf->symbols || !elf->strings)
		return -ENOENT;
	if (elf->gnu_hash)
		r = gnu_find(elf, name, &sym);
	else if (elf->sysv_hash)
		r = sysv_find(elf, name, &sym);
	return r < 0 ? r : symbol_take(&sym, ret_symbol);
}

/* .symtab and its names. */
struct statics {
	const struct elf *elf;
	const Elf64_Shdr *table, *strings;
	uint64_t count;
	Elf64_Sym *chunk; /* of STATIC_CHUNK */
};

static int statics_open(const struct elf *elf, struct statics *ret_statics)
{
	struct statics s = {.elf = elf, .table = elf_section(elf, ".symtab")};

	if (!s.table || s.table->sh_type != SHT_SYMTAB || s.table->sh_link >= elf->nsections)
		return -ENOENT;
	s.strings = &elf->sections[s.table->sh_link];
	if (s.strings->sh_offset > elf->size)
		return -ENOENT;
	s.count = MIN(s.table->sh_size / sizeof(Elf64_Sym), STATIC_MAX);
	s.chunk = malloc(STATIC_CHUNK * sizeof(Elf64_Sym));
	if (!s.chunk)
		return -ENOMEM;
	*ret_statics = s;
	return 0;
}

/* Symbols from index `at` on into the chunk; how many, 0 at the end. */
static size_t statics_read(struct statics *s, uint64_t at)
{
	size_t n = at < s->count ? MIN(s->count - at, STATIC_CHUNK) : 0;

	if (s->table->sh_offset > s->elf->size ||
	    elf_pread(s->elf, s->table->sh_offset + at * sizeof(Elf64_Sym), s->chunk,
		      n * sizeof(Elf64_Sym)) < 0)
		return 0;
	return n;
}

static bool static_named(const struct statics *s, const Elf64_Sym *sym, const char *name)
{
	char found[NAME_MAX_BYTES];
	size_t size = strlen(name) + 1;

	if (size > sizeof(found) || s->strings->sh_size < size ||
	    sym->st_name > s->strings->sh_size - size)
		return false;
	return !elf_pread(s->elf, s->strings->sh_offset + sym->st_name, found, size) &&
	       !memcmp(found, name, size);
}

/* Where the name stands among the strings: its own, or tails of longer names that hold it. */
static size_t names_find(const struct statics *s, const char *name, uint64_t ret_at[NAMES_MAX])
{
	uint64_t left = MIN(s->strings->sh_size, STRINGS_MAX), size = strlen(name) + 1;
	_cleanup_free_ char *chunk = malloc(STRINGS_CHUNK);
	size_t n = 0;

	for (uint64_t done = 0; chunk && done + size <= left; done += STRINGS_CHUNK - size + 1) {
		size_t bytes = MIN(left - done, STRINGS_CHUNK);
		char *at = chunk;

		if (elf_pread(s->elf, s->strings->sh_offset + done, chunk, bytes) < 0)
			break;
		while ((at = memmem(at, bytes - (size_t)(at - chunk), name, size))) {
			if (n == NAMES_MAX)
				return n;
			ret_at[n++] = done + (uint64_t)(at++ - chunk);
		}
	}
	return n;
}

static bool is_one_of(uint32_t name, const uint64_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] == name)
			return true;
	return false;
}

int elf_static(const struct elf *elf, const char *name, int type, struct elf_symbol *ret_symbol)
{
	uint64_t names[NAMES_MAX];
	struct statics s;
	size_t n, nnames;
	int r = statics_open(elf, &s);

	if (r < 0)
		return -ENOENT;
	r = -ENOENT;
	nnames = names_find(&s, name, names);
	for (uint64_t at = 0; nnames && r < 0 && (n = statics_read(&s, at)); at += n)
		for (size_t i = 0; i < n && r < 0; i++)
			if (ELF64_ST_TYPE(s.chunk[i].st_info) == type &&
			    is_one_of(s.chunk[i].st_name, names, nnames))
				r = symbol_take(&s.chunk[i], ret_symbol);
	free(s.chunk);
	return r;
}

bool elf_has_global(const struct elf *elf, const char *name, uint64_t from, uint64_t to)
{
	unsigned tries = NAME_TRIES_MAX;
	bool found = false;
	struct statics s;
	size_t n;

	if (statics_open(elf, &s) < 0)
		return false;
	/* sh_info: the first that is not local (System V ABI, symbol table). */
	for (uint64_t at = s.table->sh_info; !found && (n = statics_read(&s, at)); at += n)
		for (size_t i = 0; i < n && !found && tries; i++) {
			const Elf64_Sym *sym = &s.chunk[i];

			if (sym->st_info != ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT) ||
			    sym->st_shndx == SHN_UNDEF || sym->st_size < from || sym->st_size > to)
				continue;
			found = static_named(&s, sym, name);
			tries--;
		}
	free(s.chunk);
	return found;
}
