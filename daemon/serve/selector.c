/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Query → selector → processes that the caller may see. */
#include "daemon/serve/selector.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/procfs.h"
#include "daemon/target/user.h"

#define LISTED_MAX 8 /* processes that "ambiguous" names */

const char *const selector_keys[] = {"pid", "unit", "container", "comm", "user", "all", NULL};

static int pids_parse(const struct query *query, struct selector *selector, struct error *error)
{
	selector->pids = calloc(query->nargs + 1, sizeof(*selector->pids));
	if (!selector->pids)
		return error_set(error, API_INTERNAL, "out of memory");
	for (size_t i = 0; i < query->nargs; i++) {
		unsigned long pid;

		if (strcmp(query->args[i].key, "pid") != 0)
			continue;
		if (query_number(query->args[i].value, &pid) < 0 || pid < 1 || pid > INT_MAX)
			return error_set(error, API_BAD_NUMBER, "pid=%s", query->args[i].value);
		selector->pids[selector->npids++] = (pid_t)pid;
	}
	return 0;
}

static int word_parse(const struct query *query, const char *key, char **ret_word,
		      struct error *error)
{
	const char *text = query_text(query, key);

	if (!text)
		return 0;
	if (!*text)
		return error_set(error, API_USAGE, "%s is empty", key);
	*ret_word = strdup(text);
	return *ret_word ? 0 : error_set(error, API_INTERNAL, "out of memory");
}

static int user_parse(const struct query *query, struct selector *selector, struct error *error)
{
	const char *text = query_text(query, "user");

	if (!text)
		return 0;
	if (user_find(text, &selector->uid) < 0)
		return error_set(error, API_NO_MATCH, "user %s", text);
	selector->has_user = true;
	return 0;
}

int selector_parse(const struct query *query, struct selector *ret_selector, struct error *error)
{
	_cleanup_(selector_done) struct selector selector = {0};
	int r;

	if ((r = pids_parse(query, &selector, error)) < 0 ||
	    (r = word_parse(query, "unit", &selector.unit, error)) < 0 ||
	    (r = word_parse(query, "container", &selector.container, error)) < 0 ||
	    (r = word_parse(query, "comm", &selector.comm, error)) < 0 ||
	    (r = user_parse(query, &selector, error)) < 0 ||
	    (r = query_flag(query, "all", &selector.all, error)) < 0)
		return r;
	*ret_selector = selector;
	selector = (struct selector){0};
	return 0;
}

void selector_done(struct selector *selector)
{
	free(selector->pids);
	free(selector->unit);
	free(selector->container);
	free(selector->comm);
	*selector = (struct selector){0};
}

static bool has_words(const struct selector *selector)
{
	return selector->unit || selector->container || selector->comm || selector->has_user;
}

bool selector_empty(const struct selector *selector)
{
	return !selector->npids && !selector->all && !has_words(selector);
}

static bool pid_listed(const struct selector *selector, pid_t pid)
{
	for (size_t i = 0; i < selector->npids; i++)
		if (selector->pids[i] == pid)
			return true;
	return selector->npids == 0;
}

static bool unit_matches(const char *pattern, const char *unit)
{
	char full[300];

	if (!unit)
		return false;
	snprintf(full, sizeof(full), "%s.service", pattern);
	return fnmatch(pattern, unit, 0) == 0 || fnmatch(full, unit, 0) == 0;
}

static bool container_matches(const char *start, const char *container)
{
	return container && strncmp(container, start, strlen(start)) == 0;
}

bool selector_matches(const struct selector *selector, const struct process *process)
{
	return pid_listed(selector, process->pid) &&
	       (!selector->unit || unit_matches(selector->unit, process->unit)) &&
	       (!selector->container ||
		container_matches(selector->container, process->container)) &&
	       (!selector->comm || fnmatch(selector->comm, process->comm, 0) == 0) &&
	       (!selector->has_user || selector->uid == process->uid);
}

/* The words of a selector, for messages. */
static void selector_describe(const struct selector *selector, char *out, size_t size)
{
	struct text text = {0};

	for (size_t i = 0; i < selector->npids; i++)
		text_printf(&text, " pid %d", (int)selector->pids[i]);
	if (selector->unit)
		text_printf(&text, " unit %s", selector->unit);
	if (selector->container)
		text_printf(&text, " container %s", selector->container);
	if (selector->comm)
		text_printf(&text, " comm %s", selector->comm);
	if (selector->has_user)
		text_printf(&text, " user %u", selector->uid);
	snprintf(out, size, "%s", text.size ? text.data + 1 : "that you may see");
	text_done(&text);
}

