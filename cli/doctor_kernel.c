/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel can do, asked by trying where a try is cheap and leaves nothing behind. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "daemon/base/cleanup.h"

#define VERSION(major, minor) ((major)*1000 + (minor))
#define OLDEST VERSION(5, 10) /* ring buffers with all helpers the sampler calls */
#define BPF_LOOP VERSION(5, 17)

#define BTF "/sys/kernel/btf/vmlinux"
#define LOCKDOWN "/sys/kernel/security/lockdown"

static int kernel_version(char *release, size_t size)
{
	struct utsname names;
	int major = 0, minor = 0;

	uname(&names);
	snprintf(release, size, "%s", names.release);
	if (sscanf(names.release, "%d.%d", &major, &minor) != 2)
		return 0;
	return VERSION(major, minor);
}

static void ask_kernel(struct doctor_check *check, const struct options *options)
{
	char release[128];
	bool ok = kernel_version(release, sizeof(release)) >= OLDEST;

	(void)options;
	doctor_tell(check, ok, "run Linux 5.10 or newer", "Linux %s", release);
}

static void ask_machine(struct doctor_check *check, const struct options *options)
{
	struct utsname names;

	(void)options;
	uname(&names);
	doctor_tell(check, !strcmp(names.machine, "x86_64"), "pyprof reads x86-64 processes only",
		    "%s", names.machine);
}

static void ask_btf(struct doctor_check *check, const struct options *options)
{
	bool ok = !access(BTF, R_OK);

	(void)options;
	doctor_tell(check, ok, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y", "%s %s", BTF,
		    ok ? "is there" : strerror(errno));
}

/* Two instructions that answer 0; nothing is attached and the program goes with its descriptor. */
static int program_load(void)
{
	const struct bpf_insn code[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes = {
	    .prog_type = BPF_PROG_TYPE_PERF_EVENT,
	    .insns = (__u64)(uintptr_t)code,
	    .insn_cnt = ARRAY_SIZE(code),
	    .license = (__u64)(uintptr_t) "Dual BSD/GPL",
	};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : fd;
}

static const char *refusal(int error)
{
	return error == EPERM || error == EACCES
		   ? "start pyprofd as root, or with CAP_BPF and CAP_PERFMON"
		   : "use a kernel built with CONFIG_BPF_SYSCALL=y and CONFIG_BPF_EVENTS=y";
}

static void ask_bpf(struct doctor_check *check, const struct options *options)
{
	_cleanup_close_ int fd = program_load();

	(void)options;
	doctor_tell(check, fd >= 0, refusal(-fd), "loading a BPF program: %s",
		    fd >= 0 ? "works" : strerror(-fd));
}

static void ask_ring(struct doctor_check *check, const struct options *options)
{
	union bpf_attr attributes = {
	    .map_type = BPF_MAP_TYPE_RINGBUF,
	    .max_entries = 4096,
	};
	_cleanup_close_ int fd =
	    (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));

	(void)options;
	doctor_tell(check, fd >= 0, refusal(errno), "BPF ring buffers: %s",
		    fd >= 0 ? "work" : strerror(errno));
}

static void ask_loop(struct doctor_check *check, const struct options *options)
{
	char release[128];
	bool loop = kernel_version(release, sizeof(release)) >= BPF_LOOP;

	(void)options;
	doctor_tell(check, true, NULL, "%s",
		    loop ? "bpf_loop walks the stacks"
			 : "tail calls walk the stacks (before 5.17)");
}

static void ask_perf(struct doctor_check *check, const struct options *options)
{
	struct perf_event_attr attributes = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attributes),
	    .config = PERF_COUNT_SW_CPU_CLOCK,
	    .sample_period = 1000000000,
	    .disabled = 1,
	};
	_cleanup_close_ int fd =
	    (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	char paranoid[16] = "?";

	(void)options;
	doctor_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
	doctor_tell(check, fd >= 0,
		    error == EACCES || error == EPERM
			? (atoi(paranoid) > 2
			       ? "start pyprofd as root, or with CAP_SYS_ADMIN (Debian's and "
				 "Ubuntu's kernels ask for it above 2)"
			       : "start pyprofd as root, or with CAP_PERFMON")
			: "use a kernel built with CONFIG_PERF_EVENTS=y",
		    "opening a CPU clock: %s (perf_event_paranoid is %s)",
		    fd >= 0 ? "works" : strerror(error), paranoid);
}

static void ask_lockdown(struct doctor_check *check, const struct options *options)
{
	char line[128];

	(void)options;
	if (!doctor_line(LOCKDOWN, line, sizeof(line)))
		snprintf(line, sizeof(line), "none, or not told to this user");
	doctor_tell(check, !strstr(line, "[confidentiality]"),
		    "boot without lockdown=confidentiality: BPF may not read memory under it", "%s",
		    line);
}

static void ask_tracefs(struct doctor_check *check, const struct options *options)
{
	bool there = !access("/sys/kernel/tracing/events", F_OK) ||
		     !access("/sys/kernel/debug/tracing/events", F_OK);

	(void)options;
	doctor_tell(check, true, NULL, "%s",
		    there ? "mounted" : "not to be seen; sampling needs only raw tracepoints");
}

const struct doctor_row doctor_kernel[] = {
    {"kernel", ask_kernel},    {"machine", ask_machine},
    {"btf", ask_btf},          {"bpf", ask_bpf},
    {"ring_buffer", ask_ring}, {"bpf_loop", ask_loop},
    {"perf_events", ask_perf}, {"lockdown", ask_lockdown},
    {"tracefs", ask_tracefs},  {},
};
