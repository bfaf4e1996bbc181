/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pyprofd: the composition root. The stages in the order of the data:
 * probe → intake (decode, discover, symbolise) → window, recordings → server.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/api.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/worker.h"
#include "daemon/detach.h"
#include "daemon/discover.h"
#include "daemon/heap.h"
#include "daemon/intake.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/probe/mappings.h"
#include "daemon/probe/probe.h"
#include "daemon/probe/sampler.h"
#include "daemon/probe/sessions.h"
#include "daemon/report.h"
#include "daemon/serve/server.h"
#include "daemon/sources.h"

/* A full ring is what is lost; a record is shown at most this late. */
#define DRAIN_NS 50000000ull
#define TICK_NS 1000000000ull
#define CODES_BYTES (24u << 20) /* of the private-memory ceiling: names and line tables */

struct daemon {
	struct options options;
	struct loop *loop;
	struct probe *probe;
	struct mappings *mappings;
	struct sampler *sampler;
	struct sessions *sessions;
	struct sources *sources;
	struct processes *processes;
	struct codes *codes;
	struct stacks *stacks;
	struct window *window;
	struct discover *discover;
	struct intake *intake;
	struct report *report;
	struct server *server;
	int argc;
	char **argv;
};

/* --- events ---------------------------------------------------------------------------------- */

static void drain(void *data)
{
	struct daemon *d = data;

	probe_drain(d->probe);
	intake_drained(d->intake);
}

/* A description is in a ring before its sample: after two drains no more of them will come. */
static void settle(void *data)
{
	struct daemon *d = data;

	drain(d);
	drain(d);
	intake_settle(d->intake);
}

static void on_drain(void *data, uint64_t expirations)
{
	(void)expirations;
	drain(data);
}

static void on_ring(void *data, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	drain(data);
}

static void on_mapping(void *data, const struct mapping *mapping)
{
	struct daemon *d = data;

	discover_mapping(d->discover, mapping);
}

static void on_record(void *data, const void *bytes, size_t size)
{
	struct daemon *d = data;

	if (d->intake)
		intake_record(d->intake, bytes, size);
}

static void on_ended(void *data, struct process *process, bool last_of_family)
{
	struct daemon *d = data;

	sessions_ended(d->sessions, process->pid);
	intake_ended(d->intake, process, last_of_family);
}

static void on_cpu_back(void *data, unsigned cpu)
{
	struct daemon *d = data;

	log_info("sampling CPU %u again", cpu);
	mappings_restart(d->mappings, cpu);
}

static void on_tick(void *data, uint64_t expirations)
{
	struct daemon *d = data;

	(void)expirations;
	sampler_check(d->sampler, on_cpu_back, d);
	discover_tick(d->discover, loop_now_ns());
	intake_tick(d->intake, loop_now_ns());
	heap_tick(loop_now_ns());
	if (probe_events_lost(d->probe) + mappings_lost(d->mappings)) {
		log_warning("life-cycle events were lost, looking at /proc again");
		discover_scan(d->discover);
	}
}

static void on_watchdog(void *data, uint64_t expirations)
{
	(void)data;
	(void)expirations;
	notify_watchdog();
}

static void on_stop(void *data, int signal)
{
	struct daemon *d = data;

	log_info("stopping on signal %d", signal);
	loop_stop(d->loop);
}

static void on_reload(void *data, int signal)
{
	struct daemon *d = data;
	struct options options;
	int code;

	(void)signal;
	notify_reloading();
	if (options_parse(d->argc, d->argv, &options, &code) == 0) {
		log_set_level(options.log_level);
		d->options.budget_percent = options.budget_percent;
		log_info("read the settings again; socket and rate need a restart");
	}
	notify_ready();
}

/* --- the server's questions ------------------------------------------------------------------- */

static void hook_status(void *data, struct server_status *ret_status)
{
	struct daemon *d = data;

	report_status(d->report, ret_status);
}

static int hook_ticks(void *data, struct process *process, uint8_t source,
		      struct process_ticks *ret_ticks)
{
	struct daemon *d = data;

	return report_ticks(d->report, process, source, ret_ticks);
}

static int hook_sources_want(void *data, uint32_t resources)
{
	struct daemon *d = data;

	return sources_want(d->sources, resources);
}

static void hook_sources_drop(void *data, uint32_t resources)
{
	struct daemon *d = data;

	sources_drop(d->sources, resources);
}

static int hook_recording_add(void *data, struct recording *recording, pid_t pid)
{
	struct daemon *d = data;

	return sessions_add(d->sessions, recording, pid, recording->hz);
}

static int hook_recording_start(void *data, struct recording *recording)
{
	int r = 0;

	for (size_t i = 0; i < recording->npids && !r; i++)
		r = hook_recording_add(data, recording, recording->pids[i]);
	return r;
}

static void hook_recording_stop(void *data, struct recording *recording)
{
	struct daemon *d = data;

	sessions_drop(d->sessions, recording);
}

/* --- start and end ---------------------------------------------------------------------------- */

static int stages_make(struct daemon *d)
{
	d->loop = loop_new();
	d->processes = processes_new();
	d->codes = codes_new(CODES_BYTES);
	d->stacks = stacks_new();
	if (!d->loop || !d->processes || !d->codes || !d->stacks)
		return -ENOMEM;
	d->window = window_new(d->stacks);
	return d->window ? worker_init(d->loop) : -ENOMEM;
}

