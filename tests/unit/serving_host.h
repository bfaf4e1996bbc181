/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A server with a made-up host behind it, in a child process. Every 10 ms it adds samples of known
 * weight. The processes:
 *
 *	WEB	lives, ours, unit web.service: 7 ms in parse() at app.py:3, 3 ms in handle() at :6
 *	FREE	lives, nobody's when root runs the test, free-threaded; native and kernel leaves,
 *one recursive function; its file is one that only its creator may read OLD	lives, ours, an
 *unsupported version PAST	ended, ours; has its samples in the window
 */
#ifndef PYPROF_TESTS_UNIT_SERVING_HOST_H
#define PYPROF_TESTS_UNIT_SERVING_HOST_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/serve/server.h"

#define HOST_NOBODY 65534
#define HOST_HZ 99
#define HOST_PAST_PID 0x40000001
#define HOST_TURN_NS 10000000ull
#define MS 1000000ull

enum host_generation { HOST_WEB = 101, HOST_FREE, HOST_OLD, HOST_PAST };

static const char host_app_text[] = "import sys\n"
				    "def parse(x):\n"
				    "    return x + 1  # \xc3\xa9\n"
				    "\n"
				    "def handle():\n"
				    "    parse(1)\n";

struct host {
	char folder[64], socket[96], app[96], secret[96];
	pid_t web, free, old; /* real processes that do nothing */
	pid_t server;
};

/* The server's side, in the child. */
struct host_side {
	struct host *host;
	struct loop *loop;
	struct processes *processes;
	struct stacks *stacks;
	struct window *window;
	struct server *server;
	struct process_ticks ticks[HOST_PAST + 1], session[HOST_PAST + 1];
	struct stack *parse, *handle, *recurse, *native, *past;
	struct recording *recording; /* above the daemon's rate */
	unsigned starts, stops;
};

static inline void host_rename(int signal)
{
	(void)signal;
	prctl(PR_SET_NAME, "renamed");
}

