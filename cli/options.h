/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every option of every verb, in one table: it parses, it is the help text, and it makes the
 * completions. A verb names the options that it takes as a set of bits.
 */
#ifndef PYPROF_CLI_OPTIONS_H
#define PYPROF_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum option_id {
	OPTION_PID,
	OPTION_UNIT,
	OPTION_CONTAINER,
	OPTION_COMM,
	OPTION_USER,
	OPTION_ALL,
	OPTION_EXITED,
	OPTION_LOCALS,
	OPTION_DIRECT,
	OPTION_DURATION,
	OPTION_RESOURCE,
	OPTION_RATE,
	OPTION_FORMAT,
	OPTION_OUTPUT,
	OPTION_GIL,
	OPTION_IDLE,
	OPTION_THREADS,
	OPTION_SUBPROCESSES,
	OPTION_FUNCTION,
	OPTION_NOLINENO,
	OPTION_FULL_FILENAMES,
	OPTION_WINDOW,
	OPTION_INTERVAL,
	OPTION_ITERATIONS,
	OPTION_BATCH,
	OPTION_SORT,
	OPTION_LIMIT,
	OPTION_CALLERS,
	OPTION_CALLEES,
	OPTION_VERBOSE,
	OPTION_JSON,
	OPTION_COLOR,
	OPTION_SOCKET,
	OPTION_HELP,
	OPTION_VERSION,
	OPTIONS_MAX,
};

#define OPTION_BIT(name) (1ull << OPTION_##name)
#define OPTIONS_GLOBAL                                                                             \
	(OPTION_BIT(SOCKET) | OPTION_BIT(COLOR) | OPTION_BIT(HELP) | OPTION_BIT(VERSION))
#define OPTIONS_SELECT                                                                             \
	(OPTION_BIT(PID) | OPTION_BIT(UNIT) | OPTION_BIT(CONTAINER) | OPTION_BIT(COMM) |           \
	 OPTION_BIT(USER) | OPTION_BIT(ALL))

struct options {
	uint64_t given; /* OPTION_BIT of each that was on the command line */
	const char *socket;

	pid_t *pids; /* owned */
	size_t npids;
	const char *unit, *container, *comm, *user; /* NULL = not given */
	bool all;

	bool exited, locals, direct, json, verbose, help, version;
	bool gil, idle, threads, subprocesses, function, nolineno, full_filenames;
	bool callers, callees, batch;
	double duration;                          /* seconds; 0 = not given */
	double interval;                          /* seconds between two screens; 0 = not given */
	unsigned rate, window, iterations, limit; /* 0 = not given */
	const char *resource, *format, *output, *sort, *color;

	char **rest; /* what is no option; what stands behind "--", too */
	int nrest;
	bool dashes; /* rest[] began behind "--" */
};

struct verb;

/*
 * argv[0] is the verb's name. Adds to *options, which begins zeroed or with what stood before the
 * verb. 0, or the exit code after the line on stderr.
 */
int options_parse(const struct verb *verb, int argc, char **argv, struct options *options);
void options_done(struct options *options);
/* The option lines of a help text. */
void options_help(FILE *out, uint64_t set);

enum option_kind {
	OPTION_KIND_FLAG,    /* bool */
	OPTION_KIND_STRING,  /* const char * */
	OPTION_KIND_CHOICE,  /* const char *, one of `values` */
	OPTION_KIND_NUMBER,  /* unsigned */
	OPTION_KIND_SECONDS, /* double; "1.5", "90s", "5m", "1h" */
	OPTION_KIND_PIDS,    /* adds to pids[] */
};

/* A row of the table; rows are in the order of enum option_id. */
struct option_row {
	char letter;          /* 0 = none */
	const char *name;     /* without "--" */
	const char *argument; /* NULL = none */
	const char *help;     /* one line */
	enum option_kind kind;
	size_t offset;           /* of the field in struct options */
	double minimum, maximum; /* of a number */
	const char *values;      /* "a b c": of a choice, or words worth completing */
};

extern const struct option_row option_table[OPTIONS_MAX];

#endif
