/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looks for traces of CPython in a file, the cheap ones first:
 *   section .PyRuntime (3.10+), exported _PyRuntime (3.7+) or older names: some ten small reads;
 *   .symtab, for interpreters linked in and not exported: its 24-byte entries alone are read;
 *   the cookie of _Py_DebugOffsets (3.13+) in the writable data, for what is stripped as well.
 * Not found: a stripped 3.12 or older whose names are hidden and whose section was renamed.
 */
#include "daemon/target/image_search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define COOKIE "xdebugpy"
#define COOKIE_SCAN_MAX (8ull << 20) /* _PyRuntime lies in the first MiB of python's own .data */
#define COOKIE_CHUNK (64 << 10)
#define TYPE_SIZE_MIN 400 /* sizeof(PyTypeObject): 3.6 */
#define TYPE_SIZE_MAX 440 /* 3.15t */

int image_symbol(const struct elf *elf, const struct image_traces *traces, const char *name,
		 int type, struct elf_symbol *ret_symbol)
{
	if (!elf_export(elf, name, ret_symbol))
		return 0;
	return traces->exported ? -ENOENT : elf_static(elf, name, type, ret_symbol);
}

static bool exports_python(const struct elf *elf)
{
	static const char *const names[] = {
	    "_PyThreadState_Current",  /* ≤ 3.6 */
	    "PyInterpreterState_Head", /* all, where _PyRuntime is hidden */
	};
	struct elf_symbol symbol;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!elf_export(elf, names[i], &symbol))
			return true;
	return false;
}

static uint64_t cookie_in(const struct elf *elf, uint64_t offset, uint64_t size, uint64_t vaddr)
{
	_cleanup_free_ char *chunk = malloc(COOKIE_CHUNK);

	for (uint64_t done = 0; chunk && done < size; done += COOKIE_CHUNK) {
		size_t n = MIN(size - done, COOKIE_CHUNK);

		if (elf_pread(elf, offset + done, chunk, n) < 0)
			return 0;
		for (size_t i = (-vaddr) % 8; i + 8 <= n; i += 8)
			if (!memcmp(chunk + i, COOKIE, 8))
				return vaddr + done + i;
	}
	return 0;
}

static uint64_t cookie_find(const struct elf *elf)
{
	const Elf64_Shdr *data = elf_section(elf, ".data");
	uint64_t left = COOKIE_SCAN_MAX, found = 0;

	if (data)
		return data->sh_type == SHT_NOBITS
			   ? 0
			   : cookie_in(elf, data->sh_offset, MIN(data->sh_size, left),
				       data->sh_addr);
	for (unsigned i = 0; i < elf->nsegments && left && !found; i++) {
		const Elf64_Phdr *p = &elf->segments[i];
		uint64_t size = MIN(p->p_filesz, left);

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		found = cookie_in(elf, p->p_offset, size, p->p_vaddr);
		left -= size;
	}
	return found;
}

static bool section_take(const struct elf *elf, struct image_traces *traces)
{
	const Elf64_Shdr *section = elf_section(elf, ".PyRuntime");

	if (!section || !section->sh_addr)
		return false;
	traces->runtime = section->sh_addr;
	traces->runtime_size = section->sh_size;
	return true;
}

static bool symbol_take(const struct elf_symbol *symbol, struct image_traces *traces)
{
	traces->runtime = symbol->value;
	traces->runtime_size = symbol->size;
	return true;
}

static bool static_search(const struct elf *elf, struct image_traces *traces)
{
	struct elf_symbol symbol;

	if (!elf_has_global(elf, "PyCode_Type", TYPE_SIZE_MIN, TYPE_SIZE_MAX))
		return false;
	if (!elf_static(elf, "_PyRuntime", STT_OBJECT, &symbol))
		symbol_take(&symbol, traces);
	return true;
}

bool image_search(const struct elf *elf, struct image_traces *ret_traces)
{
	struct image_traces traces = {0};
	struct elf_symbol symbol;
	bool found;

	traces.exported = exports_python(elf);
	found = section_take(elf, &traces);
	if (!found && !elf_export(elf, "_PyRuntime", &symbol))
		found = symbol_take(&symbol, &traces);
	found = found || traces.exported || static_search(elf, &traces);
	if (!found) {
		traces.runtime = cookie_find(elf);
		found = traces.runtime != 0;
	}
	if (found)
		*ret_traces = traces;
	return found;
}

uint64_t image_interp_head(const struct elf *elf, const struct image_traces *traces)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	static const uint8_t load[] = {0x48, 0x8b, 0x05}; /* mov disp(%rip),%rax */
	struct elf_symbol head;
	uint8_t code[12];
	size_t at = 0;
	int32_t distance;

	if (image_symbol(elf, traces, "PyInterpreterState_Head", STT_FUNC, &head) ||
	    elf_read(elf, head.value, code, sizeof(code)) < 0)
		return 0;
	if (!memcmp(code, endbr64, sizeof(endbr64)))
		at = sizeof(endbr64);
	/* 0xc3: ret. Otherwise the address itself was loaded, from a GOT. */
	if (memcmp(code + at, load, sizeof(load)) || code[at + 7] != 0xc3)
		return 0;
	memcpy(&distance, code + at + sizeof(load), sizeof(distance));
	return head.value + at + 7 + (uint64_t)(int64_t)distance;
}

uint32_t image_soname_version(const struct elf *elf)
{
	unsigned major, minor;
	char name[32] = "";

	if (!elf->soname || elf->soname >= elf->strings_size)
		return 0;
	if (elf_read(elf, elf->strings + elf->soname, name,
		     MIN(sizeof(name) - 1, elf->strings_size - elf->soname)) < 0)
		return 0;
	if (sscanf(name, "libpython%1u.%2u", &major, &minor) != 2)
		return 0;
	return major << 24 | minor << 16;
}
