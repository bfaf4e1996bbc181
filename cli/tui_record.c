/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/tui_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"

#define SAID_MAX 4096

/* In the child: only async-signal-safe calls up to exec. Never returns. */
static void child_run(char *const *arguments, int said)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0); /* Ctrl-C is for the screen */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(said, STDERR_FILENO) < 0)
		_exit(127);
	execv("/proc/self/exe", arguments);
	_exit(127);
}

static void record_name(struct tui_record *record, int64_t pid, size_t count)
{
	time_t now = time(NULL);
	struct tm tm = {};
	char when[24], more[24] = "";

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	if (count > 1)
		snprintf(more, sizeof(more), "+%zu", count - 1);
	snprintf(record->file, sizeof(record->file), "pyprof-%" PRId64 "%s-%s.speedscope.json", pid,
		 more, when);
	if (count > 1)
		snprintf(record->what, sizeof(record->what), "%zu processes", count);
	else
		snprintf(record->what, sizeof(record->what), "process %" PRId64, pid);
}

int tui_record_start(struct tui_record *record, const char *socket, const int64_t *pids,
		     size_t count)
{
	_cleanup_(text_done) struct text list = {};
	char seconds[24];
	char *arguments[] = {"pyprofctl", "--socket", (char *)socket, "record", "-p", NULL,
			     "-d",        seconds,    "-o",           NULL,     NULL};
	int pipes[2];

	tui_record_done(record);
	record_name(record, pids[0], count);
	for (size_t i = 0; i < count; i++)
		text_printf(&list, "%s%" PRId64, i ? "," : "", pids[i]);
	if (list.failed)
		return -ENOMEM;
	arguments[5] = list.data;
	snprintf(seconds, sizeof(seconds), "%d", TUI_RECORD_SECONDS);
	arguments[ARRAY_SIZE(arguments) - 2] = record->file;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	fcntl(pipes[0], F_SETFL, O_NONBLOCK); /* ours alone: the child may block */
	record->child = fork();
	if (record->child == 0)
		child_run(arguments, pipes[1]);
	close(pipes[1]);
	if (record->child < 0) {
		close(pipes[0]);
		record->child = 0;
		return -errno;
	}
	record->fd = pipes[0];
	return 0;
}

/* Keeps the last line that is not empty: with carriage returns it is a progress line. */
static void said_last_line(struct text *said)
{
	char *last;

	while (said->size && strchr("\r\n ", said->data[said->size - 1]))
		said->data[--said->size] = '\0';
	for (size_t i = said->size; i-- > 0;)
		if (said->data[i] == '\n' || said->data[i] == '\r') {
			last = said->data + i + 1;
			said->size -= (size_t)(last - said->data);
			memmove(said->data, last, said->size + 1);
			return;
		}
}

bool tui_record_step(struct tui_record *record, bool *ret_ok)
{
	char bytes[1024];
	ssize_t n;
	int status = -1;

	while ((n = read(record->fd, bytes, sizeof(bytes))) > 0)
		if (record->said.size < SAID_MAX)
			text_add(&record->said, bytes, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	waitpid(record->child, &status, 0); /* its stderr is closed: it ends at once */
	record->child = 0;
	close(record->fd);
	record->fd = -1;
	said_last_line(&record->said);
	*ret_ok = WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
	return true;
}

void tui_record_done(struct tui_record *record)
{
	if (record->fd >= 0)
		close(record->fd);
	text_done(&record->said);
	*record = TUI_RECORD_IDLE;
}
