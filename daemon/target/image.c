/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is there a CPython in this file, which one, and where are its parts: file → [image] →
 * struct python_image.
 *
 * Told by content. A thin `python3` that links a shared libpython only imports the names, and is
 * not meant. Nearly all files are something else: a few small reads must tell (image_search.c).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/image_gil.h"
#include "daemon/target/image_search.h"
#include "daemon/target/pylayout.h"
#include "daemon/target/python.h"
#include "daemon/target/pyversion.h"

#define MAJOR_MINOR(version) ((version) >> 16)
#define MICRO(version) (((version) >> 8) & 0xff)

struct reading {
	struct elf elf;
	struct image_traces traces;
	struct python_image *image;
};

static void unsupported(struct python_image *image, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void unsupported(struct python_image *image, const char *format, ...)
{
	va_list args;

	image->state = PY_UNSUPPORTED;
	va_start(args, format);
	vsnprintf(image->reason, sizeof(image->reason), format, args);
	va_end(args);
}

static void version_unsupported(struct python_image *image)
{
	unsigned level = image->version & 0xf0, minor = MAJOR_MINOR(image->version) & 0xff;
	char text[24];

	python_version_text(image->version, image->free_threaded, text);
	if (!image->version)
		unsupported(image, "its version cannot be told");
	else if (image->version >> 24 != 3 || minor < 6 || minor > 15)
		unsupported(image, "Python %s is not supported; 3.6 to 3.15 are", text);
	else if (level == 0xa0 || level == 0xb0)
		unsupported(image, "Python %s: alphas and betas are not supported", text);
	else
		unsupported(image, "Python %s without a readable table of debug offsets", text);
}

/* mm->start_code is the lowest executable segment's address, in the file's order or not. */
static void first_exec_find(const struct elf *elf, struct python_image *image)
{
	const Elf64_Phdr *first = NULL;

	for (unsigned i = 0; i < elf->nsegments; i++) {
		const Elf64_Phdr *p = &elf->segments[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X &&
		    (!first || p->p_vaddr < first->p_vaddr))
			first = p;
	}
	if (!first)
		return;
	image->first_exec_vaddr = first->p_vaddr;
	image->first_exec_offset = first->p_offset;
}

/* The segment of the eval loop: builds reordered after linking have several that are executable. */
static void text_find(struct reading *r)
{
	struct python_image *image = r->image;
	const Elf64_Phdr *text = NULL;
	struct elf_symbol eval;

	if (!image_symbol(&r->elf, &r->traces, "_PyEval_EvalFrameDefault", STT_FUNC, &eval))
		text = elf_segment(&r->elf, eval.value);
	if (!text || !(text->p_flags & PF_X))
		text = elf_segment(&r->elf, image->first_exec_vaddr);
	if (!text || text->p_memsz > UINT64_MAX - text->p_vaddr)
		return;
	image->vaddr.text_start = text->p_vaddr;
	image->vaddr.text_end = text->p_vaddr + text->p_memsz;
}

/* 3.13+: the interpreter's own table. -ENODATA: there is none. */
static int table_use(struct reading *r)
{
	struct python_image *image = r->image;
	uint8_t table[PYLAYOUT_DEBUG_SIZE];
	size_t size = sizeof(table);
	int result;

	if (!image->runtime)
		return -ENODATA;
	/* Nothing follows a shorter table only in a file that is cut. */
	if (elf_read(&r->elf, image->runtime, table, size) < 0)
		return -ENODATA;
	result = pylayout_read(table, size, &image->layout, &image->objects, &image->version,
			       &image->free_threaded);
	if (result == -EPROTONOSUPPORT)
		version_unsupported(image);
	else if (result < 0 && result != -ENODATA)
		unsupported(image, "its table of debug offsets is not plausible");
	return result;
}

static uint32_t version_hint(const struct reading *r)
{
	uint32_t soname = image_soname_version(&r->elf);

	return soname ? soname : pylayout_by_runtime_size(r->traces.runtime_size);
}

/* Py_Version is exported since 3.11. */
static uint32_t version_find(const struct reading *r)
{
	struct elf_symbol symbol;
	uint32_t version;

	if (!image_symbol(&r->elf, &r->traces, "Py_Version", STT_OBJECT, &symbol) &&
	    !elf_read(&r->elf, symbol.value, &version, sizeof(version)) && version >> 24 == 3)
		return version;
	return pyversion_find(&r->elf, version_hint(r));
}

/* Up to 3.12: measured numbers. 3.7's need the micro version, or the size of _PyRuntime. */
static void measured_use(struct reading *r)
{
	struct python_image *image = r->image;
	uint32_t version = version_find(r), row = version;

	image->version = version;
	if (MAJOR_MINOR(version) == 0x0307 && MICRO(version) == PYVERSION_MICRO_UNKNOWN) {
		row = pylayout_by_runtime_size(r->traces.runtime_size);
		if (MAJOR_MINOR(row) != 0x0307) {
			unsupported(image, "3.7 of an unknown micro version");
			return;
		}
	}
	if (pylayout_find(row, &image->layout, &image->objects) < 0)
		version_unsupported(image);
	else
		image->layout.version = version;
}

static void addresses_find(struct reading *r)
{
	struct python_image *image = r->image;
	const struct py_layout *l = &image->layout;
	struct py_addresses *at = &image->vaddr;
	struct elf_symbol symbol;

	if (!image_symbol(&r->elf, &r->traces, "PyCode_Type", STT_OBJECT, &symbol))
		at->code_type = symbol.value;
	/* 3.6 keeps its variables one by one. Its thread key has no flag before it that tells
	 * whether it was made, unlike Py_tss_t later: threads are found through the list there. */
	if (!l->rt_interpreters_head) {
		at->interp_head = image_interp_head(&r->elf, &r->traces);
	} else if (image->runtime) {
		at->interp_head = image->runtime + l->rt_interpreters_head;
	} else {
		at->interp_head = image_interp_head(&r->elf, &r->traces);
		if (at->interp_head)
			image->runtime = at->interp_head - l->rt_interpreters_head;
	}
	if (!at->interp_head)
		unsupported(image, "its list of interpreters cannot be found");
	if (image->runtime && l->rt_tss_key)
		at->tss_key = image->runtime + l->rt_tss_key;
	if (image->runtime && l->rt_gil)
		at->gil = image->runtime + l->rt_gil;
	if (!l->rt_interpreters_head)
		image_gil(&r->elf, &r->traces, image);
}

static void image_read(struct reading *r)
{
	struct python_image *image = r->image;
	struct elf_symbol symbol;

	image->state = PY_SUPPORTED;
	image->position_independent = r->elf.dynamic;
	image->runtime = r->traces.runtime;
	first_exec_find(&r->elf, image);
	text_find(r);
	if (table_use(r) == -ENODATA)
		measured_use(r);
	/* Only Py_REF_DEBUG, a part of Py_DEBUG, has it. */
	if (image->state == PY_SUPPORTED &&
	    !image_symbol(&r->elf, &r->traces, "_Py_NegativeRefcount", STT_FUNC, &symbol))
		unsupported(image, "a debug build: its structs are laid out otherwise");
	if (image->state == PY_SUPPORTED)
		addresses_find(r);
}

int python_image_read(int fd, struct python_image *ret_image)
{
	struct python_image image = {.state = PY_NOT_PYTHON};
	struct reading r = {.image = &image};
	int result = elf_open(fd, &r.elf);

	if (result < 0)
		return result;
	if (image_search(&r.elf, &r.traces))
		image_read(&r);
	elf_done(&r.elf);
	*ret_image = image;
	return 0;
}

void python_version_text(uint32_t version, bool free_threaded, char out[24])
{
	static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc"};
	const char *level = levels[version >> 4 & 0xf];
	char micro[8] = "?", serial[8] = "";

	if (!version) {
		snprintf(out, 24, "?");
		return;
	}
	if (MICRO(version) != PYVERSION_MICRO_UNKNOWN)
		snprintf(micro, sizeof(micro), "%u", MICRO(version));
	if (level)
		snprintf(serial, sizeof(serial), "%s%u", level, version & 0xf);
	snprintf(out, 24, "%u.%u.%s%s%s", version >> 24, version >> 16 & 0xff, micro, serial,
		 free_threaded ? "t" : "");
}
