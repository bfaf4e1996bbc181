/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The process table. Living processes are found by pid, all by generation; ended ones queue up in
 * the order of their end, so that expiry takes them from the front. Find, add and end are O(1).
 *
 * A host that starts 50 processes a second has 3,250 ended ones in the window. What they had in
 * common is kept once: the command line, and of the interpreter what is shown.
 */
#include "daemon/profile/process.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/blob.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/target/cgroup.h"
#include "daemon/target/procfs.h"

/* The rolling window still names a process this long after its end. */
#define NAMED_NS (65ull * 1000000000ull)
/* Ended processes that are older than that: a host that starts 50 a second fills the table in ten
 * minutes otherwise. */
#define OLD_MAX 512
#define THREADS_MAX 4096 /* names kept per process */
#define THREADS_SWEEP 256
#define THREAD_KEEP_NS (120ull * 1000000000ull)

struct entry {
	struct process process;
	struct processes *table;
	struct entry *next; /* that ended after this one */
	bool python_shared;
};

struct processes {
	struct map *by_generation;  /* uint64_t → struct entry * */
	struct map *by_pid;         /* uint32_t → struct entry *, living */
	struct entry *first, *last; /* ended, the longest ago first */
	size_t ended;
	struct blobs shared; /* command lines, and interpreters of ended processes */
	void (*dropped)(void *data, struct process *process); /* of the last processes_expire() */
	void *data;
	bool (*runs)(void *data, const struct process *process);
	void *runs_data;
};

struct processes *processes_new(void)
{
	struct processes *processes = calloc(1, sizeof(*processes));

	if (!processes)
		return NULL;
	processes->by_generation = map_new(sizeof(uint64_t), sizeof(struct entry *));
	processes->by_pid = map_new(sizeof(uint32_t), sizeof(struct entry *));
	if (!processes->by_generation || !processes->by_pid) {
		processes_free(processes);
		return NULL;
	}
	return processes;
}

void processes_ask(struct processes *processes,
		   bool (*runs)(void *data, const struct process *process), void *data)
{
	processes->runs = runs;
	processes->runs_data = data;
}

static void threads_free(struct map *threads)
{
	struct thread *thread;

	if (!threads)
		return;
	for (size_t at = 0; (thread = map_next(threads, &at, NULL));)
		free(thread->python_name);
	map_free(threads);
}

static struct entry *entry_of(struct process *process)
{
	_Static_assert(offsetof(struct entry, process) == 0, "a process is the head of its entry");
	return (struct entry *)process;
}

static void cmdline_forget(struct process *process)
{
	blob_drop(&entry_of(process)->table->shared, process->cmdline);
	process->cmdline = NULL;
	process->cmdline_size = 0;
}

/* Out of memory: as if it were not known. */
static void cmdline_set(struct process *process, const char *cmdline, size_t size)
{
	const char *taken = blob_take(&entry_of(process)->table->shared, cmdline, size, false);

	cmdline_forget(process);
	process->cmdline = taken;
	process->cmdline_size = process->cmdline ? size : 0;
}

static void python_free(struct entry *entry)
{
	if (entry->python_shared)
		blob_drop(&entry->table->shared, entry->process.python);
	else
		free(entry->process.python);
}

/* An ended process's memory is gone: where things lay in it, which is another place in each
 * process, is of no use. */
static void python_retire(struct entry *entry)
{
	struct python *python = entry->process.python;
	const void *shared;

	python->pid = 0;
	python->bias = python->runtime = 0;
	python->at = (struct py_addresses){0};
	shared = blob_take(&entry->table->shared, python, sizeof(*python), false);
	if (!shared)
		return;
	free(python);
	entry->process.python = (struct python *)(uintptr_t)shared;
	entry->python_shared = true;
}

static void entry_free(struct entry *entry)
{
	threads_free(entry->process.threads);
	cmdline_forget(&entry->process);
	python_free(entry);
	free(entry->process.unit);
	free(entry->process.container);
	free(entry);
}

void processes_free(struct processes *processes)
{
	struct process *process;

	if (!processes)
		return;
	if (processes->by_generation)
		for (size_t at = 0; (process = processes_next(processes, &at));)
			entry_free((struct entry *)process);
	map_free(processes->by_generation);
	map_free(processes->by_pid);
	free(processes);
}

