/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looks for the two strings in the read-only part of a file, a chunk at a time. */
#include "daemon/target/pyversion.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/cleanup.h"

#define CHUNK (256 << 10)
#define OVERLAP 32               /* longer than either string */
#define SEARCH_MAX (32ull << 20) /* bytes of one file */
#define TEXT_MAX 15              /* "3.15.10rc2+" and some */
#define FOUND_MAX 32

#define MAJOR_MINOR(version) ((version) >> 16)

struct search {
	uint32_t folder[FOUND_MAX]; /* major, minor of "python3.9" */
	uint32_t full[FOUND_MAX];
	unsigned nfolder, nfull;
};

/* A decimal number of at most three digits; advances the text. */
static int number_take(const char **text)
{
	int n = 0, digits = 0;

	while (**text >= '0' && **text <= '9' && digits < 3) {
		n = 10 * n + *(*text)++ - '0';
		digits++;
	}
	return digits ? n : -1;
}

/* The lowest byte of PY_VERSION_HEX: release level and serial. */
static int level_take(const char **text)
{
	static const struct {
		const char *text;
		int level;
	} levels[] = {{"a", 0xa0}, {"b", 0xb0}, {"rc", 0xc0}};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		size_t size = strlen(levels[i].text);
		int serial;

		if (strncmp(*text, levels[i].text, size) != 0)
			continue;
		*text += size;
		serial = number_take(text);
		return serial < 0 || serial > 15 ? -1 : levels[i].level | serial;
	}
	return 0xf0;
}

uint32_t pyversion_parse(const char *text)
{
	int major = number_take(&text), minor, micro, level;

	if ((major != 2 && major != 3) || *text++ != '.')
		return 0;
	minor = number_take(&text);
	if (minor < 0 || minor > 99 || *text++ != '.')
		return 0;
	micro = number_take(&text);
	if (micro < 0 || micro > 99)
		return 0;
	level = level_take(&text);
	if (*text == '+')
		text++;
	if (level < 0 || *text)
		return 0;
	return (uint32_t)major << 24 | (uint32_t)minor << 16 | (uint32_t)micro << 8 |
	       (uint32_t)level;
}

/* "python3.9" → 0x03090000: as a whole string, or the end of one. */
static uint32_t folder_parse(const char *text)
{
	int major, minor;

	if (strncmp(text, "python", 6) != 0)
		return 0;
	text += 6;
	major = number_take(&text);
	if ((major != 2 && major != 3) || *text++ != '.')
		return 0;
	minor = number_take(&text);
	if (minor < 0 || *text)
		return 0;
	return (uint32_t)major << 24 | (uint32_t)minor << 16;
}

static void found_add(uint32_t *found, unsigned *n, uint32_t version)
{
	for (unsigned i = 0; i < *n; i++)
		if (found[i] == version)
			return;
	if (version && *n < FOUND_MAX)
		found[(*n)++] = version;
}

static bool ends_word(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* `end`: of a string, at its NUL. Linkers merge strings into the tails of longer ones, so both are
 * looked for at the end. */
static void string_check(struct search *s, const char *from, const char *end)
{
	const char *tail = end;

	while (tail > from && end - tail < TEXT_MAX && tail[-1] > ' ' && tail[-1] != '/')
		tail--;
	if (end - tail >= 9)
		found_add(s->folder, &s->nfolder, folder_parse(tail));
	while (tail < end && !ends_word(*tail))
		tail++;
	if (tail < end)
		found_add(s->full, &s->nfull, pyversion_parse(tail));
}

static void chunk_search(struct search *s, const char *data, size_t size)
{
	const char *at = data, *end = data + size, *nul;

	while (at < end && (nul = memchr(at, '\0', (size_t)(end - at)))) {
		if (nul - at >= 5)
			string_check(s, at, nul);
		at = nul + 1;
	}
}

static void range_search(struct search *s, const struct elf *elf, uint64_t offset, uint64_t size)
{
	_cleanup_free_ char *chunk = malloc(CHUNK);

	for (uint64_t done = 0; chunk && done < size; done += CHUNK - OVERLAP) {
		size_t n = MIN(size - done, CHUNK);

		if (elf_pread(elf, offset + done, chunk, n) < 0)
			return;
		chunk_search(s, chunk, n);
		if (n < CHUNK)
			return;
	}
}

/* .rodata; of a file without sections, the segments that are not written to. */
static void file_search(struct search *s, const struct elf *elf)
{
	const Elf64_Shdr *rodata = elf_section(elf, ".rodata");
	uint64_t left = SEARCH_MAX;

	if (rodata) {
		range_search(s, elf, rodata->sh_offset, MIN(rodata->sh_size, SEARCH_MAX));
		return;
	}
	for (unsigned i = 0; i < elf->nsegments; i++) {
		const Elf64_Phdr *p = &elf->segments[i];
		uint64_t size = MIN(p->p_filesz, left);

		if (p->p_type != PT_LOAD || p->p_flags & PF_W)
			continue;
		range_search(s, elf, p->p_offset, size);
		left -= size;
	}
}

/* The one minor version of the folders, or the hint's when several stand there. */
static uint32_t minor_choose(const struct search *s, uint32_t hint)
{
	if (s->nfolder == 1)
		return s->folder[0];
	for (unsigned i = 0; i < s->nfolder; i++)
		if (hint && MAJOR_MINOR(s->folder[i]) == MAJOR_MINOR(hint))
			return s->folder[i];
	return s->nfolder ? 0 : hint & 0xffff0000;
}

uint32_t pyversion_find(const struct elf *elf, uint32_t hint)
{
	struct search s = {0};
	uint32_t minor, version = 0;

	file_search(&s, elf);
	minor = minor_choose(&s, hint);
	if (!minor)
		return 0;
	for (unsigned i = 0; i < s.nfull; i++) {
		if (MAJOR_MINOR(s.full[i]) != MAJOR_MINOR(minor))
			continue;
		if (version)
			return minor | PYVERSION_MICRO_UNKNOWN << 8;
		version = s.full[i];
	}
	return version ? version : minor | PYVERSION_MICRO_UNKNOWN << 8;
}
