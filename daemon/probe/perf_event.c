/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/probe/perf_event.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

/* attr.inherit_thread, commit 2b26f0aa004995f4 (5.13): a bit that older headers lack. */
#ifndef PERF_ATTR_SIZE_VER7
#error "linux/perf_event.h is older than 5.13"
#endif

static int event_open(struct perf_event_attr *attr, pid_t tid, int cpu)
{
	return (int)syscall(SYS_perf_event_open, attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* cpu-clock with a fixed period: in frequency mode the kernel changes it, and counts stop being
 * time. */
static struct perf_event_attr attr_of(unsigned hz, bool thread)
{
	return (struct perf_event_attr){
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(struct perf_event_attr),
	    .config = PERF_COUNT_SW_CPU_CLOCK,
	    .sample_period = 1000000000ull / hz,
	    .disabled = 1,
	    .inherit = thread,
	    .inherit_thread = thread,
	};
}

bool perf_event_within_process(void)
{
	static int known = -1;

	if (known < 0) {
		struct perf_event_attr attr = attr_of(1, true);
		_cleanup_close_ int fd = event_open(&attr, 0, -1);

		known = fd >= 0;
	}
	return known;
}

int perf_event_start(const struct probe *probe, unsigned hz, pid_t tid, int cpu,
		     enum sample_source source)
{
	struct perf_event_attr attr = attr_of(hz, tid >= 0);
	_cleanup_close_ int fd = -1;

	if (attr.inherit_thread && !perf_event_within_process())
		attr.inherit_thread = 0;
	fd = event_open(&attr, tid, cpu);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, probe_program(probe, source)) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}