/* The one that ended first leaves the table. */
static void ended_drop(struct processes *processes)
{
	struct entry *entry = processes->first;

	processes->first = entry->next;
	if (!processes->first)
		processes->last = NULL;
	processes->ended--;
	if (processes->dropped)
		processes->dropped(processes->data, &entry->process);
	map_remove(processes->by_generation, &entry->process.generation);
	entry_free(entry);
}

static char *name_copy(const char *name)
{
	return name[0] ? strdup(name) : NULL;
}

static void names_take(struct process *process, const struct cgroup_names *names)
{
	if (!process->unit)
		process->unit = name_copy(names->unit);
	if (!process->container)
		process->container = name_copy(names->container);
}

/* A program that has laid down root's rights for a while, or taken them, counts as root's: what it
 * did is not for its other user to see. */
static uid_t owner_of(const struct procfs_status *status)
{
	for (unsigned i = 0; i < ARRAY_SIZE(status->uid); i++)
		if (status->uid[i] == 0)
			return 0;
	return status->uid[1];
}

/* What /proc says at one moment. */
struct told {
	struct procfs_stat stat;
	struct procfs_status status;
	bool has_status;
	char *cmdline;
	size_t cmdline_size;
};

static void told_done(struct told *told)
{
	free(told->cmdline);
}

static int told_read(struct told *told, pid_t pid)
{
	int r = procfs_stat(pid, &told->stat);

	if (r < 0)
		return r;
	told->has_status = procfs_status(pid, &told->status) == 0;
	if (procfs_cmdline(pid, &told->cmdline, &told->cmdline_size) < 0)
		told->cmdline = NULL;
	return 0;
}

static void told_take(const struct told *told, struct process *process)
{
	memcpy(process->comm, told->stat.comm, sizeof(process->comm));
	process->ppid = told->stat.ppid;
	if (!process->start_time_ns)
		process->start_time_ns = procfs_boot_wall_ns() + told->stat.start_boot_ns;
	if (told->has_status) {
		process->uid = owner_of(&told->status);
		process->ns_pid = told->status.ns_pid;
	}
	/* A zombie has none: what was known is better. */
	if (told->cmdline && told->cmdline_size)
		cmdline_set(process, told->cmdline, told->cmdline_size);
}

void process_refresh(struct process *process)
{
	const struct processes *table = entry_of(process)->table;
	_cleanup_(told_done) struct told told = {0};

	if (process->ended_time_ns || told_read(&told, process->pid) < 0)
		return;
	if (!table->runs || table->runs(table->runs_data, process))
		told_take(&told, process);
}

/* The kernel side may not know it yet. */
static void process_fill(struct process *process)
{
	_cleanup_(told_done) struct told told = {0};
	struct cgroup_names names;

	if (told_read(&told, process->pid) == 0)
		told_take(&told, process);
	if (cgroup_of_pid(process->pid, &names) == 0)
		names_take(process, &names);
}

/* Room for one more; living ones are never pushed out. */
static bool room_make(struct processes *processes)
{
	while (map_count(processes->by_generation) >= PROCESSES_MAX && processes->first)
		ended_drop(processes);
	return map_count(processes->by_generation) < PROCESSES_MAX;
}

static bool entry_index(struct processes *processes, struct entry *entry)
{
	uint32_t pid = (uint32_t)entry->process.pid;
	struct entry **slot = map_put(processes->by_generation, &entry->process.generation, NULL);

	if (!slot)
		return false;
	*slot = entry;
	slot = map_put(processes->by_pid, &pid, NULL);
	if (!slot) {
		map_remove(processes->by_generation, &entry->process.generation);
		return false;
	}
	*slot = entry;
	return true;
}

static struct entry *entry_new(struct processes *processes, uint64_t generation, pid_t pid)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->table = processes;
	entry->process.generation = generation;
	entry->process.family = generation;
	entry->process.pid = pid;
	entry->process.ns_pid = pid;
	entry->process.python = calloc(1, sizeof(struct python));
	if (entry->process.python && entry_index(processes, entry))
		return entry;
	entry_free(entry);
	return NULL;
}

struct process *processes_add(struct processes *processes, uint64_t generation, pid_t pid)
{
	struct process *known = processes_find(processes, generation);
	struct process *before = processes_by_pid(processes, pid);
	struct entry *entry;