static int probes_attach(struct daemon *d)
{
	struct probe_options options = {.hz = d->options.hz, .record = on_record, .data = d};
	char error[256] = "";
	int r;

	options.force_tail = getenv("PYPROF_FORCE_TAIL") != NULL;
	r = probe_new(&options, &d->probe, error, sizeof(error));
	if (r) {
		log_error("%s (see: pyprofctl doctor)", error);
		return r;
	}
	d->sessions = sessions_new(d->probe);
	d->sources = sources_new(d->probe);
	if (!d->sessions || !d->sources)
		return -ENOMEM;
	r = mappings_new(d->loop, probe_cpus(d->probe), on_mapping, d, &d->mappings);
	if (r)
		log_error("cannot watch executable mappings: %s (see: pyprofctl doctor)",
			  strerror(-r));
	return r;
}

static int intake_make(struct daemon *d)
{
	struct discover_stages discover = {
	    .probe = d->probe, .processes = d->processes, .ended = on_ended, .data = d};
	struct intake_stages intake = {.probe = d->probe,
				       .processes = d->processes,
				       .codes = d->codes,
				       .stacks = d->stacks,
				       .window = d->window};

	d->discover = discover_new(&discover);
	intake.discover = d->discover;
	d->intake = d->discover ? intake_new(&intake) : NULL;
	return d->intake ? 0 : -ENOMEM;
}

static int server_make(struct daemon *d)
{
	struct server_config config = {
	    .socket = d->options.socket,
	    .loop = d->loop,
	    .processes = d->processes,
	    .stacks = d->stacks,
	    .window = d->window,
	    .hz = d->options.hz,
	    .hooks = {.data = d,
		      .status = hook_status,
		      .ticks = hook_ticks,
		      .drain = drain,
		      .settle = settle,
		      .sources_want = hook_sources_want,
		      .sources_drop = hook_sources_drop,
		      .recording_start = hook_recording_start,
		      .recording_add = hook_recording_add,
		      .recording_stop = hook_recording_stop},
	};
	int r;

	d->report = report_new(d->probe, d->sampler, d->sessions, &d->options);
	if (!d->report)
		return -ENOMEM;
	r = server_start(&config, &d->server);
	if (r == -EADDRINUSE)
		log_error("another pyprofd serves %s (stop it first, or choose another --socket)",
			  d->options.socket);
	else if (r)
		log_error("cannot serve on %s: %s", d->options.socket, strerror(-r));
	if (r == 0)
		intake_serve(d->intake, d->server);
	return r;
}

/* The sampler last: the start of the others is no sample. */
static int sampling_start(struct daemon *d)
{
	int r = sampler_new(d->probe, d->options.hz, &d->sampler);

	if (r)
		log_error("cannot open the sampling events: %s (see: pyprofctl doctor)",
			  strerror(-r));
	return r;
}

static int events_watch(struct daemon *d)
{
	uint64_t watchdog = notify_watchdog_interval_ns();
	bool ok = loop_add_fd(d->loop, probe_fd(d->probe), EPOLLIN, on_ring, d) &&
		  loop_add_timer(d->loop, DRAIN_NS, DRAIN_NS, on_drain, d) &&
		  loop_add_timer(d->loop, TICK_NS, TICK_NS, on_tick, d) &&
		  loop_add_signal(d->loop, SIGTERM, on_stop, d) &&
		  loop_add_signal(d->loop, SIGINT, on_stop, d) &&
		  loop_add_signal(d->loop, SIGHUP, on_reload, d) &&
		  (!watchdog || loop_add_timer(d->loop, watchdog, watchdog, on_watchdog, d));

	return ok ? 0 : -ENOMEM;
}

static int daemon_start(struct daemon *d)
{
	int r = stages_make(d);

	if (!r)
		r = probes_attach(d);
	if (!r)
		r = intake_make(d);
	if (!r)
		r = sampling_start(d);
	if (!r)
		r = server_make(d);
	if (!r)
		r = events_watch(d);
	if (!r)
		discover_scan(d->discover);
	worker_hurry();
	return r;
}

static void daemon_stop(struct daemon *d)
{
	worker_done();
	server_stop(d->server);
	report_free(d->report);
	sampler_free(d->sampler);
	sessions_free(d->sessions);
	sources_free(d->sources);
	mappings_free(d->mappings);
	probe_free(d->probe);
	intake_free(d->intake);
	discover_free(d->discover);
	window_free(d->window);
	stacks_free(d->stacks);
	codes_free(d->codes);
	processes_free(d->processes);
	loop_free(d->loop);
}

static int exit_code(int r)
{
	switch (-r) {
	case 0:
		return 0;
	case EADDRINUSE:
		return 75;
	case EPERM:
	case EACCES:
		return 77;
	default:
		return 69;
	}
}

int main(int argc, char **argv)
{
	struct daemon d = {.argc = argc, .argv = argv};
	int code, r;

	if (options_parse(argc, argv, &d.options, &code))
		return code;
	log_set_level(d.options.log_level);
	heap_init();
	signal(SIGPIPE, SIG_IGN);
	if (!d.options.foreground)
		detach_begin();
	r = daemon_start(&d);
	if (r == 0) {
		notify_ready();
		notify_status("sampling %u CPUs at %u Hz", sampler_cpus_sampled(d.sampler),
			      d.options.hz);
		log_info("pyprofd " PYPROF_VERSION " samples %u CPUs at %u Hz, socket %s",
			 sampler_cpus_sampled(d.sampler), d.options.hz, d.options.socket);
		detach_ready();
		r = loop_run(d.loop);
		notify_stopping();
	}
	daemon_stop(&d);
	return exit_code(r);
}
