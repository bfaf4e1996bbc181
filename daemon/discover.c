/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/discover.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/finder.h"
#include "daemon/family.h"
#include "daemon/pending.h"
#include "daemon/target/procfs.h"
#include "daemon/verdicts.h"

struct discover {
	struct discover_stages stages;
	struct verdicts *verdicts;
	struct finder *finder;
	struct pendings *pending; /* execs that may yet map libpython */
	struct families *families;
	uint64_t last_generation;
};

static void scan_pid(struct discover *d, pid_t pid);
static void scan_found(void *data, const struct python *python);

static void verdict_late(void *data, pid_t pid)
{
	scan_pid(data, pid);
}

/* An exec or exit changes the kernel side's entry at once, its record comes later. */
static bool process_runs(void *data, const struct process *process)
{
	const struct discover *d = data;
	struct py_process told;

	return probe_process_get(d->stages.probe, process->pid, &told) == 0 &&
	       told.generation == process->generation;
}

struct discover *discover_new(const struct discover_stages *stages)
{
	struct discover *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->stages = *stages;
	d->verdicts = verdicts_new(verdict_late, d);
	d->finder = finder_new(scan_found, d);
	d->pending = pendings_new();
	d->families = families_new();
	if (!d->verdicts || !d->finder || !d->pending || !d->families) {
		discover_free(d);
		return NULL;
	}
	processes_ask(d->stages.processes, process_runs, d);
	return d;
}

void discover_free(struct discover *d)
{
	if (!d)
		return;
	verdicts_free(d->verdicts);
	finder_free(d->finder);
	pendings_free(d->pending);
	families_free(d->families);
	free(d);
}

/* Tells the kernel side of a static interpreter, so that its next exec needs no answer from here.
 */
static void image_tell(struct discover *d, const struct file_key *key,
		       const struct python_image *image)
{
	uint64_t base = image->first_exec_vaddr;
	struct py_image told = {.state = image->state};
	int layout = 0;

	if (image->state == PY_SUPPORTED)
		layout = probe_layout(d->stages.probe, &image->layout);
	if (layout < 0)
		return;
	told.layout = (uint32_t)layout;
	told.at.interp_head = image->vaddr.interp_head ? image->vaddr.interp_head - base : 0;
	told.at.tss_key = image->vaddr.tss_key ? image->vaddr.tss_key - base : 0;
	told.at.code_type = image->vaddr.code_type ? image->vaddr.code_type - base : 0;
	told.at.gil = image->vaddr.gil ? image->vaddr.gil - base : 0;
	told.at.text_start = image->vaddr.text_start - base;
	told.at.text_end = image->vaddr.text_end - base;
	probe_image_set(d->stages.probe, key, &told);
}

/* NULL: no Python, or not known yet. */
static struct python_image *image_of_exec(struct discover *d, const struct exec_record *r)
{
	struct python_image *image = NULL;
	bool is_new = false;

	if (verdicts_exec(d->verdicts, r, &image, &is_new) == -EAGAIN)
		finder_defer(d->finder, (pid_t)r->pid);
	if (image && is_new)
		image_tell(d, &r->image, image);
	return image;
}

static struct python_image *image_of_mapping(struct discover *d, const struct mapping *m)
{
	struct python_image *image = NULL;

	if (verdicts_mapping(d->verdicts, m, &image) == -EAGAIN)
		finder_defer(d->finder, m->pid);
	return image;
}

/* --- families and processes ------------------------------------------------------------------ */

static uint64_t generation_new(struct discover *d)
{
	d->last_generation = MAX(d->last_generation + 1, loop_now_ns());
	return d->last_generation;
}

/* The kernel's entry of a process that ended without telling: its counters are final, and it must
 * not serve whoever gets the pid. */
static void kernel_forget(struct discover *d, struct process *process)
{
	struct py_process told;

	if (probe_process_get(d->stages.probe, process->pid, &told) ||
	    told.generation != process->generation)
		return;
	process->ticks = told.ticks;
	process->session_ticks = told.session;
	probe_process_drop(d->stages.probe, process->pid);
}

/* exit: the kernel's record with the final counters, NULL when it has not told the end. */
static void process_over(struct discover *d, struct process *process,
			 const struct exit_record *exit)
{
	if (process->ended_time_ns)
		return;
	if (exit) {
		process->ticks = exit->ticks;
		process->session_ticks = exit->session;
	} else {
		kernel_forget(d, process);
	}
	/* Before the table forgets it: recordings take its last counters. */
	d->stages.ended(d->stages.data, process, families_leave(d->families, process->family));
	processes_ended(d->stages.processes, process, loop_wall_ns());
}