	if (known)
		return known;
	/* The pid's former owner ended unseen, or became this one by exec. */
	if (before)
		processes_ended(processes, before, loop_wall_ns());
	if (!room_make(processes))
		return NULL;
	entry = entry_new(processes, generation, pid);
	if (!entry)
		return NULL;
	process_fill(&entry->process);
	return &entry->process;
}

struct process *processes_find(struct processes *processes, uint64_t generation)
{
	struct entry **slot = map_get(processes->by_generation, &generation);

	return slot ? &(*slot)->process : NULL;
}

struct process *processes_by_pid(struct processes *processes, pid_t pid)
{
	uint32_t key = (uint32_t)pid;
	struct entry **slot = map_get(processes->by_pid, &key);

	return slot ? &(*slot)->process : NULL;
}

void processes_ended(struct processes *processes, struct process *process, uint64_t wall_ns)
{
	struct entry *entry = entry_of(process);
	uint32_t pid = (uint32_t)process->pid;

	if (process->ended_time_ns)
		return;
	process->ended_time_ns = wall_ns;
	python_retire(entry);
	if (processes_by_pid(processes, process->pid) == process)
		map_remove(processes->by_pid, &pid);
	if (processes->last)
		processes->last->next = entry;
	else
		processes->first = entry;
	processes->last = entry;
	processes->ended++;
}

static bool expired(const struct processes *processes, uint64_t wall_ns)
{
	uint64_t ended = processes->first->process.ended_time_ns;
	uint64_t age = wall_ns > ended ? wall_ns - ended : 0;

	return age > PROCESS_KEEP_NS || (age > NAMED_NS && processes->ended > OLD_MAX);
}

void processes_expire(struct processes *processes, uint64_t wall_ns,
		      void (*fn)(void *, struct process *), void *data)
{
	processes->dropped = fn;
	processes->data = data;
	while (processes->first && expired(processes, wall_ns))
		ended_drop(processes);
}

struct process *processes_next(struct processes *processes, size_t *at)
{
	struct entry **slot = map_next(processes->by_generation, at, NULL);

	return slot ? &(*slot)->process : NULL;
}

size_t processes_count(const struct processes *processes)
{
	return map_count(processes->by_generation);
}

/* Threads come and go for as long as a process lives: names not seen for two minutes go. */
static void threads_sweep(struct map *threads)
{
	uint64_t now = loop_now_ns();
	const void *key;
	struct thread *thread;

	for (size_t at = 0; (thread = map_next(threads, &at, &key));) {
		if (thread->seen_ns + THREAD_KEEP_NS > now)
			continue;
		free(thread->python_name);
		map_remove(threads, key);
	}
}

struct thread *process_thread(struct process *process, pid_t tid)
{
	uint32_t key = (uint32_t)tid;
	struct thread *thread;
	size_t count;

	if (!process->threads)
		process->threads = map_new(sizeof(uint32_t), sizeof(struct thread));
	if (!process->threads)
		return NULL;
	thread = map_get(process->threads, &key);
	if (thread)
		return thread;
	count = map_count(process->threads);
	if (count && count % THREADS_SWEEP == 0)
		threads_sweep(process->threads);
	if (map_count(process->threads) >= THREADS_MAX)
		return NULL;
	return map_put(process->threads, &key, NULL);
}

void process_started(struct process *process, uint64_t start_boot_ns)
{
	uint64_t start = procfs_boot_wall_ns() + start_boot_ns;
	uint64_t told = process->start_time_ns;
	uint64_t apart = told > start ? told - start : start - told;

	process->start_time_ns = start;
	/* proc(5) counts in 10 ms; anything else was another process that took the pid since. */
	if (!told || apart < 50000000ull)
		return;
	cmdline_forget(process);
	free(TAKE_PTR(process->unit));
	free(TAKE_PTR(process->container));
	process->uid = UINT32_MAX;
	memset(process->comm, 0, sizeof(process->comm));
}

void process_argv(struct process *process, const char *argv, size_t size)
{
	bool same =
	    process->cmdline_size >= size && size && memcmp(process->cmdline, argv, size) == 0;

	/* A record's is cut at ARGV_MAX. */
	if (size && !(same && (size == process->cmdline_size || size == ARGV_MAX)))
		cmdline_set(process, argv, size);
}

void process_cgroup(struct process *process, uint64_t id)
{
	struct cgroup_names names;

	if ((!process->unit || !process->container) && cgroup_of_id(id, &names) == 0)
		names_take(process, &names);
}
