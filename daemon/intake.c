/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/intake.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"
#include "daemon/base/worker.h"
#include "daemon/decode/decode.h"
#include "daemon/serve/server.h"
#include "daemon/symbol/symbolise.h"
#include "daemon/target/dump.h"

#define WAITING_MAX_BYTES (4u << 20) /* samples that wait for a description */
#define WAITING_DRAINS                                                                             \
	2 /* a description is in a ring before its sample: one drain later at most                 \
	   */
#define FAMILY_KEEP_NS                                                                             \
	2000000000ull /* after the last process of a family ended: its samples may still come */

struct waiting {
	struct waiting *next;
	unsigned drains;
	size_t size;
	struct sample_record sample; /* and its frames */
};

struct leaving {
	struct leaving *next;
	uint64_t family, since_ns;
};

struct intake {
	struct intake_stages stages;
	struct intake_counts counts;
	struct waiting *waiting, **waiting_end;
	size_t waiting_bytes;
	struct leaving *leaving, **leaving_end;
};

struct intake *intake_new(const struct intake_stages *stages)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return NULL;
	intake->stages = *stages;
	intake->waiting_end = &intake->waiting;
	intake->leaving_end = &intake->leaving;
	return intake;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	while (intake->waiting) {
		struct waiting *next = intake->waiting->next;

		free(intake->waiting);
		intake->waiting = next;
	}
	while (intake->leaving) {
		struct leaving *next = intake->leaving->next;

		free(intake->leaving);
		intake->leaving = next;
	}
	free(intake);
}

void intake_serve(struct intake *intake, struct server *server)
{
	intake->stages.server = server;
}

const struct intake_counts *intake_counts(const struct intake *intake)
{
	return &intake->counts;
}

/* --- samples --------------------------------------------------------------------------------- */

static void thread_note(struct process *process, const struct sample_record *sample)
{
	struct thread *thread = process_thread(process, (pid_t)sample->tid);

	if (!thread)
		return;
	if (!thread->python_name && thread->ident != sample->thread_ident)
		process->names_wanted = true;
	thread->ident = sample->thread_ident;
	thread->seen_ns = loop_now_ns();
	memcpy(thread->comm, sample->comm, sizeof(thread->comm));
}

/* process_ticks count it. */
static bool always_cpu(const struct sample_record *sample)
{
	return sample->source == SOURCE_ALWAYS && sample->resource == RESOURCE_CPU;
}

/* stale: its time counts; that names are missing is a loss. */
static void sample_deliver(struct intake *intake, struct process *process,
			   const struct sample_record *sample, struct stack *stack, bool stale)
{
	struct profile_key key = {
	    .generation = sample->generation,
	    .tid = sample->tid,
	    .gil = sample->gil,
	    .leaf = sample->leaf,
	    .partial = sample->flags & SAMPLE_PARTIAL ? sample->loss : LOSS_NONE,
	    .resource = sample->resource,
	    .detail = sample->detail,
	    .stack = stack,
	};

	thread_note(process, sample);
	intake->counts.samples++;
	intake->counts.stale_samples += stale;
	if (always_cpu(sample))
		process->stale += stale;
	if (sample->source == SOURCE_ALWAYS)
		window_add(intake->stages.window, &key, sample->weight, loop_now_ns());
	if (intake->stages.server)
		server_sample(intake->stages.server, process, sample->source, &key, sample->weight,
			      stale);
}

/* Out of memory. */
static void sample_drop(struct intake *intake, struct process *process,
			const struct sample_record *sample)
{
	intake->counts.stale_samples++;
	process->delivered[sample->source] += sample->resource == RESOURCE_CPU;
	if (always_cpu(sample) && !(sample->flags & SAMPLE_PARTIAL))
		process->stale++;
}

/* False: it has to wait, something that it names is still to come. */
static bool sample_try(struct intake *intake, const struct sample_record *sample, bool last)
{
	struct process *process = processes_find(intake->stages.processes, sample->generation);
	unsigned unknown = 0;
	struct stack *stack;

	if (!process) {
		intake->counts.stale_samples += last;
		return last;
	}
	stack = symbolise_sample(intake->stages.codes, intake->stages.stacks, process, sample, last,
				 &unknown);
	if (!stack && last)
		sample_drop(intake, process, sample);
	if (!stack)
		return last;
	/* One that the kernel side cut is counted as lost already. */
	sample_deliver(intake, process, sample, stack,
		       unknown && !(sample->flags & SAMPLE_PARTIAL));
	stacks_unref(intake->stages.stacks, stack);
	return true;
}