/* Ends whatever had the pid before. */
static void pid_clear(struct discover *d, pid_t pid, uint64_t generation)
{
	struct process *before = processes_by_pid(d->stages.processes, pid);

	if (before && before->generation != generation)
		process_over(d, before, NULL);
}

static void executable_read(struct python *python)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", python->pid);
	n = readlink(path, python->executable, sizeof(python->executable) - 1);
	python->executable[n < 0 ? 0 : n] = '\0';
}

/* Configures the kernel side of a process that the daemon found. */
static void process_configure(struct discover *d, struct process *process)
{
	struct python *python = process->python;
	struct py_process told = {
	    .generation = process->generation,
	    .family = process->family,
	    .at = python->at,
	    .state = python->image.state,
	};
	struct py_process now;
	int layout = 0;

	if (python->image.state == PY_SUPPORTED) {
		layout = probe_layout(d->stages.probe, &python->image.layout);
		if (layout < 0) {
			python->image.state = told.state = PY_UNSUPPORTED;
			snprintf(python->image.reason, sizeof(python->image.reason),
				 "more than %d different interpreter builds", LAYOUTS_MAX);
			layout = 0;
		}
	}
	told.layout = (uint32_t)layout;
	/* It became another program meanwhile, whose record is on its way. */
	if (probe_process_get(d->stages.probe, process->pid, &now) == 0 &&
	    now.generation > process->generation)
		return;
	probe_process_set(d->stages.probe, process->pid, &told);
}

static struct process *process_adopt(struct discover *d, const struct python *python,
				     uint64_t generation, uint64_t family)
{
	struct process *process = processes_find(d->stages.processes, generation);

	if (process) /* a scan was faster than its record */
		return process;
	pid_clear(d, python->pid, generation);
	process = processes_add(d->stages.processes, generation, python->pid);
	if (!process)
		return NULL;
	process->family = family;
	*process->python = *python;
	families_join(d->families, family, python);
	return process;
}

/* --- records --------------------------------------------------------------------------------- */

/* A zombie too, and what ends at this moment: it has no memory, so no program, any more. */
static bool gone(pid_t pid)
{
	char path[64], program;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, &program, 1) < 0 && (errno == ENOENT || errno == ESRCH);
}

/* A zombie or a reused pid must not stay configured. */
static void process_confirm(struct discover *d, struct process *process)
{
	if (gone(process->pid))
		process_over(d, process, NULL);
}

/* Of what no record has made known, with what its exec told. 0: its end has been told meanwhile, or
 * nothing ever told of it. */
static uint64_t generation_found(struct discover *d, pid_t pid, struct pending *ret_pending)
{
	uint64_t generation = pendings_take(d->pending, pid, ret_pending);

	if (generation)
		return generation;
	return gone(pid) ? 0 : generation_new(d);
}

static struct python python_of(const struct python_image *image, pid_t pid, uint64_t first_exec)
{
	struct python python = {.pid = pid, .image = *image};

	python_place(&python, first_exec);
	executable_read(&python);
	return python;
}

/* What the record told, for a process that /proc may no longer show, or as another program. */
static void process_told(struct process *process, uint64_t start, uint64_t cgroup, uint32_t uid,
			 const char *comm)
{
	process_started(process, start);
	process_cgroup(process, cgroup);
	/* Not /proc's: by now the process may be another user's, what it was sampled in is not. */
	process->uid = uid;
	memcpy(process->comm, comm, sizeof(process->comm));
}

/* Children that it forked before the kernel side knew it were no Python processes then. Of those
 * that the kernel side knows a record is on its way. */
static void children_scan(struct discover *d, pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	struct py_process told;
	char path[64];
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		if (child > 0 && probe_process_get(d->stages.probe, child, &told))
			scan_pid(d, child);
}

void discover_exec(struct discover *d, const struct exec_record *r)
{
	struct python_image *image;
	struct process *process;
	struct python python;

	pid_clear(d, (pid_t)r->pid, r->generation);
	image = image_of_exec(d, r);
	if (!image) {
		pendings_keep(d->pending, r);
		return;
	}
	python = python_of(image, (pid_t)r->pid, r->start_code);
	process = process_adopt(d, &python, r->generation, r->generation);
	if (!process)
		return;
	process_told(process, r->start_time_ns, r->cgroup, r->uid, r->comm);
	process_argv(process, r->argv, r->argv_bytes);
	process->ppid = process->ppid ? process->ppid : (pid_t)r->ppid;
	if (r->configured)
		return;
	process_configure(d, process);
	process_confirm(d, process);
	children_scan(d, (pid_t)r->pid);
}