static inline pid_t host_idle_process(const char *comm, uid_t uid)
{
	int ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		signal(SIGUSR1, host_rename);
		if (geteuid() == 0 && setresuid(uid, uid, uid) < 0)
			_exit(1);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

static inline struct stack *host_stack(struct host_side *side, const char *file, size_t n, ...)
{
	const struct frame *frames[8];
	struct stack *stack;
	va_list args;

	va_start(args, n);
	for (size_t i = 0; i < n; i++) {
		const char *function = va_arg(args, const char *);
		int line = va_arg(args, int), first = va_arg(args, int);

		frames[i] =
		    stacks_frame(side->stacks, function, file, line, first, FRAME_KIND_PYTHON);
	}
	va_end(args);
	stack = stacks_intern(side->stacks, frames, n);
	for (size_t i = 0; i < n; i++)
		stacks_frame_unref(side->stacks, frames[i]);
	return stack;
}

static inline void host_stacks_make(struct host_side *side)
{
	const char *app = side->host->app, *secret = side->host->secret;

	side->parse = host_stack(side, app, 3, "parse", 3, 2, "handle", 6, 5, "<module>", 99, 1);
	side->handle = host_stack(side, app, 2, "handle", 6, 5, "<module>", 99, 1);
	side->recurse =
	    host_stack(side, secret, 4, "walk", 2, 1, "walk", 3, 1, "walk", 3, 1, "main", 9, 8);
	side->native = host_stack(side, secret, 1, "main", 9, 8);
	side->past = host_stack(side, app, 1, "old\xff\x1b[31m", 1, 1);
}

static inline void host_process(struct host_side *side, uint64_t generation, pid_t pid,
				uint32_t version, bool free_threaded)
{
	struct process *process = processes_add(side->processes, generation, pid);

	process->python->pid = pid;
	process->python->image.state = PY_SUPPORTED;
	process->python->image.version = version;
	process->python->image.free_threaded = free_threaded;
	strcpy(process->python->executable, "/usr/bin/python3");
}

static inline void host_processes_make(struct host_side *side)
{
	struct process *process;

	side->processes = processes_new();
	host_process(side, HOST_WEB, side->host->web, 0x030b02f0, false);
	host_process(side, HOST_FREE, side->host->free, 0x030d00f0, true);
	host_process(side, HOST_OLD, side->host->old, 0x020712f0, false);
	host_process(side, HOST_PAST, HOST_PAST_PID, 0x030800f0, false);
	process = processes_find(side->processes, HOST_WEB);
	free(process->unit);
	process->unit = strdup("web.service");
	process = processes_find(side->processes, HOST_OLD);
	process->python->image.state = PY_UNSUPPORTED;
	strcpy(process->python->image.reason, "CPython 2.7 is not supported");
	process = processes_find(side->processes, HOST_PAST);
	process->uid = geteuid();
	strcpy(process->comm, "past");
	process_argv(process, "past\0--flag\0", 12);
	processes_ended(side->processes, process, loop_wall_ns());
}

static inline void host_sample(struct host_side *side, uint64_t generation, uint8_t source,
			       uint8_t leaf, uint8_t gil, struct stack *stack, uint64_t weight)
{
	struct process *process = processes_find(side->processes, generation);
	struct process_ticks *ticks = source == SOURCE_ALWAYS ? side->ticks : side->session;
	struct profile_key key = {.generation = generation,
				  .tid = (uint32_t)process->pid,
				  .gil = gil,
				  .leaf = leaf,
				  .stack = stack};

	ticks[generation].events++;
	ticks[generation].samples++;
	if (source == SOURCE_ALWAYS)
		window_add(side->window, &key, weight, loop_now_ns());
	server_sample(side->server, process, source, &key, weight, false);
}

static inline bool host_is_recorded(const struct host_side *side, pid_t pid)
{
	for (size_t i = 0; side->recording && i < side->recording->npids; i++)
		if (side->recording->pids[i] == pid)
			return true;
	return false;
}

static inline void host_turn(void *data, uint64_t expirations)
{
	struct host_side *side = data;

	(void)expirations;
	host_sample(side, HOST_WEB, SOURCE_ALWAYS, LEAF_PYTHON, GIL_HELD, side->parse, 7 * MS);
	host_sample(side, HOST_WEB, SOURCE_ALWAYS, LEAF_SYSTEM, GIL_RELEASED, side->handle, 3 * MS);
	host_sample(side, HOST_FREE, SOURCE_ALWAYS, LEAF_PYTHON, GIL_NONE, side->recurse, 6 * MS);
	host_sample(side, HOST_FREE, SOURCE_ALWAYS, LEAF_NATIVE, GIL_NONE, side->native, 2 * MS);
	/* One tick in four is lost. */
	side->ticks[HOST_WEB].events++;
	side->ticks[HOST_WEB].lost[LOSS_UNREADABLE]++;
	if (host_is_recorded(side, side->host->web))
		for (int i = 0; i < 10; i++)
			host_sample(side, HOST_WEB, SOURCE_SESSION, LEAF_PYTHON, GIL_HELD,
				    side->parse, MS);
}

static inline void host_status(void *data, struct server_status *ret_status)
{
	static const struct server_cpu cpus[] = {
	    {.cpu = 0,
	     .ticks = {.due = 100,
		       .ran = 98,
		       .kind = {[TICK_PYTHON] = 40, [TICK_IDLE] = 50, [TICK_OTHER] = 7},
		       .lost = {[LOSS_UNREADABLE] = 1}}},
	    {.cpu = 1, .ticks = {.due = 100, .ran = 100, .kind = {[TICK_IDLE] = 100}}}};
	static const struct server_source sources[] = {{.name = "cpu",
							.attached = true,
							.mode = "on",
							.price_ns = 3000,
							.per_second = 198,
							.cost_percent = NAN}};
	static const struct server_limit limits[] = {{"frames", 1024}};
	static const struct server_feature features[] = {{"bpf_loop", true}, {"tail", false}};

	(void)data;
	*ret_status = (struct server_status){.cpus = cpus,
					     .ncpus = 2,
					     .sources = sources,
					     .nsources = 1,
					     .limits = limits,
					     .nlimits = 1,
					     .features = features,
					     .nfeatures = 2,
					     .cost_percent = 0.06,
					     .budget_percent = 0.5,
					     .map_bytes = 1 << 20};
}

static inline int host_ticks(void *data, struct process *process, uint8_t source,
			     struct process_ticks *ret_ticks)
{
	struct host_side *side = data;

	*ret_ticks = (source == SOURCE_ALWAYS ? side->ticks : side->session)[process->generation];
	return 0;
}

static inline int host_recording_start(void *data, struct recording *recording)
{
	struct host_side *side = data;

	if (recording->hz == 777) /* as if the kernel refused */
		return -EMFILE;
	side->recording = recording;
	side->starts++;
	return 0;
}

static inline void host_recording_stop(void *data, struct recording *recording)
{
	struct host_side *side = data;

	side->recording = side->recording == recording ? NULL : side->recording;
	side->stops++;
}

static inline void host_stop_signal(void *data, int signal)
{
	struct host_side *side = data;

	(void)signal;
	loop_stop(side->loop);
}

static inline int host_server(struct host_side *side)
{
	struct server_config config = {.socket = side->host->socket,
				       .loop = side->loop,
				       .processes = side->processes,
				       .stacks = side->stacks,
				       .window = side->window,
				       .hz = HOST_HZ,
				       .hooks = {.data = side,
						 .status = host_status,
						 .ticks = host_ticks,
						 .recording_start = host_recording_start,
						 .recording_stop = host_recording_stop}};

	return server_start(&config, &side->server);
}

static inline void host_side_free(struct host_side *side)
{
	server_stop(side->server);
	window_free(side->window);
	stacks_unref(side->stacks, side->parse);
	stacks_unref(side->stacks, side->handle);
	stacks_unref(side->stacks, side->recurse);
	stacks_unref(side->stacks, side->native);
	stacks_unref(side->stacks, side->past);
	stacks_free(side->stacks);
	processes_free(side->processes);
	loop_free(side->loop);
}

/* 0; 1: the server did not start; 2: a recording's events were attached and never detached. */
static inline int host_run(struct host *host, int ready)
{
	struct host_side side = {.host = host};
	int r;

	side.loop = loop_new();
	side.stacks = stacks_new();
	side.window = window_new(side.stacks);
	host_stacks_make(&side);
	host_processes_make(&side);
	r = host_server(&side);
	if (r == 0) {
		host_sample(&side, HOST_PAST, SOURCE_ALWAYS, LEAF_PYTHON, GIL_HELD, side.past,
			    5 * MS);
		loop_add_timer(side.loop, 1, HOST_TURN_NS, host_turn, &side);
		loop_add_signal(side.loop, SIGTERM, host_stop_signal, &side);
		if (write(ready, "x", 1) == 1)
			loop_run(side.loop);
	}
	host_side_free(&side);
	if (r < 0)
		return r == -EADDRINUSE ? 3 : 1;
	return side.starts != side.stops ? 2 : 0;
}

static inline void host_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, mode);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A server process on host->socket; its pid, or -1 when it ended at once: *ret_exit. */
static inline pid_t host_spawn(struct host *host, int *ret_exit)
{
	int ends[2], status;
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(host_run(host, ends[1]));
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 1) {
		close(ends[0]);
		return child;
	}
	close(ends[0]);
	waitpid(child, &status, 0);
	*ret_exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return -1;
}