static void sample_wait(struct intake *intake, const struct sample_record *sample)
{
	size_t size = offsetof(struct waiting, sample) + sample->header.size;
	struct waiting *waiting = NULL;

	if (intake->waiting_bytes + size <= WAITING_MAX_BYTES)
		waiting = malloc(size);
	if (!waiting) {
		intake->counts.waiting_full++;
		sample_try(intake, sample, true);
		return;
	}
	waiting->next = NULL;
	waiting->drains = 0;
	waiting->size = size;
	memcpy(&waiting->sample, sample, sample->header.size);
	*intake->waiting_end = waiting;
	intake->waiting_end = &waiting->next;
	intake->waiting_bytes += size;
}

static void sample_seen(struct intake *intake, const struct record_header *header)
{
	const struct sample_record *sample;

	if (decode_sample(header, &sample) < 0) {
		intake->counts.bad_records++;
		return;
	}
	if (!sample_try(intake, sample, false))
		sample_wait(intake, sample);
}

static void waiting_try(struct intake *intake, unsigned drains)
{
	struct waiting **at = &intake->waiting;

	while (*at) {
		struct waiting *waiting = *at;

		if (!sample_try(intake, &waiting->sample, ++waiting->drains >= drains)) {
			at = &waiting->next;
			continue;
		}
		*at = waiting->next;
		intake->waiting_bytes -= waiting->size;
		free(waiting);
	}
	intake->waiting_end = at;
}

void intake_drained(struct intake *intake)
{
	waiting_try(intake, WAITING_DRAINS);
}

void intake_settle(struct intake *intake)
{
	waiting_try(intake, 0);
}

/* --- the other records ----------------------------------------------------------------------- */

static void code_dropped(void *data, const struct code_key *key)
{
	struct intake *intake = data;

	probe_gate_drop(intake->stages.probe, key->family, key->code, key->checksum);
}

static void family_drop(struct intake *intake, uint64_t family)
{
	codes_drop_family(intake->stages.codes, family, code_dropped, intake);
}

/* Its names are dropped in a moment, unless it lives then. */
static void family_goes(struct intake *intake, uint64_t family)
{
	struct leaving *leaving = calloc(1, sizeof(*leaving));

	if (!leaving) {
		family_drop(intake, family);
		return;
	}
	leaving->family = family;
	leaving->since_ns = loop_now_ns();
	*intake->leaving_end = leaving;
	intake->leaving_end = &leaving->next;
}

static void code_seen(struct intake *intake, const struct record_header *header)
{
	struct process *process;
	const struct code_record *code;
	const struct python *python = NULL;
	bool orphan;
	int r;

	if (decode_code(header, &code) < 0) {
		intake->counts.bad_records++;
		return;
	}
	process = processes_by_pid(intake->stages.processes, (pid_t)code->pid);
	if (process && process->family == code->family)
		python = process->python;
	/* Its exec is on its way, or was lost: then no end will tell that its names may go. */
	orphan = !codes_has_family(intake->stages.codes, code->family) &&
		 !discover_family_lives(intake->stages.discover, code->family);
	r = codes_add(intake->stages.codes, python, code, header->size);
	if (r == 0 && orphan)
		family_goes(intake, code->family);
	if (r == 0 || r == -EEXIST)
		probe_gate_add(intake->stages.probe, code->family, code->code, code->checksum);
}

static void fork_seen(struct intake *intake, const struct record_header *header)
{
	const struct fork_record *record;
	struct process *process;

	if (decode_fork(header, &record) < 0) {
		intake->counts.bad_records++;
		return;
	}
	discover_fork(intake->stages.discover, record);
	process = processes_find(intake->stages.processes, record->generation);
	if (process && intake->stages.server)
		server_process_started(intake->stages.server, process);
}

static void exec_seen(struct intake *intake, const struct record_header *header)
{
	const struct exec_record *record;
	struct process *process;

	if (decode_exec(header, &record) < 0) {
		intake->counts.bad_records++;
		return;
	}
	discover_exec(intake->stages.discover, record);
	process = processes_find(intake->stages.processes, record->generation);
	if (process && intake->stages.server)
		server_process_started(intake->stages.server, process);
}

