/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pyprofctl: options before the verb, the verb, its options, its function. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/verb.h"
#include "cli/verb_help.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

/* What may stand before the verb. */
static const struct verb program = {};

static const char *socket_default(void)
{
	const char *path = getenv(API_SOCKET_ENV);

	return path && *path ? path : API_SOCKET;
}

static int unknown_verb(const char *name)
{
	struct failure failure;

	failure_set(&failure, API_USAGE, "unknown verb: %s", name);
	snprintf(failure.remedy, sizeof(failure.remedy), "see: pyprofctl help");
	return failure_print(&failure);
}

static int run(const struct verb *verb, const struct options *options)
{
	if (options->help) {
		verb_help_print(stdout, verb);
		return 0;
	}
	if (options->version) {
		printf("pyprofctl %s\n", PYPROF_VERSION);
		return 0;
	}
	if (!verb->name)
		return failure_say(API_USAGE, "no verb");
	if (options->nrest && !verb->arguments)
		return failure_say(API_USAGE, "%s takes no argument: %s", verb->name,
				   options->rest[0]);
	return verb->run(options);
}

int main(int argc, char **argv)
{
	_cleanup_(options_done) struct options options = {.socket = socket_default()};
	const struct verb *verb = &program;
	int r = options_parse(&program, argc, argv, &options);

	/* Widths of characters and ncurses need UTF-8; figures keep their point. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	if (r)
		return r;
	if (options.nrest && !options.help && !options.version) {
		verb = verb_find(options.rest[0]);
		if (!verb)
			return unknown_verb(options.rest[0]);
		r = options_parse(verb, options.nrest, options.rest, &options);
	} else if (!options.help && !options.version && isatty(STDIN_FILENO) &&
		   isatty(STDOUT_FILENO)) {
		verb = verb_find("top");
	}
	return r ? r : run(verb, &options);
}
