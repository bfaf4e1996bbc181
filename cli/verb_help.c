/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `help`: the program, a verb, or the API, each from its table. */
#include "cli/verb_help.h"

#include <string.h>

#include "cli/failure.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

static void program_help(FILE *out)
{
	fputs("Usage: pyprofctl [--socket PATH] VERB [OPTION]... [ARGUMENT]...\n"
	      "Shows what the Python processes of this host do. Without a verb: top.\n\nVerbs:\n",
	      out);
	for (const struct verb *verb = verb_table; verb->name; verb++)
		fprintf(out, "  %-12s %s\n", verb->name, verb->help);
	fputs("\nOptions of every verb:\n", out);
	options_help(out, OPTIONS_GLOBAL);
	fputs("\nExit codes: 0 done, 1 doctor found a lack, 2 over 5 % of the events lost, 64 "
	      "usage,\n"
	      "66 no such process, 69 no daemon, unsupported Python or kernel, 73 cannot write,\n"
	      "75 try again, 77 no permission. Each verb: pyprofctl VERB --help\n",
	      out);
}

void verb_help_print(FILE *out, const struct verb *verb)
{
	uint64_t select = verb ? verb->options & OPTIONS_SELECT : 0;

	if (!verb || !verb->name) {
		program_help(out);
		return;
	}
	fprintf(out, "Usage: pyprofctl %s [OPTION]...%s%s\n%c%s.\n", verb->name,
		verb->arguments ? " " : "", verb->arguments ? verb->arguments : "",
		verb->help[0] & ~0x20, verb->help + 1);
	if (select) {
		fputs("\nWhich processes:\n", out);
		options_help(out, select);
	}
	fputs("\nOptions:\n", out);
	options_help(out, (verb->options | OPTIONS_GLOBAL) & ~OPTIONS_SELECT);
}

static const struct route {
	const char *method, *path, *answers;
} routes[] = {
    {"GET", API_ROUTE_VERSION, "versions of the daemon, the API and the kernel"},
    {"GET", API_ROUTE_STATUS, "what is attached, seen, lost; what it costs"},
    {"GET", API_ROUTE_PROCESSES "?exited=1", "the Python processes"},
    {"GET", API_ROUTE_PROCESSES "/PID", "one of them"},
    {"GET", API_ROUTE_PROCESSES "/PID/stacks?locals=1", "its threads and their frames now"},
    {"GET", API_ROUTE_TOP "?window=5", "CPU by process with the hottest line"},
    {"GET", API_ROUTE_FUNCTIONS "?window=60 or seconds=S", "own and total time by function"},
    {"GET", API_ROUTE_LINES "?window=60 or seconds=S&file=F", "CPU by source line"},
    {"GET", API_ROUTE_PROFILE "?resource=cpu&seconds=S&hz=N&children=1",
     "a profile; resource: cpu, memory, io, syscall"},
    {"POST", API_ROUTE_RECORDINGS "?pid=P&hz=N&seconds=S", "begins a recording: its id"},
    {"GET", API_ROUTE_RECORDINGS "/ID", "how far it is"},
    {"DELETE", API_ROUTE_RECORDINGS "/ID", "ends it and answers the profile"},
};

static void api_help(void)
{
	printf("HTTP/1.1 over the Unix socket %s, documents \"%s\" (API version %d).\n"
	       "Selectors in each query: pid= (repeatable) unit= container= comm= user= all=1\n"
	       "Try: curl --unix-socket %s http://localhost%s\n\n",
	       API_SOCKET, API_SCHEMA, API_VERSION, API_SOCKET, API_ROUTE_PROCESSES);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		printf("  %-6s %-52s %s\n", routes[i].method, routes[i].path, routes[i].answers);
	printf("\nErrors are {\"error\":{code, message, remedy}}:\n  %-20s %s %s  %s\n", "CODE",
	       "HTTP", "EXIT", "REMEDY");
#define X(name, code, exit, http, message, remedy)                                                 \
	printf("  %-20s %4d %4d  %s\n", code, http, exit, remedy);
	API_ERRORS(X)
#undef X
}

int verb_help(const struct options *options)
{
	const char *name = options->nrest ? options->rest[0] : NULL;
	const struct verb *verb = name ? verb_find(name) : NULL;

	if (options->nrest > 1)
		return failure_say(API_USAGE, "help takes one verb");
	if (name && !strcmp(name, "api")) {
		api_help();
		return 0;
	}
	if (name && !verb)
		return failure_say(API_USAGE, "unknown verb: %s", name);
	verb_help_print(stdout, verb);
	return 0;
}
