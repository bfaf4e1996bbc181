/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A recording's sums, whatever happens between two reads: a made-up kernel ticks on while the
 * daemon looks at its counters and its ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/members.h"

#define RING 4096
#define WEIGHT 1000

/* A record is sent first and counted a moment later, as bpf/sample.bpf.c does. */
struct kernel {
	struct process_ticks ticks;
	struct {
		bool partial, stale;
	} ring[RING];
	size_t head, tail;
	int uncounted;  /* -1 none; 0 whole, 1 partial */
	unsigned busy;  /* ticks at most between two looks */
	unsigned drops; /* records that get lost in user space */
};

static struct kernel kernel;
static struct server_config config;
static struct recordings *recordings;
static struct process *process;
static struct stack *stack;

static unsigned chance(unsigned n)
{
	return (unsigned)rand() % n;
}

static void count(bool partial)
{
	if (!partial) {
		kernel.ticks.samples++;
		return;
	}
	kernel.ticks.lost[LOSS_TRUNCATED]++;
	kernel.ticks.kept++;
}

static void catch_up(void)
{
	if (kernel.uncounted >= 0)
		count(kernel.uncounted);
	kernel.uncounted = -1;
}

static void tick(void)
{
	bool partial = chance(5) == 0;

	catch_up();
	if (chance(5) == 0) {
		kernel.ticks.lost[LOSS_NESTED]++;
		return;
	}
	assert_true(kernel.tail - kernel.head < RING);
	kernel.ring[kernel.tail % RING].partial = partial;
	kernel.ring[kernel.tail++ % RING].stale = !partial && chance(10) == 0;
	kernel.uncounted = partial;
	if (chance(3))
		catch_up();
}

static void ticks_happen(void)
{
	for (unsigned n = kernel.busy ? chance(kernel.busy) : 0; n; n--)
		tick();
}

static int hook_ticks(void *data, struct process *of, uint8_t source,
		      struct process_ticks *ret_ticks)
{
	(void)data;
	assert_ptr_equal(of, process);
	assert_int_equal(source, SOURCE_ALWAYS);
	ticks_happen();
	*ret_ticks = kernel.ticks;
	ticks_happen();
	return 0;
}

static void deliver_one(void)
{
	struct profile_key key = {.generation = process->generation,
				  .tid = 1,
				  .partial = kernel.ring[kernel.head % RING].partial,
				  .stack = stack};
	bool stale = kernel.ring[kernel.head++ % RING].stale;

	if (kernel.drops && !key.partial && !stale) {
		kernel.drops--;
		process->delivered[SOURCE_ALWAYS]++;
		return;
	}
	recordings_sample(recordings, process, SOURCE_ALWAYS, &key, WEIGHT, stale);
}

/* A record of another source than the clock: no counter of ticks has it. */
static void deliver_memory(uint8_t partial, bool stale)
{
	struct profile_key key = {.generation = process->generation,
				  .tid = 1,
				  .resource = RESOURCE_MEMORY,
				  .partial = partial,
				  .stack = stack};

	recordings_sample(recordings, process, SOURCE_ALWAYS, &key, WEIGHT, stale);
}

/* What runs for recordings at this moment. */
static uint32_t wanted;

static int hook_sources_want(void *data, uint32_t resources)
{
	(void)data;
	wanted |= resources;
	return 0;
}

static void hook_sources_drop(void *data, uint32_t resources)
{
	(void)data;
	wanted &= ~resources;
}

static void hook_settle(void *data)
{
	size_t until = kernel.tail;

	(void)data;
	while (kernel.head < until || (kernel.head < kernel.tail && chance(2))) {
		deliver_one();
		if (chance(3) == 0)
			deliver_memory(LOSS_NONE, chance(2));
		if (kernel.busy && chance(4) == 0)
			tick();
	}
}

static int make(void **state)
{
	(void)state;
	srand(1);
	config.loop = loop_new();
	config.processes = processes_new();
	config.stacks = stacks_new();
	config.hz = 99;
	config.hooks.ticks = hook_ticks;
	config.hooks.settle = hook_settle;
	config.hooks.sources_want = hook_sources_want;
	config.hooks.sources_drop = hook_sources_drop;
	recordings = recordings_new(&config);
	process = processes_add(config.processes, 1, getpid());
	process->python->image.state = PY_SUPPORTED;
	stack = stacks_intern(config.stacks, NULL, 0);
	return config.loop && recordings && process && stack ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	recordings_free(recordings);
	stacks_unref(config.stacks, stack);
	stacks_free(config.stacks);
	processes_free(config.processes);
	loop_free(config.loop);
	return 0;
}

static struct active *start(uint32_t resources)
{
	struct peer peer = {.all = true};
	pid_t *pid = malloc(sizeof(*pid));
	struct selector selector = {.pids = pid, .npids = 1};
	struct recording_spec spec = {.selector = &selector, .peer = &peer, .resources = resources};
	struct active *active = NULL;
	struct error error = {0};

	*pid = getpid();
	assert_int_equal(recordings_start(recordings, &spec, &active, &error), 0);
	return active;
}