static void exit_seen(struct intake *intake, const struct record_header *header)
{
	const struct exit_record *record;

	if (decode_exit(header, &record) < 0) {
		intake->counts.bad_records++;
		return;
	}
	discover_exit(intake->stages.discover, record);
}

void intake_record(void *data, const void *bytes, size_t size)
{
	static void (*const handlers[])(struct intake *, const struct record_header *) = {
	    [RECORD_SAMPLE] = sample_seen, [RECORD_CODE] = code_seen, [RECORD_FORK] = fork_seen,
	    [RECORD_EXEC] = exec_seen,     [RECORD_EXIT] = exit_seen,
	};
	const struct record_header *header;
	struct intake *intake = data;

	intake->counts.records++;
	if (decode_record(bytes, size, &header) < 0 || header->kind >= ARRAY_SIZE(handlers) ||
	    !handlers[header->kind]) {
		intake->counts.bad_records++;
		return;
	}
	handlers[header->kind](intake, header);
}

/* --- ends and names -------------------------------------------------------------------------- */

void intake_ended(void *data, struct process *process, bool last_of_family)
{
	struct intake *intake = data;
	if (intake->stages.server)
		server_process_ended(intake->stages.server, process);
	if (last_of_family)
		family_goes(intake, process->family);
}

static void families_leave(struct intake *intake, uint64_t now_ns)
{
	while (intake->leaving && intake->leaving->since_ns + FAMILY_KEEP_NS <= now_ns) {
		struct leaving *leaving = intake->leaving;

		if (!discover_family_lives(intake->stages.discover, leaving->family))
			family_drop(intake, leaving->family);
		intake->leaving = leaving->next;
		free(leaving);
	}
	if (!intake->leaving)
		intake->leaving_end = &intake->leaving;
}

/* Names of a process's threads: the worker's until it has ended. */
struct naming {
	struct intake *intake;
	uint64_t generation;
	struct python python;
	struct name {
		uint64_t ident;
		char *name;
	} * names;
	size_t nnames, room;
};

static void name_seen(void *data, uint64_t ident, pid_t tid, const char *name)
{
	struct naming *naming = data;
	size_t room = naming->room ? 2 * naming->room : 16;
	struct name *names;

	(void)tid; /* in the target's pid namespace; ident is the same everywhere */
	if (naming->nnames == naming->room) {
		names = realloc(naming->names, room * sizeof(*names));
		if (!names)
			return;
		naming->names = names;
		naming->room = room;
	}
	naming->names[naming->nnames++] = (struct name){ident, strdup(name)};
}

static void naming_run(void *data)
{
	struct naming *naming = data;

	dump_thread_names(&naming->python, name_seen, naming);
}

static void name_give(struct process *process, struct name *from)
{
	struct thread *thread;
	const void *key;
	size_t at = 0;

	while (process->threads && (thread = map_next(process->threads, &at, &key))) {
		if (thread->ident != from->ident || !from->name)
			continue;
		free(thread->python_name);
		thread->python_name = TAKE_PTR(from->name);
	}
}

static void naming_done(void *data, bool called)
{
	struct naming *naming = data;
	struct process *process =
	    processes_find(naming->intake->stages.processes, naming->generation);

	(void)called;
	for (size_t i = 0; i < naming->nnames; i++) {
		if (process)
			name_give(process, &naming->names[i]);
		free(naming->names[i].name);
	}
	free(naming->names);
	free(naming);
}

/* False: not now. */
static bool names_ask(struct intake *intake, struct process *process)
{
	struct naming *naming = calloc(1, sizeof(*naming));
	struct worker_job job = {
	    .run = naming_run,
	    .done = naming_done,
	    .data = naming,
	    .owner = worker_owner(WORKER_PROCESS, (uint64_t)process->pid),
	    .group = worker_owner(WORKER_USER, process->uid),
	};

	if (!naming)
		return false;
	naming->intake = intake;
	naming->generation = process->generation;
	naming->python = *process->python;
	if (worker_start(&job) == 0)
		return true;
	free(naming);
	return false;
}

void intake_tick(struct intake *intake, uint64_t now_ns)
{
	struct process *process;
	size_t at = 0;

	while ((process = processes_next(intake->stages.processes, &at))) {
		if (!process->names_wanted || process->ended_time_ns)
			continue;
		process->names_wanted = !names_ask(intake, process);
	}
	families_leave(intake, now_ns);
	processes_expire(intake->stages.processes, loop_wall_ns(), NULL, NULL);
}