static inline void host_start(struct host *host)
{
	int code;

	strcpy(host->folder, "/tmp/pyprof-serve-XXXXXX");
	assert_non_null(mkdtemp(host->folder));
	assert_int_equal(chmod(host->folder, 0755), 0);
	snprintf(host->socket, sizeof(host->socket), "%s/run/d.sock", host->folder);
	snprintf(host->app, sizeof(host->app), "%s/app.py", host->folder);
	snprintf(host->secret, sizeof(host->secret), "%s/secret.py", host->folder);
	host_file(host->app, host_app_text, 0644);
	host_file(host->secret, "secret\nsecret\nsecret\n", 0600);
	host->web = host_idle_process("web", geteuid());
	host->free = host_idle_process("free", HOST_NOBODY);
	host->old = host_idle_process("old", geteuid());
	host->server = host_spawn(host, &code);
	assert_true(host->server > 0);
}

static inline void host_end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static inline int host_server_stop(struct host *host)
{
	int status;

	kill(host->server, SIGTERM);
	waitpid(host->server, &status, 0);
	host->server = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void host_stop(struct host *host)
{
	char command[128];

	host_end(&host->server);
	host_end(&host->web);
	host_end(&host->free);
	host_end(&host->old);
	snprintf(command, sizeof(command), "rm -rf '%s'", host->folder);
	assert_int_equal(system(command), 0);
}

#endif