static uint64_t events(void)
{
	uint64_t n = kernel.ticks.samples;

	for (unsigned i = 0; i < LOSS_MAX; i++)
		n += kernel.ticks.lost[i];
	return n;
}

static uint64_t lost(const struct process_ticks *ticks)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < LOSS_MAX; i++)
		n += ticks->lost[i];
	return n;
}

/* Runs a recording over some ticks; counts of the kernel before, between and after. */
static struct active *record(struct process_ticks *ret_sum, uint64_t ret_events[4])
{
	struct active *active;

	ticks_happen();
	ret_events[0] = events();
	active = start(0);
	ret_events[1] = events() + (kernel.uncounted >= 0);
	for (unsigned i = 0; i < 20; i++) {
		ticks_happen();
		if (chance(3) == 0)
			hook_settle(NULL);
	}
	ret_events[2] = events();
	recordings_stop(active);
	ret_events[3] = events() + (kernel.uncounted >= 0);
	members_ticks(active, ret_sum);
	return active;
}

static void kernel_reset(unsigned busy)
{
	kernel = (struct kernel){.uncounted = -1, .busy = busy};
	memset(process->delivered, 0, sizeof(process->delivered));
}

static void check_sums(struct active *active, const struct process_ticks *sum,
		       const uint64_t told[4])
{
	uint64_t taken = profile_samples(active->recording.profile);

	assert_int_equal(sum->events, sum->samples + lost(sum));
	/* The events are the kernel's: no fewer than between the two calls, no more than within. */
	assert_in_range(sum->events, told[2] - told[1], told[3] - told[0]);
	/* The profile holds the samples, those without a name, and the part of the cut ones. */
	assert_true(taken >= sum->samples + sum->lost[LOSS_STALE]);
	assert_true(taken - sum->samples - sum->lost[LOSS_STALE] <= sum->lost[LOSS_TRUNCATED]);
}

static void sums_hold_while_ticks_go_on(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 3000; run++) {
		struct process_ticks sum;
		uint64_t told[4];
		struct active *active;

		if (run % 10 == 0)
			kernel_reset(run % 40 / 10 * 4);
		active = record(&sum, told);
		check_sums(active, &sum, told);
		/* All that is stale came without a name: no record is missing, none is too many. */
		assert_int_equal(sum.lost[LOSS_STALE], active->stale);
		recordings_drop(active);
	}
}

static void what_never_comes_is_stale(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 200; run++) {
		struct process_ticks sum;
		struct active *active;

		kernel_reset(8);
		active = start(0);
		kernel.drops = 3;
		for (unsigned i = 0; i < 20; i++)
			ticks_happen();
		catch_up();
		kernel.busy = 0; /* a later one would take its place */
		recordings_stop(active);
		members_ticks(active, &sum);
		assert_int_equal(sum.events, sum.samples + lost(&sum));
		assert_int_equal(sum.lost[LOSS_STALE], active->stale + 3 - kernel.drops);
		recordings_drop(active);
	}
}

/* What was dropped before a recording is not missing in it, whether user space noticed or not. */
static void an_earlier_drop_is_forgotten(void **state)
{
	struct process_ticks sum;
	uint64_t told[4];
	struct active *active;

	(void)state;
	kernel_reset(8);
	kernel.drops = 5;
	for (unsigned i = 0; i < 40; i++)
		ticks_happen();
	hook_settle(NULL);
	assert_int_equal(kernel.drops, 0);
	process->delivered[SOURCE_ALWAYS] -= 3;
	kernel.busy = 0;
	recordings_drop(start(0));
	kernel.busy = 8;
	active = record(&sum, told);
	check_sums(active, &sum, told);
	assert_int_equal(sum.lost[LOSS_STALE], active->stale);
	recordings_drop(active);
}

/* There events are what came. */
static void another_resource_counts_its_records(void **state)
{
	struct process_ticks sum;
	struct active *active;

	(void)state;
	kernel_reset(8);
	active = start(RESOURCE_BIT(RESOURCE_MEMORY));
	kernel.busy = 0;
	for (unsigned i = 0; i < 30; i++)
		tick();
	while (kernel.head < kernel.tail)
		deliver_one();
	for (unsigned i = 0; i < 10; i++)
		deliver_memory(LOSS_NONE, false);
	for (unsigned i = 0; i < 3; i++)
		deliver_memory(LOSS_UNREADABLE, i == 0);
	deliver_memory(LOSS_NONE, true);
	assert_int_equal(wanted, RESOURCE_BIT(RESOURCE_MEMORY));
	recordings_stop(active);
	assert_int_equal(wanted, 0);
	members_ticks(active, &sum);
	assert_int_equal(sum.samples, 10);
	assert_int_equal(sum.lost[LOSS_UNREADABLE], 3);
	assert_int_equal(sum.lost[LOSS_STALE], 1);
	assert_int_equal(sum.events, 14);
	assert_int_equal(profile_samples(active->recording.profile), 14);
	recordings_drop(active);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_hold_while_ticks_go_on),
	    cmocka_unit_test(what_never_comes_is_stale),
	    cmocka_unit_test(an_earlier_drop_is_forgotten),
	    cmocka_unit_test(another_resource_counts_its_records),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
