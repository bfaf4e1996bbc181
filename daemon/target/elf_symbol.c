/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Symbols of an ELF file. Exported ones through the hash table that the dynamic loader uses: a few
 * small reads tell that a file of any size lacks a name. Unexported ones by reading .symtab
 * through.
 */
#include "daemon/target/elf.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define NAME_MAX_BYTES 64     /* of the names we ask for */
#define CHAIN_MAX 4096        /* symbols of one hash bucket */
#define STATIC_MAX (1u << 20) /* symbols of .symtab that are looked at */
#define STATIC_CHUNK 1024

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

static int chunk_each(const struct elf *elf, const Elf64_Sym *syms, size_t n, int type,
		      elf_symbol_fn fn, void *data)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		if (ELF64_ST_TYPE(syms[i].st_info) != type || syms[i].st_shndx == SHN_UNDEF ||
		    !syms[i].st_value)
			continue;
		r = fn(data, elf, &syms[i]);
		if (r)
			return r;
	}
	return 0;
}

int elf_each_static(const struct elf *elf, int type, elf_symbol_fn fn, void *data)
{
	const Elf64_Shdr *table = elf_section(elf, ".symtab");
	Elf64_Sym syms[STATIC_CHUNK];
	uint64_t count;

	if (!table || table->sh_type != SHT_SYMTAB || table->sh_link >= elf->nsections)
		return 0;
	count = MIN(table->sh_size / sizeof(syms[0]), STATIC_MAX);
	for (uint64_t done = 0; done < count; done += STATIC_CHUNK) {
		size_t n = MIN(count - done, STATIC_CHUNK);
		int r;

		if (elf_pread(elf, table->sh_offset + done * sizeof(syms[0]), syms,
			      n * sizeof(syms[0])) < 0)
			return 0;
		r = chunk_each(elf, syms, n, type, fn, data);
		if (r)
			return r;
	}
	return 0;
}

bool elf_is_named(const struct elf *elf, const Elf64_Sym *symbol, const char *name)
{
	const Elf64_Shdr *table = elf_section(elf, ".symtab"), *strings;
	char found[NAME_MAX_BYTES];
	size_t size = strlen(name) + 1;

	if (!table || table->sh_link >= elf->nsections || size > sizeof(found))
		return false;
	strings = &elf->sections[table->sh_link];
	if (strings->sh_size < size || symbol->st_name > strings->sh_size - size ||
	    strings->sh_offset > elf->size)
		return false;
	return !elf_pread(elf, strings->sh_offset + symbol->st_name, found, size) &&
	       !memcmp(found, name, size);
}
