/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * /v1/status: how every tick was spent, per CPU and per process, and what the daemon itself costs.
 * Per CPU: python + native + other + kernel + idle + self + Σ lost = due.
 */
#include "daemon/serve/doc.h"

#include <math.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "daemon/serve/fields.h"
#include "daemon/target/procfs.h"

struct totals {
	uint64_t events, samples;
	__u64 lost[LOSS_MAX];
};

/* Ticks that never reached the program are known by the event's own clock. */
static uint64_t skipped(const struct cpu_ticks *ticks)
{
	uint64_t missing = ticks->due > ticks->ran ? ticks->due - ticks->ran : 0;

	return ticks->lost[LOSS_SKIPPED] > missing ? ticks->lost[LOSS_SKIPPED] : missing;
}

static void write_cpu(struct json *json, const struct server_cpu *cpu, struct totals *totals)
{
	static const char *const kinds[TICK_KINDS] = {
	    [TICK_PYTHON] = "python", [TICK_NATIVE] = "native", [TICK_OTHER] = "other",
	    [TICK_KERNEL] = "kernel", [TICK_IDLE] = "idle",     [TICK_SELF] = "self"};
	struct cpu_ticks ticks = cpu->ticks;

	ticks.lost[LOSS_SKIPPED] = skipped(&ticks);
	json_object(json, NULL);
	json_uint(json, "cpu", cpu->cpu);
	json_uint(json, "due", ticks.due);
	for (unsigned i = 0; i < TICK_KINDS; i++)
		json_uint(json, kinds[i], ticks.kind[i]);
	fields_lost(json, "lost", ticks.lost);
	json_end(json);
	totals->events += ticks.due;
	totals->samples += ticks.kind[TICK_PYTHON];
	for (unsigned i = 0; i < LOSS_MAX; i++)
		totals->lost[i] += ticks.lost[i];
}

/* Names that were lost in user space are counted per process only. */
static void totals_stale(struct request *request, struct totals *totals)
{
	struct process *process;

	for (size_t at = 0; (process = processes_next(request->serving->config.processes, &at));) {
		uint64_t stale = process->stale;

		if (stale > totals->samples)
			stale = totals->samples;
		totals->samples -= stale;
		totals->lost[LOSS_STALE] += stale;
	}
}

static void write_cpus(struct request *request, struct json *json,
		       const struct server_status *status)
{
	struct totals totals = {0};

	json_array(json, "cpus");
	for (size_t i = 0; i < status->ncpus; i++)
		write_cpu(json, &status->cpus[i], &totals);
	json_end(json);
	totals_stale(request, &totals);
	json_uint(json, "events", totals.events);
	json_uint(json, "samples", totals.samples);
	fields_lost(json, "lost", totals.lost);
}

static void write_processes(struct request *request, struct json *json)
{
	struct process *process;

	json_array(json, "per_process");
	for (size_t at = 0; (process = processes_next(request->serving->config.processes, &at));) {
		struct process_ticks ticks;

		if (process->ended_time_ns || !peer_may_see(request->peer, process))
			continue;
		fields_ticks(request->serving, process, &ticks);
		json_object(json, NULL);
		json_int(json, "pid", process->pid);
		json_uint(json, "events", ticks.events);
		json_uint(json, "samples", ticks.samples);
		json_uint(json, "native", ticks.native);
		fields_lost(json, "lost", ticks.lost);
		json_end(json);
	}
	json_end(json);
}

static void write_sources(struct json *json, const struct server_status *status)
{
	json_array(json, "sources");
	for (size_t i = 0; i < status->nsources; i++) {
		const struct server_source *source = &status->sources[i];

		json_object(json, NULL);
		json_string(json, "name", source->name);
		json_bool(json, "attached", source->attached);
		json_string(json, "reason", source->reason);
		json_string(json, "mode", source->mode);
		fields_real(json, "price_ns", source->price_ns);
		fields_real(json, "per_second", source->per_second);
		json_real(json, "cost_percent", source->cost_percent, 4);
		json_end(json);
	}
	json_end(json);
}

static void write_memory(struct json *json, const struct server_status *status)
{
	struct procfs_memory memory;

	if (procfs_memory(getpid(), &memory) == 0) {
		json_uint(json, "private_bytes", memory.private_bytes);
		json_uint(json, "rss_bytes", memory.rss_bytes);
	} else {
		json_null(json, "private_bytes");
		json_null(json, "rss_bytes");
	}
	json_uint(json, "map_bytes", status->map_bytes);
}

static double own_cpu_seconds(void)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) < 0)
		return NAN;
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void write_costs(struct json *json, const struct server_status *status)
{
	json_real(json, "cost_percent", status->cost_percent, 4);
	json_real(json, "budget_percent", status->budget_percent, 4);
	json_real(json, "cpu_seconds", own_cpu_seconds(), 3);
	write_memory(json, status);
	json_object(json, "limits");
	for (size_t i = 0; i < status->nlimits; i++)
		json_uint(json, status->limits[i].name, status->limits[i].value);
	json_uint(json, "recordings", RECORDINGS_MAX);
	json_uint(json, "window_seconds", WINDOW_SECONDS);
	json_end(json);
}

int doc_status(struct request *request)
{
	const struct server_config *config = &request->serving->config;
	struct server_status status = {.cost_percent = NAN, .budget_percent = NAN};
	struct utsname system;
	struct json json;

	if (config->hooks.drain)
		config->hooks.drain(config->hooks.data);
	config->hooks.status(config->hooks.data, &status);
	request_begin(request, &json);
	json_string(&json, "version", PYPROF_VERSION);
	json_real(&json, "uptime_seconds",
		  (double)(loop_now_ns() - request->serving->started_ns) / 1e9, 3);
	json_uint(&json, "hz", config->hz);
	json_string(&json, "kernel", uname(&system) == 0 ? system.release : NULL);
	write_cpus(request, &json, &status);
	write_processes(request, &json);
	write_sources(&json, &status);
	write_costs(&json, &status);
	json_end(&json);
	return 0;
}
