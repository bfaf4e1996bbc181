/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared groups of fields → JSON. What is not known is null. */
#include "daemon/serve/fields.h"

#include <math.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/symbol/strings.h"
#include "daemon/target/procfs.h"
#include "daemon/target/user.h"

static void write_cmdline(struct json *json, const struct process *process)
{
	const char *at = process->cmdline;
	size_t left = process->cmdline_size;

	json_array(json, "cmdline");
	while (left) {
		size_t size = strnlen(at, left);

		json_bytes(json, NULL, at, size);
		size += size < left; /* the NUL */
		at += size;
		left -= size;
	}
	json_end(json);
	if (process->cmdline_size >= PROCFS_CMDLINE_MAX)
		json_bool(json, "cmdline_truncated", true);
}

static void write_python(struct json *json, const struct python *python)
{
	char version[24];

	python_version_text(python->image.version, python->image.free_threaded, version);
	json_object(json, "python");
	json_string(json, "version", python->image.version ? version : NULL);
	json_string(json, "build", python->image.free_threaded ? "free-threaded" : "gil");
	json_string(json, "executable", python->executable[0] ? python->executable : NULL);
	json_string(json, "library", python->library[0] ? python->library : NULL);
	json_end(json);
}

static void write_usage(struct json *json, const struct serving *serving,
			const struct process *process, uint64_t window_ns)
{
	struct usage_process usage;

	if (usage_of_process(serving->usage, process, window_ns, &usage) < 0) {
		json_null(json, "threads");
		json_null(json, "cpu_percent");
		json_null(json, "rss_bytes");
		return;
	}
	json_uint(json, "threads", usage.threads);
	fields_real(json, "cpu_percent", usage.cpu_percent);
	json_uint(json, "rss_bytes", usage.rss_bytes);
}

static void write_user(struct json *json, const struct process *process)
{
	/* Not known: it ended before anything could be read. */
	if (process->uid == UINT32_MAX) {
		json_null(json, "uid");
		json_null(json, "user");
		return;
	}
	json_uint(json, "uid", process->uid);
	json_string(json, "user", user_name(process->uid));
}

static void write_times(struct json *json, const struct process *process)
{
	if (process->start_time_ns)
		json_uint(json, "start_time_ns", process->start_time_ns);
	else
		json_null(json, "start_time_ns");
	if (process->ended_time_ns)
		json_uint(json, "ended_time_ns", process->ended_time_ns);
	else
		json_null(json, "ended_time_ns");
}

void fields_process(struct json *json, const struct serving *serving, struct process *process,
		    uint64_t window_ns)
{
	bool supported = process->python->image.state == PY_SUPPORTED;
	struct process_ticks ticks;

	fields_ticks(serving, process, &ticks);
	json_int(json, "pid", process->pid);
	json_int(json, "ns_pid", process->ns_pid);
	json_int(json, "ppid", process->ppid);
	write_times(json, process);
	json_string(json, "comm", process->comm);
	write_cmdline(json, process);
	write_user(json, process);
	json_string(json, "unit", process->unit);
	json_string(json, "container", process->container);
	write_python(json, process->python);
	json_bool(json, "supported", supported);
	json_string(json, "reason", supported ? NULL : process->python->image.reason);
	write_usage(json, serving, process, window_ns);
	json_uint(json, "samples", ticks.samples);
}

void fields_ticks(const struct serving *serving, struct process *process,
		  struct process_ticks *ret_ticks)
{
	const struct server_hooks *hooks = &serving->config.hooks;
	struct process_ticks ticks;

	if (hooks->ticks(hooks->data, process, SOURCE_ALWAYS, &ticks) == 0)
		process->ticks = ticks;
	*ret_ticks = process->ticks;
	/* The kernel counts a sample; that its names were gone is known here alone. */
	ret_ticks->samples -= MIN(process->stale, ret_ticks->samples);
	ret_ticks->lost[LOSS_STALE] += process->stale;
}

void fields_lost(struct json *json, const char *key, const __u64 lost[LOSS_MAX])
{
	static const char *const names[LOSS_MAX] = {
#define X(id, name, text, meaning) [LOSS_##name] = text,
	    LOSS_REASONS(X)
#undef X
	};

	json_object(json, key);
	for (unsigned i = LOSS_NONE + 1; i < LOSS_MAX; i++)
		if (names[i] && lost[i])
			json_uint(json, names[i], lost[i]);
	json_end(json);
}

void fields_name(struct json *json, const char *key, const char *name)
{
	char flag[32];

	json_string(json, key, name);
	if (!name || !strings_is_cut(name))
		return;
	snprintf(flag, sizeof(flag), "%s_truncated", key);
	json_bool(json, flag, true);
}

void fields_place(struct json *json, const struct frame *frame, int line)
{
	fields_name(json, "function", frame->function);
	fields_name(json, "file", frame->file && frame->file[0] ? frame->file : NULL);
	if (line > 0)
		json_int(json, "line", line);
	else
		json_null(json, "line");
}

const char *fields_kind(enum frame_kind kind)
{
	static const char *const names[] = {[FRAME_KIND_PYTHON] = "python",
					    [FRAME_KIND_NATIVE] = "native",
					    [FRAME_KIND_KERNEL] = "kernel",
					    [FRAME_KIND_MARKER] = "marker"};

	return names[kind];
}

void fields_real(struct json *json, const char *key, double value)
{
	json_real(json, key, value, 2);
}

double fields_percent(uint64_t weight_ns, double seconds)
{
	return seconds > 0 ? (double)weight_ns / 1e7 / seconds : NAN;
}

void fields_events(struct json *json, const struct process_ticks *ticks)
{
	json_uint(json, "events", ticks->events);
	fields_lost(json, "lost", ticks->lost);
}