void discover_fork(struct discover *d, const struct fork_record *r)
{
	const struct python *family = families_python(d->families, r->family);
	struct process *process, *parent;
	struct python python;

	if (!family)
		return;
	python = *family;
	python.pid = (pid_t)r->pid;
	process = process_adopt(d, &python, r->generation, r->family);
	if (!process)
		return;
	process_told(process, r->start_time_ns, r->cgroup, r->uid, r->comm);
	process->ppid = process->ppid ? process->ppid : (pid_t)r->ppid;
	parent = processes_by_pid(d->stages.processes, (pid_t)r->ppid);
	if (parent && parent->cmdline)
		process_argv(process, parent->cmdline, parent->cmdline_size);
}

bool discover_family_lives(const struct discover *d, uint64_t family)
{
	return families_python(d->families, family) != NULL;
}

void discover_exit(struct discover *d, const struct exit_record *r)
{
	struct process *process = processes_find(d->stages.processes, r->generation);

	pendings_drop(d->pending, r->pid);
	if (process)
		process_over(d, process, r);
}

/* The program itself, not a library: its exec record tells more. execve maps it before that record
 * is written (fs/exec.c: load_elf_binary, then trace_sched_process_exec). In a chroot the paths
 * differ, on overlayfs perhaps the inodes. */
static bool mapping_is_program(const struct mapping *m)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", m->pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	return strcmp(path, m->path) == 0 || finder_is_program(m->pid, m->key.ino);
}

/* What its exec told, of a process that showed only later that it is Python. */
static void pending_tell(struct process *process, struct pending *pending)
{
	if (process && pending->generation) {
		process_told(process, pending->start_time_ns, pending->cgroup, pending->uid,
			     pending->comm);
		process_argv(process, pending->argv ? pending->argv : "", pending->argv_bytes);
	}
	free(pending->argv);
}

void discover_mapping(struct discover *d, const struct mapping *m)
{
	struct python_image *image = image_of_mapping(d, m);
	struct pending pending = {0};
	struct process *process;
	struct python python;
	uint64_t generation;

	if (!image || mapping_is_program(m))
		return;
	/* The exec came before, in another ring. */
	probe_drain(d->stages.probe);
	if (processes_by_pid(d->stages.processes, m->pid))
		return;
	python = python_of(image, m->pid, m->address + (image->first_exec_offset - m->offset));
	snprintf(python.library, sizeof(python.library), "%s", m->path);
	generation = generation_found(d, m->pid, &pending);
	if (!generation)
		return;
	process = process_adopt(d, &python, generation, generation);
	pending_tell(process, &pending);
	if (!process)
		return;
	process_configure(d, process);
	process_confirm(d, process);
	children_scan(d, m->pid);
}

/* --- looking at /proc ------------------------------------------------------------------------ */

static void scan_pid(struct discover *d, pid_t pid)
{
	if (!processes_by_pid(d->stages.processes, pid))
		finder_look(d->finder, pid);
}

static void scan_found(void *data, const struct python *python)
{
	struct discover *d = data;
	struct pending pending = {0};
	struct process *process;
	struct py_process told;
	pid_t pid = python->pid;
	bool known;

	/* Its exec may be on its way; it tells more. */
	probe_drain(d->stages.probe);
	if (processes_by_pid(d->stages.processes, pid))
		return;
	known = probe_process_get(d->stages.probe, pid, &told) == 0;
	if (!known) {
		told.generation = told.family = generation_found(d, pid, &pending);
		if (!told.generation)
			return;
	}
	process = process_adopt(d, python, told.generation, told.family);
	pending_tell(process, &pending);
	if (!process)
		return;
	if (!known)
		process_configure(d, process);
	process_confirm(d, process);
	children_scan(d, pid);
}

static void scan_ended(struct discover *d)
{
	struct process *process;
	size_t at = 0;

	while ((process = processes_next(d->stages.processes, &at)))
		if (!process->ended_time_ns)
			process_confirm(d, process);
}

void discover_scan(struct discover *d)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	scan_ended(d);
	while (proc && (entry = readdir(proc))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end && pid != getpid())
			scan_pid(d, (pid_t)pid);
	}
	if (proc)
		closedir(proc);
}

/* Ends that no record told (one was lost, or came before the process was known). */
static void ends_check(struct discover *d)
{
	struct process *process;
	size_t at = 0;

	while ((process = processes_next(d->stages.processes, &at)))
		if (!process->ended_time_ns && kill(process->pid, 0) < 0 && errno == ESRCH)
			process_over(d, process, NULL);
}

void discover_tick(struct discover *d, uint64_t now_ns)
{
	ends_check(d);
	pendings_expire(d->pending, now_ns);
	finder_tick(d->finder, now_ns);
}
