/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load loop|tail: loads and attaches every BPF program of one variant through the daemon's own
 * probe, and prints what the verifier said of each: `insns <program> <count>`. Runs in the virtual
 * machines of run.sh and on the host.
 *
 * bpf_prog_info.verified_insns came with 5.16, so the count is taken from the verifier's log:
 * libbpf calls libc's syscall(), and this program's own stands before it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/probe/probe.h"

#define LOG_STATS 4 /* kernel/bpf/verifier.c: BPF_LOG_STATS, since 5.2 */
#define LOADS_MAX 64

static struct {
	char name[BPF_OBJ_NAME_LEN];
	unsigned instructions;
} loads[LOADS_MAX];
static unsigned nloads;
static unsigned unmeasured;

/* The line of the log is "processed 1234 insns (limit 1000000) …". */
static void load_note(const char *name, const char *log)
{
	const char *line = strstr(log, "processed ");

	if (nloads == LOADS_MAX || !line)
		return;
	memcpy(loads[nloads].name, name, BPF_OBJ_NAME_LEN);
	loads[nloads++].instructions = (unsigned)strtoul(line + strlen("processed "), NULL, 10);
}

/* A load that asks for no log is given one for the statistics alone. */
static long load_measured(long (*real)(long, ...), int command, union bpf_attr *attr, long size)
{
	static char log[64 << 10];
	union bpf_attr copy = {0};
	long fd;

	memcpy(&copy, attr, (size_t)size < sizeof(copy) ? (size_t)size : sizeof(copy));
	copy.log_level = LOG_STATS;
	copy.log_buf = (uintptr_t)log;
	copy.log_size = sizeof(log);
	log[0] = '\0';
	fd = real(SYS_bpf, command, &copy, size);
	if (fd >= 0)
		load_note(copy.prog_name, log);
	return fd;
}

/* -Wmissing-prototypes does not fire: unistd.h declares it. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list args;

	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && (int)a[0] == BPF_PROG_LOAD) {
		union bpf_attr *attr = (union bpf_attr *)a[1];

		if (!attr->log_level && attr->prog_name[0])
			return load_measured(real, (int)a[0], attr, a[2]);
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The kernel keeps 15 bytes of a name. The last load of a name counts: libbpf may try twice. */
static unsigned instructions_of(const char *program)
{
	for (unsigned i = nloads; i-- > 0;)
		if (!strncmp(loads[i].name, program, BPF_OBJ_NAME_LEN - 1))
			return loads[i].instructions;
	return 0;
}

static void program_seen(void *data, const char *name, uint32_t known, uint64_t run_ns,
			 uint64_t runs)
{
	unsigned counted = instructions_of(name);

	(void)run_ns;
	(void)runs;
	++*(unsigned *)data;
	if (counted && known && counted != known)
		printf("note %s: the log says %u instructions, the kernel %u\n", name, counted,
		       known);
	if (!known)
		known = counted;
	if (!known)
		unmeasured++;
	printf("insns %s %u\n", name, known);
}

static void record_ignored(void *data, const void *bytes, size_t size)
{
	(void)data;
	(void)bytes;
	(void)size;
}

static int release_at_least(int major, int minor)
{
	struct utsname name;
	int have_major = 0, have_minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &have_major, &have_minor);
	return have_major > major || (have_major == major && have_minor >= minor);
}

/* The programs that count on demand, each attached and taken away again. */
static bool counting_load(struct probe *probe)
{
	for (unsigned id = 0; id < SRC_COUNT; id++) {
		int r = probe_source_attach(probe, id);

		if (r) {
			printf("fail load loop: counting source %u: %s\n", id, strerror(-r));
			return false;
		}
		probe_source_detach(probe, id);
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *variant = argc > 1 ? argv[1] : "loop";
	struct probe_options options = {
	    .hz = 99, .force_tail = !strcmp(variant, "tail"), .record = record_ignored};
	struct probe *probe = NULL;
	char error[512] = "";
	unsigned programs = 0;
	int r;

	if (!options.force_tail && !release_at_least(5, 17)) {
		printf("note %s: bpf_loop came with 5.17\n", variant);
		return 0;
	}
	r = probe_new(&options, &probe, error, sizeof(error));
	if (r < 0) {
		printf("fail load %s: %s (%s)\n", variant, error, strerror(-r));
		return 1;
	}
	if (probe_uses_loop(probe) == options.force_tail) {
		printf("fail load %s: the daemon chose the other variant\n", variant);
		return 1;
	}
	if (!options.force_tail && !counting_load(probe))
		return 1;
	probe_each_program(probe, program_seen, &programs);
	probe_free(probe);
	if (!programs || unmeasured) {
		printf("fail load %s: %u of %u programs without a count\n", variant, unmeasured,
		       programs);
		return 1;
	}
	printf("ok load %s: %u programs\n", variant, programs);
	return 0;
}
