/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `dump`: asks the daemon for the stacks of each process, or reads them here when none runs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/direct.h"
#include "cli/dump_text.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/local.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/verb.h"

struct dumper {
	const struct options *options;
	struct client *client; /* NULL: read here */
	json_t *merged;        /* processes[] of several documents, for --json */
	unsigned printed;
	int exit; /* of the first failure */
};

static int stacks_get(const struct dumper *dumper, pid_t pid, struct text *ret_document,
		      struct failure *ret_failure)
{
	char path[96];

	if (!dumper->client)
		return direct_stacks(pid, dumper->options->locals, ret_document, ret_failure);
	snprintf(path, sizeof(path), "%s/%d/stacks%s", API_ROUTE_PROCESSES, (int)pid,
		 dumper->options->locals ? "?locals=1" : "");
	return client_text(dumper->client, "GET", path, ret_document, ret_failure);
}

static json_t *parse(const struct text *document)
{
	return json_loadb(document->data, document->size, JSON_ALLOW_NUL, NULL);
}

static void text_print(struct dumper *dumper, const json_t *document)
{
	bool colored = format_colored(STDOUT_FILENO, dumper->options->color);
	json_t *process;
	size_t i;

	json_array_foreach(json_object_get(document, "processes"), i, process)
	{
		_cleanup_(text_done) struct text out = {};
		_cleanup_free_ char *cmdline =
		    local_cmdline((pid_t)field_int_or(process, "pid", 0));

		if (dumper->printed++)
			text_putc(&out, '\n');
		dump_text(&out, process, cmdline, colored);
		fwrite(out.data, 1, out.size, stdout);
	}
}

static void one(struct dumper *dumper, pid_t pid, bool only)
{
	_cleanup_(text_done) struct text document = {};
	_cleanup_json_ json_t *tree = NULL;
	struct failure failure;

	if (stacks_get(dumper, pid, &document, &failure)) {
		fflush(stdout);
		failure_print(&failure);
		dumper->exit = dumper->exit ? dumper->exit : failure.exit;
		return;
	}
	if (dumper->options->json && only) {
		dumper->exit = output_document(document.data, document.size);
		return;
	}
	tree = parse(&document);
	if (!tree)
		dumper->exit =
		    failure_say(API_INTERNAL, "the stacks of process %d are no JSON", (int)pid);
	else if (dumper->options->json)
		json_array_extend(dumper->merged, json_object_get(tree, "processes"));
	else
		text_print(dumper, tree);
}

/* Several documents as one: processes[] holds them all. */
static int merged_print(struct dumper *dumper)
{
	_cleanup_json_ json_t *document = json_object();
	int r;

	json_object_set_new(document, "schema", json_string(API_SCHEMA));
	json_object_set(document, "processes", dumper->merged);
	r = output_tree(document);
	return dumper->exit ? dumper->exit : r;
}

static int all(struct dumper *dumper, const pid_t *pids, size_t count)
{
	_cleanup_json_ json_t *merged = json_array();

	dumper->merged = merged;
	for (size_t i = 0; i < count; i++)
		one(dumper, pids[i], count == 1);
	if (dumper->options->json && count > 1)
		return merged_print(dumper);
	return dumper->exit ? dumper->exit : output_end(0);
}

static int local_pids(const struct options *options, pid_t **ret_pids, size_t *ret_count)
{
	_cleanup_json_ json_t *processes = local_processes(options, NULL);

	return select_from(processes, options, ret_pids, ret_count);
}

/* Asks for the version only to learn whether a daemon is there; any other trouble is told by the
 * question itself. */
static bool daemon_answers(struct client *client, const struct options *options)
{
	_cleanup_json_ json_t *document = NULL;
	struct failure failure;

	if (!client_json(client, "GET", API_ROUTE_VERSION, &document, &failure) ||
	    failure.error != API_NO_DAEMON)
		return true;
	if (isatty(STDERR_FILENO))
		failure_note("pyprofd does not answer on %s, reading the process here",
			     options->socket);
	return false;
}

int verb_dump(const struct options *options)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	struct dumper dumper = {.options = options};
	_cleanup_free_ pid_t *pids = NULL;
	bool only_pids = (options->given & OPTIONS_SELECT) == OPTION_BIT(PID);
	size_t count;
	int r;

	if (!client)
		return failure_say(API_INTERNAL, "out of memory");
	if (!options->direct && daemon_answers(client, options))
		dumper.client = client;
	r = dumper.client || only_pids ? select_pids(client, options, &pids, &count)
				       : local_pids(options, &pids, &count);
	return r ? r : all(&dumper, pids, count);
}
