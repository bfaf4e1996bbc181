/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the interpreter of a live process: its executable mappings → the file behind each →
 * verdict, cached (python_cache.c) → addresses. The first interpreter that runs is taken: a Python
 * process may have loaded a second libpython that stays unused.
 */
#include "daemon/target/python.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/worker.h"
#include "daemon/target/maps.h"
#include "daemon/target/python_cache.h"

#define PROC_PATH_MAX (64 + MAPS_LINE_MAX)

struct finding {
	pid_t pid;
	struct maps maps;
	char executable[MAPS_LINE_MAX]; /* as maps names it; "": not known */
	dev_t last_device; /* of the file looked at before: its mappings stand side by side */
	uint64_t last_inode;
	bool denied; /* a file could not be opened for lack of rights */
	bool silent; /* a file was left alone: its file system does not answer */
	bool found;  /* best is set */
	struct python best;
};

static uint64_t page_down(uint64_t address)
{
	return address & ~4095ull;
}

void python_place(struct python *python, uint64_t first_exec_address)
{
	const struct py_addresses *from = &python->image.vaddr;
	struct py_addresses *to = &python->at;
	uint64_t bias = first_exec_address - python->image.first_exec_vaddr;

	python->bias = bias;
	python->runtime = python->image.runtime ? python->image.runtime + bias : 0;
	to->interp_head = from->interp_head ? from->interp_head + bias : 0;
	to->tss_key = from->tss_key ? from->tss_key + bias : 0;
	to->code_type = from->code_type ? from->code_type + bias : 0;
	to->gil = from->gil ? from->gil + bias : 0;
	to->text_start = from->text_end ? from->text_start + bias : 0;
	to->text_end = from->text_end ? from->text_end + bias : 0;
}

/* By name: both are the kernel's words, and to ask the file itself may take for ever. */
static bool region_is_executable(const struct finding *f, const struct maps_region *region)
{
	return f->executable[0] && !strcmp(f->executable, region->path);
}

/*
 * Without the right to follow map_files: by name. The name may lead elsewhere by now (deleted,
 * replaced), so the inode must be the mapping's; stacked file systems show another device in
 * stat(), and then inodes that cannot be compared.
 */
static int open_by_name(struct finding *f, const struct maps_region *region)
{
	char path[PROC_PATH_MAX];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", f->pid);
	if (!region_is_executable(f, region))
		snprintf(path, sizeof(path), "/proc/%d/root%s", f->pid, region->path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_dev == region->device && st.st_ino != region->inode)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int region_open(struct finding *f, const struct maps_region *region)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", f->pid,
		 (unsigned long long)region->start, (unsigned long long)region->end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0)
		return fd;
	if (errno == EPERM || errno == EACCES)
		return open_by_name(f, region);
	return -errno;
}

/* Does *interp_head point anywhere yet? Not readable: no. */
static bool interpreter_runs(const struct python *python)
{
	uint64_t interp = 0;
	struct iovec to = {&interp, sizeof(interp)};
	struct iovec from = {(void *)(uintptr_t)python->at.interp_head, sizeof(interp)};

	return python->at.interp_head &&
	       process_vm_readv(python->pid, &to, 1, &from, 1, 0) == sizeof(interp) && interp;
}

static void path_take(char out[256], const char *path)
{
	size_t size = strnlen(path, 255);

	memcpy(out, path, size);
	out[size] = '\0';
}

/* True when there is no need to look further. */
static bool finding_consider(struct finding *f, const struct maps_region *region,
			     const struct python_image *image)
{
	struct python python = {.pid = f->pid, .image = *image};
	bool better;

	/* The mapping starts at a page; it holds the file from `offset` on. */
	python_place(&python, region->start + (image->first_exec_offset - region->offset));
	if (!region_is_executable(f, region))
		path_take(python.library, region->path);
	better = image->state == PY_SUPPORTED && f->best.image.state != PY_SUPPORTED;
	if (interpreter_runs(&python)) {
		f->best = python;
		f->found = true;
		return image->state == PY_SUPPORTED;
	}
	if (!f->found || better)
		f->best = python;
	f->found = true;
	return false;
}

/* The mapping that holds the first executable segment; others of the file tell nothing. */
static bool region_fits(const struct maps_region *region, const struct python_image *image)
{
	uint64_t size = region->end - region->start;

	return page_down(image->first_exec_offset) >= region->offset &&
	       image->first_exec_offset - region->offset < size;
}

/* 0: an interpreter is in the mapping's file. */
static int region_read(struct finding *f, const struct maps_region *region,
		       struct python_image *ret_image)
{
	_cleanup_close_ int fd = region_open(f, region);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return python_cache_get(fd, &st, ret_image) ? 0 : -ENODATA;
}

static bool region_look(struct finding *f, const struct maps_region *region)
{
	struct python_image image;
	int r;

	if (!region->execute || !region->inode ||
	    (region->inode == f->last_inode && region->device == f->last_device))
		return false;
	if (!worker_touch(worker_owner(WORKER_FILES, region->device))) {
		f->silent = true;
		return false;
	}
	r = region_read(f, region, &image);
	worker_touched();
	if (r == -EACCES || r == -EPERM)
		f->denied = true;
	if (r == -ENODATA) {
		f->last_inode = region->inode;
		f->last_device = region->device;
	}
	return r == 0 && region_fits(region, &image) && finding_consider(f, region, &image);
}

static void executable_read(struct finding *f)
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", f->pid);
	n = readlink(path, f->executable, sizeof(f->executable) - 1);
	f->executable[n > 0 ? n : 0] = '\0';
}

static int finding_run(struct finding *f)
{
	struct maps_region region;
	int r;

	while ((r = maps_next(&f->maps, &region)) > 0)
		if (region_look(f, &region))
			return 0;
	if (r < 0)
		return r;
	if (!f->found)
		return f->silent ? -EAGAIN : f->denied ? -EACCES : -ENODATA;
	return 0;
}

int python_find(pid_t pid, struct python *ret_python)
{
	struct finding f = {.pid = pid};
	int r = maps_open(pid, &f.maps);

	if (r < 0)
		return r;
	executable_read(&f);
	r = finding_run(&f);
	maps_done(&f.maps);
	if (r < 0)
		return r;
	path_take(f.best.executable, f.executable);
	*ret_python = f.best;
	return 0;
}
