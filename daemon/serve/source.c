/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The daemon's side: forks a child per process, gathers what they send, checks and stores it. */
#include "daemon/serve/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/serve/source_child.h"

#define SENT_MAX (8u << 20) /* bytes taken from one child */

struct child {
	struct source_job *job;
	pid_t pid;
	int pipe;
	struct loop_source *watch; /* NULL: it is done */
	struct text sent;
	struct source_file *files;
	size_t nfiles;
};

struct source_job {
	struct loop *loop;
	struct loop_source *timer;
	void (*done)(void *data);
	void *data;
	struct child children[SOURCE_CHILDREN_MAX];
	size_t nchildren, running;
	bool waiting;
};

/* Killed children that a file system still holds; collected later. */
static pid_t lingering[SOURCE_CHILDREN_MAX * 4];

static void lingering_reap(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(lingering); i++)
		if (lingering[i] && waitpid(lingering[i], NULL, WNOHANG) != 0)
			lingering[i] = 0;
}

static void lingering_add(pid_t pid)
{
	if (waitpid(pid, NULL, WNOHANG) != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(lingering); i++) {
		if (!lingering[i]) {
			lingering[i] = pid;
			return;
		}
	}
}

struct source_job *source_new(struct loop *loop, void (*done)(void *data), void *data)
{
	struct source_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->loop = loop;
	job->done = done;
	job->data = data;
	lingering_reap();
	return job;
}

static void child_close(struct child *child)
{
	if (!child->watch)
		return;
	loop_remove(child->job->loop, child->watch);
	child->watch = NULL;
	close(child->pipe);
	kill(child->pid, SIGKILL);
	lingering_add(child->pid);
	child->job->running--;
}

static void job_finish(struct source_job *job)
{
	for (size_t i = 0; i < job->nchildren; i++)
		child_close(&job->children[i]);
	loop_remove(job->loop, job->timer);
	job->timer = NULL;
	if (job->waiting) {
		job->waiting = false;
		job->done(job->data);
	}
}

static void child_ended(struct child *child)
{
	struct source_job *job = child->job;

	/* What a child could not send whole, it did not read. */
	source_parse(child->sent.data, child->sent.size, child->files, child->nfiles);
	text_done(&child->sent);
	child_close(child);
	if (!job->running)
		job_finish(job);
}

static void child_readable(void *data, int fd, uint32_t events)
{
	struct child *child = data;
	char bytes[16384];
	ssize_t n;

	(void)events;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		text_add(&child->sent, bytes, (size_t)n);
		if (child->sent.size > SENT_MAX || child->sent.failed)
			break;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	child_ended(child);
}

static void deadline(void *data, uint64_t expirations)
{
	struct source_job *job = data;

	(void)expirations;
	for (size_t i = 0; i < job->nchildren; i++)
		if (job->children[i].watch)
			source_parse(job->children[i].sent.data, job->children[i].sent.size,
				     job->children[i].files, job->children[i].nfiles);
	job_finish(job);
}

static int child_fork(struct child *child, const struct process *process)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0)
		source_child(process->pid, process->start_time_ns, child->files, child->nfiles,
			     ends[1]);
	close(ends[1]);
	if (child->pid < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	child->pipe = ends[0];
	return 0;
}

int source_add(struct source_job *job, const struct process *process, struct source_file *files,
	       size_t nfiles)
{
	struct child *child = &job->children[job->nchildren];
	int r;

	if (job->nchildren == SOURCE_CHILDREN_MAX)
		return -ENOSPC;
	if (!nfiles || process->ended_time_ns)
		return -ESRCH;
	*child = (struct child){.job = job, .files = files, .nfiles = nfiles};
	r = child_fork(child, process);
	if (r < 0)
		return r;
	child->watch = loop_add_fd(job->loop, child->pipe, EPOLLIN, child_readable, child);
	if (!child->watch) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		close(child->pipe);
		return -ENOMEM;
	}
	job->nchildren++;
	job->running++;
	return 0;
}

bool source_wait(struct source_job *job)
{
	if (!job->running)
		return false;
	job->timer = loop_add_timer(job->loop, SOURCE_DEADLINE_NS, 0, deadline, job);
	job->waiting = job->timer != NULL;
	return job->waiting;
}

void source_free(struct source_job *job)
{
	if (!job)
		return;
	job->waiting = false;
	job_finish(job);
	for (size_t i = 0; i < job->nchildren; i++)
		text_done(&job->children[i].sent);
	free(job);
}

void source_files_free(struct source_file *files, size_t nfiles)
{
	for (size_t i = 0; files && i < nfiles; i++) {
		for (size_t j = 0; j < files[i].nlines; j++)
			free(files[i].lines[j].text);
		free(files[i].lines);
	}
	free(files);
}

/* The next `size` bytes into out; false at the end. */
static bool take(const char **at, size_t *left, void *out, size_t size)
{
	if (*left < size)
		return false;
	memcpy(out, *at, size);
	*at += size;
	*left -= size;
	return true;
}

static int line_take(const char **at, size_t *left, struct source_file *file)
{
	struct source_item item;
	struct source_line *line;
	char *copy;

	if (!take(at, left, &item, sizeof(item)) || item.line >= file->nlines ||
	    item.size > SOURCE_LINE_MAX || item.size > *left)
		return -EBADMSG;
	copy = malloc(item.size + 1);
	if (!copy)
		return -ENOMEM;
	take(at, left, copy, item.size);
	copy[item.size] = '\0';
	line = &file->lines[item.line];
	free(line->text);
	line->text = copy;
	line->size = item.size;
	return 0;
}

int source_parse(const char *bytes, size_t size, struct source_file *files, size_t nfiles)
{
	struct source_head head;

	while (size) {
		struct source_file *file;

		if (!take(&bytes, &size, &head, sizeof(head)) || head.file >= nfiles)
			return -EBADMSG;
		file = &files[head.file];
		file->read = true;
		file->mtime_ns = head.mtime_ns;
		for (uint32_t i = 0; i < head.nlines; i++) {
			int r = line_take(&bytes, &size, file);

			if (r < 0)
				return r;
		}
	}
	return 0;
}
