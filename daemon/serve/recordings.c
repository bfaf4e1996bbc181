/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starts, feeds and ends recordings; the few that run are a list. */
#include "daemon/serve/recordings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/serve/members.h"
#include "daemon/target/procfs.h"

#define NS_PER_S 1000000000ull
#define TURN_NS 50000000ull /* how late a recording may end */
#define TARGET_TURNS 4      /* turns between looks at whether the targets live */
#define STACKS_MAX 100000

struct recordings {
	struct server_config config;
	struct loop_source *timer; /* while any runs */
	unsigned turn, last_id;
	struct active *first;
};

struct recordings *recordings_new(const struct server_config *config)
{
	struct recordings *recordings = calloc(1, sizeof(*recordings));

	if (recordings)
		recordings->config = *config;
	return recordings;
}

void recordings_free(struct recordings *recordings)
{
	if (!recordings)
		return;
	while (recordings->first)
		recordings_drop(recordings->first);
	loop_remove(recordings->config.loop, recordings->timer);
	free(recordings);
}

/* Start and end */

static void sources_detach(struct active *active)
{
	const struct server_hooks *hooks = &active->config->hooks;

	if (active->counting)
		hooks->sources_drop(hooks->data, active->recording.resources);
	active->counting = false;
}

static void active_free(struct active *active)
{
	sources_detach(active);
	profile_free(active->recording.profile);
	free(active->recording.pids);
	free(active->starts);
	map_free(active->members);
	map_free(active->family);
	selector_done(&active->selector);
	free(active);
}

static void active_free_ptr(struct active **active)
{
	if (*active)
		active_free(*active);
}

static int room_check(const struct recordings *recordings, const struct recording_spec *spec,
		      struct error *error)
{
	size_t all = 0, own = 0;

	for (struct active *a = recordings->first; a; a = a->next) {
		all++;
		own += a->peer.uid == spec->peer->uid;
		if (a->running && a->recording.source == SOURCE_SESSION &&
		    spec->hz > recordings->config.hz && spec->hz != a->recording.hz)
			return error_set(error, API_BUSY, "another recording runs at %u Hz",
					 a->recording.hz);
	}
	if (all >= RECORDINGS_MAX || (!spec->peer->all && own >= RECORDINGS_MAX_OWNER))
		return error_set(error, API_BUSY, "%zu recordings run already", all);
	return 0;
}

/* Pids of the processes that match now, or those named when children are wanted: a command that
 * will become Python (`record -- command`) is none yet. */
static int pids_take(struct active *active, const struct selection *selection)
{
	const struct selector *selector = &active->selector;
	bool raw = active->recording.children && selector->npids;
	size_t n = raw ? selector->npids : selection->nprocesses;
	struct procfs_stat stat;

	active->recording.pids = calloc(n + 1, sizeof(pid_t));
	active->starts = calloc(n + 1, sizeof(uint64_t));
	if (!active->recording.pids || !active->starts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		pid_t pid = raw ? selector->pids[i] : selection->processes[i]->pid;

		active->recording.pids[i] = pid;
		active->starts[i] = procfs_stat(pid, &stat) == 0 ? stat.start_boot_ns : 0;
		members_adopt(active, pid);
	}
	active->recording.npids = n;
	return 0;
}

/* Without a selector the only process is meant: from now on it is named by its pid. */
static int only_name(struct selector *selector, const struct selection *selection)
{
	if (!selector_empty(selector) || selection->nprocesses != 1)
		return 0;
	free(selector->pids);
	selector->pids = calloc(1, sizeof(pid_t));
	if (!selector->pids)
		return -ENOMEM;
	selector->pids[0] = selection->processes[0]->pid;
	selector->npids = 1;
	return 0;
}

static int raw_check(const struct selector *selector, const struct peer *peer, struct error *error)
{
	for (size_t i = 0; i < selector->npids; i++) {
		struct procfs_stat stat;

		if (procfs_stat(selector->pids[i], &stat) < 0)
			return error_set(error, API_NO_SUCH_PID, "%d", (int)selector->pids[i]);
		if (!peer_may_see_pid(peer, selector->pids[i]))
			return error_set(error, API_NO_PERMISSION, "process %d",
					 (int)selector->pids[i]);
	}
	return 0;
}

/* One process that cannot be read is an error; among several it just has no samples. */
static int supported_check(const struct selection *selection, struct error *error)
{
	const struct process *process = selection->nprocesses ? selection->processes[0] : NULL;

	if (selection->nprocesses == 1 && process->python->image.state == PY_UNSUPPORTED)
		return error_set(error, API_UNSUPPORTED, "process %d: %s", (int)process->pid,
				 process->python->image.reason);
	return 0;
}

static int targets_resolve(struct recordings *recordings, const struct recording_spec *spec,
			   struct selection *selection, struct error *error)
{
	int r;

