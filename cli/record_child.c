/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/record_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "daemon/base/cleanup.h"

static volatile sig_atomic_t stopped;
static volatile pid_t passed_to; /* the child, while it is not reaped */

/* In the child: waits for the byte, then becomes the command. */
__attribute__((noreturn)) static void child_run(int go, int error, char **argv)
{
	char byte;
	ssize_t n;

	do {
		n = read(go, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127);
	execvp(argv[0], argv);
	n = write(error, &(int){errno}, sizeof(int));
	_exit(n == sizeof(int) ? 127 : 126);
}

int record_child_start(char **argv, struct record_child *ret_child)
{
	int go[2], error[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(error, O_CLOEXEC) < 0) {
		int r = -errno;

		close(go[0]);
		close(go[1]);
		return r;
	}
	pid = fork();
	if (!pid) {
		close(go[1]);
		child_run(go[0], error[1], argv);
	}
	close(go[0]);
	close(error[1]);
	*ret_child = (struct record_child){.pid = pid, .go = go[1], .error = error[0]};
	if (pid > 0)
		return 0;
	pid = -errno;
	ret_child->pid = 0;
	record_child_done(ret_child);
	return pid;
}

int record_child_go(struct record_child *child)
{
	int error = 0;
	ssize_t n;

	if (write(child->go, "", 1) != 1)
		return -errno;
	close(TAKE_FD(child->go));
	do {
		n = read(child->error, &error, sizeof(error));
	} while (n < 0 && errno == EINTR);
	close(TAKE_FD(child->error));
	if (n != sizeof(error))
		return 0;
	record_child_ended(child, true);
	return -error;
}

bool record_child_ended(struct record_child *child, bool wait)
{
	siginfo_t info = {};
	int r;

	if (child->ended || child->pid <= 0)
		return child->ended;
	/* Not reaped yet: until passed_to is cleared the pid must not be another process's. */
	do {
		r = waitid(P_PID, (id_t)child->pid, &info,
			   WEXITED | WNOWAIT | (wait ? 0 : WNOHANG));
	} while (r < 0 && errno == EINTR);
	if (r < 0 || !info.si_pid)
		return false;
	passed_to = 0;
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	child->ended = true;
	return true;
}

int record_child_exit(const struct record_child *child)
{
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
					  : WEXITSTATUS(child->status);
}

void record_child_done(struct record_child *child)
{
	bool held = child->go >= 0;

	close_ptr(&child->go);
	close_ptr(&child->error);
	child->go = child->error = -1;
	if (child->pid > 0 && held)
		record_child_ended(child, true);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	int kept = errno;

	(void)context;
	/* From the terminal the whole foreground group has it already. */
	if (passed_to > 0 && info->si_code != SI_KERNEL)
		kill(passed_to, number);
	if (passed_to <= 0)
		stopped = 1;
	errno = kept;
}

static void on_child(int number)
{
	(void)number; /* only ends a sleep */
}

void record_child_signals(const struct record_child *child)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP}, passes[] = {SIGQUIT, SIGUSR1, SIGUSR2};
	bool passing = child && child->pid > 0;
	struct sigaction action = {.sa_sigaction = on_signal,
				   .sa_flags = SA_SIGINFO | (passing ? 0 : (int)SA_RESETHAND)};
	struct sigaction before;

	passed_to = passing ? child->pid : 0;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		/* Under nohup a hang-up stays ignored. */
		if (ends[i] == SIGHUP && !sigaction(SIGHUP, NULL, &before) &&
		    before.sa_handler == SIG_IGN)
			continue;
		sigaction(ends[i], &action, NULL);
	}
	for (size_t i = 0; passing && i < ARRAY_SIZE(passes); i++)
		sigaction(passes[i], &action, NULL);
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child}, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool record_child_stopped(void)
{
	return stopped;
}
