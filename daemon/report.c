/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

struct report {
	struct probe *probe;
	struct sampler *sampler;
	struct sessions *sessions;
	const struct options *options;
	struct server_cpu *cpus;
	struct server_source sources[3 + SRC_COUNT];
	/* the last moment asked, for rates */
	uint64_t ran, ran_ns;
	double per_second;
};

static const struct server_limit report_limits[] = {
    {"frames", FRAMES_MAX},
    {"walk_steps", WALK_STEPS_MAX},
    {"threads_searched", THREAD_LIST_MAX},
    {"descriptions_per_sample", UNSENT_MAX},
    {"line_table_bytes", CODE_TEXT_MAX},
    {"name_bytes", CODE_STRING_MAX},
    {"command_line_bytes", ARGV_MAX},
    {"interpreter_builds", LAYOUTS_MAX},
    {"processes", PROCESSES_MAX},
};

struct report *report_new(struct probe *probe, struct sampler *sampler, struct sessions *sessions,
			  const struct options *options)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->probe = probe;
	report->sampler = sampler;
	report->sessions = sessions;
	report->options = options;
	report->per_second = NAN;
	report->cpus = calloc(probe_cpus(probe), sizeof(*report->cpus));
	if (!report->cpus) {
		free(report);
		return NULL;
	}
	return report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	free(report->cpus);
	free(report);
}

static size_t cpus_fill(struct report *report, uint64_t *ret_ran)
{
	size_t n = 0;

	*ret_ran = 0;
	for (unsigned cpu = 0; cpu < probe_cpus(report->probe); cpu++) {
		struct server_cpu *c = &report->cpus[n];

		c->cpu = cpu;
		if (sampler_ticks(report->sampler, cpu, &c->ticks) < 0 || !c->ticks.due)
			continue;
		*ret_ran += c->ticks.ran;
		n++;
	}
	return n;
}

static void rate_update(struct report *report, uint64_t ran)
{
	uint64_t now = loop_now_ns();

	/* CPUs that restarted their event count on; the sum never falls. */
	if (report->ran_ns && now > report->ran_ns)
		report->per_second =
		    (double)(ran - report->ran) * 1e9 / (double)(now - report->ran_ns);
	report->ran = ran;
	report->ran_ns = now;
}

/* Programs that run while somebody asks for what they count. */
static void counting_fill(struct report *report)
{
	static const char *const names[SRC_COUNT] = {
	    [SRC_SYSCALLS] = "syscalls", [SRC_MEMORY] = "memory"};
	bool possible = probe_uses_loop(report->probe);

	for (unsigned id = 0; id < SRC_COUNT; id++) {
		bool attached = probe_source_attached(report->probe, id);

		report->sources[3 + id] =
		    (struct server_source){.name = names[id],
					   .attached = attached,
					   .mode = attached   ? "on"
						   : possible ? "demand"
							      : "off",
					   .reason = attached   ? NULL
						     : possible ? "nobody asks for what it counts"
								: "needs Linux 5.17 or newer",
					   .price_ns = NAN,
					   .per_second = NAN,
					   .cost_percent = NAN};
	}
}

void report_status(struct report *report, struct server_status *ret_status)
{
	static struct server_feature features[2];
	uint64_t ran;
	size_t ncpus = cpus_fill(report, &ran), events = sessions_events(report->sessions);

	rate_update(report, ran);
	features[0] = (struct server_feature){"bpf_loop", probe_uses_loop(report->probe)};
	features[1] = (struct server_feature){"tail_calls", !probe_uses_loop(report->probe)};
	/* The price of a tick depends on what it hits; the kernel measures it only with bpf_stats
	 * on. */
	report->sources[0] =
	    (struct server_source){.name = "cpu",
				   .attached = sampler_cpus_sampled(report->sampler) > 0,
				   .mode = "on",
				   .price_ns = NAN,
				   .per_second = report->per_second,
				   .cost_percent = NAN};
	report->sources[1] = (struct server_source){.name = "lifecycle",
						    .attached = true,
						    .mode = "on",
						    .price_ns = NAN,
						    .per_second = NAN,
						    .cost_percent = NAN};
	report->sources[2] = (struct server_source){
	    .name = "recording",
	    .attached = events > 0,
	    .mode = events ? "on" : "demand",
	    .reason = events ? NULL : "no recording above the daemon's rate runs",
	    .price_ns = NAN,
	    .per_second = NAN,
	    .cost_percent = NAN};
	counting_fill(report);
	*ret_status = (struct server_status){
	    .cpus = report->cpus,
	    .ncpus = ncpus,
	    .sources = report->sources,
	    .nsources = ARRAY_SIZE(report->sources),
	    .limits = report_limits,
	    .nlimits = ARRAY_SIZE(report_limits),
	    .features = features,
	    .nfeatures = ARRAY_SIZE(features),
	    .cost_percent = NAN,
	    .budget_percent = report->options->budget_percent,
	    .map_bytes = probe_map_bytes(report->probe),
	};
}

/* A sample whose walk is under way at this moment is counted as an event only: it belongs to the
 * next answer. */
static void ticks_settle(struct process_ticks *ticks)
{
	ticks->events = ticks->samples + ticks->native;
	for (unsigned i = 0; i < LOSS_MAX; i++)
		ticks->events += ticks->lost[i];
}

int report_ticks(struct report *report, struct process *process, uint8_t source,
		 struct process_ticks *ret_ticks)
{
	struct py_process told;

	/* Once the kernel's entry is gone (or another's), what the exit record told is final. */
	if (!process->ended_time_ns && probe_process_get(report->probe, process->pid, &told) == 0 &&
	    told.generation == process->generation) {
		process->ticks = told.ticks;
		process->session_ticks = told.session;
	}
	*ret_ticks = source == SOURCE_ALWAYS ? process->ticks : process->session_ticks;
	ticks_settle(ret_ticks);
	return 0;
}