	if (spec->children && spec->selector->npids)
		return raw_check(spec->selector, spec->peer, error);
	r = selector_resolve(spec->selector, recordings->config.processes, spec->peer, SELECT_ONLY,
			     false, selection, error);
	if (r < 0)
		return r;
	r = supported_check(selection, error);
	if (r == 0 && only_name(spec->selector, selection) < 0)
		r = error_set(error, API_INTERNAL, "out of memory");
	return r;
}

static void recording_init(struct active *active, const struct recording_spec *spec)
{
	struct recordings *owner = active->owner;
	struct recording *recording = &active->recording;
	bool faster = spec->hz > owner->config.hz;

	recording->profile = profile_new(owner->config.stacks, STACKS_MAX);
	recording->all = spec->selector->npids == 0;
	recording->children = spec->children;
	recording->resources = spec->resources ? spec->resources : RESOURCE_BIT(RESOURCE_CPU);
	recording->source = faster ? SOURCE_SESSION : SOURCE_ALWAYS;
	recording->hz = faster ? spec->hz : owner->config.hz;
	recording->started_ns = loop_now_ns();
	recording->started_wall_ns = loop_wall_ns();
	if (spec->seconds > 0)
		recording->ends_ns =
		    recording->started_ns + (uint64_t)(spec->seconds * (double)NS_PER_S);
}

static struct active *active_new(struct recordings *recordings, const struct recording_spec *spec)
{
	struct active *active = calloc(1, sizeof(*active));

	if (!active)
		return NULL;
	active->owner = recordings;
	active->config = &recordings->config;
	active->peer = *spec->peer;
	active->connection = spec->connection;
	active->done = spec->done;
	active->data = spec->data;
	active->members = map_new(sizeof(uint64_t), sizeof(struct member));
	active->family = map_new(sizeof(uint32_t), 1);
	recording_init(active, spec);
	if (!active->members || !active->family || !active->recording.profile) {
		active_free(active);
		return NULL;
	}
	return active;
}

static void active_look(struct active *active);

static void timer_check(struct recordings *recordings)
{
	if (recordings->first)
		return;
	loop_remove(recordings->config.loop, recordings->timer);
	recordings->timer = NULL;
}

static void recordings_turn(void *data, uint64_t expirations)
{
	struct recordings *recordings = data;
	bool look = ++recordings->turn % TARGET_TURNS == 0;
	uint64_t now = loop_now_ns();

	(void)expirations;
	timer_check(recordings);
	for (struct active *active = recordings->first, *next; active; active = next) {
		uint64_t ends = active->recording.ends_ns;

		next = active->next;
		if (active->running && ends && ends <= now)
			recordings_stop(active);
		else if (active->running && look)
			active_look(active);
		if (!active->running && active->done) {
			void (*done)(void *) = active->done;

			active->done = NULL;
			done(active->data); /* may drop it */
		}
	}
}

static int timer_want(struct recordings *recordings)
{
	if (!recordings->timer)
		recordings->timer = loop_add_timer(recordings->config.loop, TURN_NS, TURN_NS,
						   recordings_turn, recordings);
	return recordings->timer ? 0 : -errno;
}

/* A hook for system calls or page faults costs every process of the host: others' too. */
static int sources_attach(struct active *active, struct error *error)
{
	const struct server_hooks *hooks = &active->config->hooks;
	int r;

	if (active->recording.resources == RESOURCE_BIT(RESOURCE_CPU))
		return 0;
	if (active->recording.source == SOURCE_SESSION)
		return error_set(error, API_USAGE, "a rate goes with cpu alone");
	if (!active->peer.all)
		return error_set(error, API_NO_PERMISSION, "recordings other than of cpu");
	if (!hooks->sources_want)
		return error_set(error, API_USAGE, "this daemon records cpu only");
	r = hooks->sources_want(hooks->data, active->recording.resources);
	if (r == -ENOTSUP)
		return error_set(error, API_NO_BPF, "counting needs Linux 5.17 or newer");
	if (r < 0)
		return error_set(error, API_NO_BPF, "cannot attach what counts: %s", strerror(-r));
	active->counting = true;
	return 0;
}

static int attach(struct active *active, struct error *error)
{
	const struct server_hooks *hooks = &active->config->hooks;
	int r = sources_attach(active, error);

	if (r < 0)
		return r;
	if (active->recording.source != SOURCE_SESSION)
		return 0;
	if (!hooks->recording_start)
		return error_set(error, API_USAGE, "this daemon records at %u Hz only",
				 active->config->hz);
	r = hooks->recording_start(hooks->data, &active->recording);
	return r < 0 ? error_set(error, API_INTERNAL, "cannot attach events at %u Hz: %s",
				 active->recording.hz, strerror(-r))
		     : 0;
}

int recordings_start(struct recordings *recordings, const struct recording_spec *spec,
		     struct active **ret_active, struct error *error)
{
	_cleanup_(selection_done) struct selection selection = {0};
	_cleanup_(active_free_ptr) struct active *active = NULL;
	int r;