static int process_order(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->generation < y->generation ? -1 : x->generation > y->generation;
}

static bool pid_known(struct processes *processes, pid_t pid, bool ended)
{
	struct process *process;

	if (processes_by_pid(processes, pid))
		return true;
	for (size_t at = 0; ended && (process = processes_next(processes, &at));)
		if (process->pid == pid)
			return true;
	return false;
}

/* Each pid that was asked for by number must be there, be Python, and be the caller's. */
static int pids_check(const struct selector *selector, struct processes *processes,
		      const struct peer *peer, bool ended, struct error *error)
{
	for (size_t i = 0; i < selector->npids; i++) {
		pid_t pid = selector->pids[i];
		struct process *living = processes_by_pid(processes, pid);
		struct procfs_status status;

		if (!living && pid_known(processes, pid, ended))
			continue; /* rights: by its uid, when it is collected */
		if (procfs_status(pid, &status) < 0 && !living)
			return error_set(error, API_NO_SUCH_PID, "%d", (int)pid);
		if (!(living ? peer_may_see(peer, living) : peer_may_see_pid(peer, pid)))
			return error_set(error, API_NO_PERMISSION, "process %d", (int)pid);
		if (!living)
			return error_set(error, API_NOT_PYTHON, "%d", (int)pid);
	}
	return 0;
}

/* Who ended is hidden behind a living process that was asked for by the same pid. */
static bool wanted(const struct selector *selector, struct processes *processes,
		   struct process *process, bool ended)
{
	if (process->ended_time_ns &&
	    (!ended || (selector->npids && processes_by_pid(processes, process->pid))))
		return false;
	return selector_matches(selector, process);
}

static int ambiguous(const struct selection *selection, struct error *error)
{
	struct text text = {0};

	for (size_t i = 0; i < MIN(selection->nprocesses, LISTED_MAX); i++)
		text_printf(&text, "%s%d (%s)", i ? ", " : "", (int)selection->processes[i]->pid,
			    selection->processes[i]->comm);
	if (selection->nprocesses > LISTED_MAX)
		text_printf(&text, " and %zu more", selection->nprocesses - LISTED_MAX);
	error_set(error, API_AMBIGUOUS, "%s", text.data ? text.data : "");
	text_done(&text);
	return -EPROTO;
}

static int none(const struct selector *selector, bool refused, struct error *error)
{
	char words[400];

	selector_describe(selector, words, sizeof(words));
	return refused ? error_set(error, API_NO_PERMISSION, "processes of %s", words)
		       : error_set(error, API_NO_MATCH, "%s", words);
}

static int collect(const struct selector *selector, struct processes *processes,
		   const struct peer *peer, bool ended, struct selection *selection,
		   bool *ret_refused)
{
	struct process *process;

	*ret_refused = false;
	selection->processes =
	    calloc(processes_count(processes) + 1, sizeof(*selection->processes));
	if (!selection->processes)
		return -ENOMEM;
	for (size_t at = 0; (process = processes_next(processes, &at));) {
		if (!wanted(selector, processes, process, ended))
			continue;
		if (peer_may_see(peer, process))
			selection->processes[selection->nprocesses++] = process;
		else
			*ret_refused = true;
	}
	qsort(selection->processes, selection->nprocesses, sizeof(*selection->processes),
	      process_order);
	return 0;
}

int selector_resolve(const struct selector *selector, struct processes *processes,
		     const struct peer *peer, enum selector_default fallback, bool ended,
		     struct selection *ret_selection, struct error *error)
{
	_cleanup_(selection_done) struct selection selection = {0};
	bool empty = selector_empty(selector), only = empty && fallback == SELECT_ONLY;
	bool empty_is_fine, refused;
	int r = pids_check(selector, processes, peer, ended, error);

	if (r < 0)
		return r;
	if (collect(selector, processes, peer, ended && !only, &selection, &refused) < 0)
		return error_set(error, API_INTERNAL, "out of memory");
	if (only && selection.nprocesses > 1)
		return ambiguous(&selection, error);
	empty_is_fine = !has_words(selector) && !selector->npids && !only;
	if (!selection.nprocesses && !empty_is_fine)
		return none(selector, refused && !empty && !selector->all, error);
	*ret_selection = selection;
	selection = (struct selection){0};
	return 0;
}

void selection_done(struct selection *selection)
{
	free(selection->processes);
	*selection = (struct selection){0};
}
