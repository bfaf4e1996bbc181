/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/still.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE_RIDE (-20)

/* The reader runs on this CPU and the thread belongs to it: so the thread does not run. */
static bool still_displaced(pid_t pid, pid_t tid, int cpu)
{
	struct procthread_stat stat;

	return procthread_stat(pid, tid, &stat) == 0 && stat.cpu == cpu && sched_getcpu() == cpu;
}

static bool still_off(const struct still *still, struct procthread_call *call)
{
	int r = procthread_call(still->pid, still->tid, call);

	if (r < 0) /* the file lacks or is forbidden; the CPU's evidence does not need it */
		*call = (struct procthread_call){.running = true, .number = -1};
	if (!call->running)
		return true;
	return still->cpu >= 0 && still_displaced(still->pid, still->tid, still->cpu);
}

/* The count comes first, so that a switch after the look at the CPU is always counted. */
bool still_begin(struct still *still, pid_t pid, pid_t tid, int cpu)
{
	*still = (struct still){.pid = pid, .tid = tid, .cpu = cpu};
	if (procthread_runs(pid, tid, &still->runs) < 0)
		return false;
	return still_off(still, &still->call);
}

bool still_holds(const struct still *still)
{
	struct procthread_runs runs;
	struct procthread_call call;

	/* a count that is kept as the CPU is left says nothing of a thread that still has it */
	if (!still->runs.at_switch_in && !still_off(still, &call))
		return false;
	return procthread_runs(still->pid, still->tid, &runs) == 0 &&
	       runs.at_switch_in == still->runs.at_switch_in && runs.count == still->runs.count;
}

/* The current affinity, however many CPUs the kernel was built for. */
static int seat_remember(struct still_seat *seat)
{
	for (int cpus = CPU_SETSIZE; cpus <= CPU_SETSIZE * 64; cpus *= 2) {
		size_t size = CPU_ALLOC_SIZE(cpus);
		cpu_set_t *home = CPU_ALLOC(cpus);

		if (!home)
			return -ENOMEM;
		if (sched_getaffinity(0, size, home) == 0) {
			seat->home = home;
			seat->home_size = size;
			seat->nice = getpriority(PRIO_PROCESS, 0); /* of the thread */
			setpriority(PRIO_PROCESS, 0, NICE_RIDE);
			return 0;
		}
		CPU_FREE(home);
		if (errno != EINVAL)
			return -errno;
	}
	return -EINVAL;
}

int still_ride(struct still_seat *seat, int cpu)
{
	cpu_set_t *only;
	int r;

	if (!seat->home && seat_remember(seat) < 0)
		return -1;
	if (cpu < 0 || (size_t)cpu >= seat->home_size * 8)
		return -1;
	if (seat->cpu == cpu)
		return cpu;
	only = malloc(seat->home_size);
	if (!only)
		return -1;
	CPU_ZERO_S(seat->home_size, only);
	CPU_SET_S((size_t)cpu, seat->home_size, only);
	r = sched_setaffinity(0, seat->home_size, only);
	free(only);
	if (r == 0)
		seat->cpu = cpu;
	return r == 0 ? cpu : -1;
}

void still_leave(struct still_seat *seat)
{
	if (!seat->home)
		return;
	if (seat->cpu >= 0)
		sched_setaffinity(0, seat->home_size, seat->home);
	setpriority(PRIO_PROCESS, 0, seat->nice);
	CPU_FREE(seat->home);
	*seat = (struct still_seat){.cpu = -1};
}