	if ((r = room_check(recordings, spec, error)) < 0 ||
	    (r = targets_resolve(recordings, spec, &selection, error)) < 0)
		return r;
	active = active_new(recordings, spec);
	if (!active || timer_want(recordings) < 0)
		return error_set(error, API_INTERNAL, "out of memory");
	active->selector = *spec->selector;
	*spec->selector = (struct selector){0};
	if (pids_take(active, &selection) < 0)
		return error_set(error, API_INTERNAL, "out of memory");
	members_begin(active);
	r = attach(active, error);
	if (r < 0)
		return r;
	active->running = true;
	active->id = ++recordings->last_id;
	active->next = recordings->first;
	recordings->first = active;
	*ret_active = TAKE_PTR(active);
	return 0;
}

void recordings_stop(struct active *active)
{
	const struct server_hooks *hooks = &active->config->hooks;

	if (!active->running)
		return;
	members_close(active);
	active->running = false;
	sources_detach(active);
	active->stopped_ns = loop_now_ns();
	if (active->recording.ends_ns && active->stopped_ns > active->recording.ends_ns)
		active->stopped_ns = active->recording.ends_ns;
	if (active->recording.source == SOURCE_SESSION && hooks->recording_stop)
		hooks->recording_stop(hooks->data, &active->recording);
}

void recordings_drop(struct active *active)
{
	struct recordings *recordings = active->owner;
	struct active **at = &recordings->first;

	recordings_stop(active);
	while (*at != active)
		at = &(*at)->next;
	*at = active->next;
	active_free(active);
	timer_check(recordings);
}

void recordings_drop_connection(struct recordings *recordings, const void *connection)
{
	for (struct active *active = recordings->first, *next; active; active = next) {
		next = active->next;
		if (active->connection == connection)
			recordings_drop(active);
	}
}

struct active *recordings_find(struct recordings *recordings, unsigned id)
{
	struct active *active = recordings->first;

	while (active && active->id != id)
		active = active->next;
	return active;
}

/* The named process is there and no zombie. */
static bool target_lives(const struct active *active, size_t i)
{
	struct procfs_stat stat;

	return procfs_stat(active->recording.pids[i], &stat) == 0 &&
	       stat.start_boot_ns == active->starts[i] && stat.state != 'Z' && stat.state != 'X';
}

/* A recording of named processes ends with the last of them. */
static void target_ended_check(struct active *active)
{
	if (!active->selector.npids)
		return;
	for (size_t i = 0; i < active->recording.npids; i++)
		if (target_lives(active, i))
			return;
	if (active->recording.children && members_live(active))
		return;
	recordings_stop(active);
}

static void active_look(struct active *active)
{
	members_sweep(active);
	target_ended_check(active);
}

/* Events from main */

/* The rate is a matter of CPU samples alone. */
static bool recording_takes(const struct recording *recording, uint8_t source, uint8_t resource)
{
	if (!(recording->resources & RESOURCE_BIT(resource)))
		return false;
	return resource != RESOURCE_CPU || recording->source == source;
}

static void sample_take(struct active *active, struct member *member, const struct profile_key *key,
			uint64_t weight, bool stale)
{
	if (key->resource != RESOURCE_CPU) {
		/* No counter to match: what came is what is known. */
		if (!member->in)
			return;
		if (key->partial || stale)
			active->past.lost[key->partial ? key->partial : LOSS_STALE]++;
		else
			active->past.samples++;
	} else if (members_take(member)) {
		active->stale += stale;
	} else {
		return;
	}
	profile_add(active->recording.profile, key, weight);
}

void recordings_sample(struct recordings *recordings, struct process *process, uint8_t source,
		       const struct profile_key *key, uint64_t weight, bool stale)
{
	for (struct active *active = recordings->first; active; active = active->next) {
		struct member *member;

		if (!active->running || !recording_takes(&active->recording, source, key->resource))
			continue;
		member = members_find(active, process);
		if (member)
			sample_take(active, member, key, weight, stale);
	}
	process->delivered[source] += key->resource == RESOURCE_CPU;
}

void recordings_process_started(struct recordings *recordings, struct process *process)
{
	const struct server_hooks *hooks = &recordings->config.hooks;

	for (struct active *active = recordings->first; active; active = active->next) {
		struct member *member;

		if (!active->running)
			continue;
		member = members_find(active, process);
		/* Without it a sample at most is missed: the process may have ended. */
		if (member && member->in && active->recording.source == SOURCE_SESSION &&
		    hooks->recording_add)
			hooks->recording_add(hooks->data, &active->recording, process->pid);
	}
}

void recordings_process_ended(struct recordings *recordings, struct process *process)
{
	for (struct active *active = recordings->first; active; active = active->next)
		if (active->running)
			members_ended(active, process);
}

double recordings_seconds(const struct active *active)
{
	uint64_t until = active->running ? loop_now_ns() : active->stopped_ns;

	return (double)(until - active->recording.started_ns) / (double)NS_PER_S;
}
