/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every option, once. Where py-spy has the same, it is named as there. */
#include "cli/options.h"
#include "daemon/api.h"

#define FIELD(name) offsetof(struct options, name)
#define FLAG(letter, name, field, help)                                                            \
	{                                                                                          \
		letter, name, NULL, help, OPTION_KIND_FLAG, FIELD(field), 0, 0, NULL               \
	}
#define STRING(letter, name, argument, field, help)                                                \
	{                                                                                          \
		letter, name, argument, help, OPTION_KIND_STRING, FIELD(field), 0, 0, NULL         \
	}
#define CHOICE(letter, name, argument, field, values, help)                                        \
	{                                                                                          \
		letter, name, argument, help, OPTION_KIND_CHOICE, FIELD(field), 0, 0, values       \
	}
#define NUMBER(letter, name, argument, field, minimum, maximum, help)                              \
	{                                                                                          \
		letter, name, argument, help, OPTION_KIND_NUMBER, FIELD(field), minimum, maximum,  \
		    NULL                                                                           \
	}
#define SECONDS(letter, name, field, minimum, maximum, help)                                       \
	{                                                                                          \
		letter, name, "SECONDS", help, OPTION_KIND_SECONDS, FIELD(field), minimum,         \
		    maximum, NULL                                                                  \
	}

#define DAY 86400

const struct option_row option_table[OPTIONS_MAX] = {
    [OPTION_PID] = {'p', "pid", "PID", "this process; repeatable, or a list: 12,34",
		    OPTION_KIND_PIDS, FIELD(pids), 1, 4194304, NULL},
    [OPTION_UNIT] = STRING(0, "unit", "NAME", unit, "processes of a systemd unit"),
    [OPTION_CONTAINER] = STRING(0, "container", "ID", container, "processes of a container"),
    [OPTION_COMM] = STRING(0, "comm", "NAME", comm, "processes of this command name"),
    [OPTION_USER] = STRING(0, "user", "NAME", user, "processes of a user, by name or uid"),
    [OPTION_ALL] = FLAG('a', "all", all, "every Python process"),
    [OPTION_EXITED] = FLAG('x', "exited", exited, "those that ended in the last ten minutes"),
    [OPTION_LOCALS] = FLAG('l', "locals", locals, "local variables (root or owner only)"),
    [OPTION_DIRECT] = FLAG(0, "direct", direct, "read the process here, without the daemon"),
    [OPTION_DURATION] =
	SECONDS('d', "duration", duration, 0.1, DAY, "for so long from now on (30, 1.5, 5m)"),
    [OPTION_RESOURCE] = CHOICE(0, "resource", "WHAT", resource, "cpu memory io syscall",
			       "cpu (default), memory, io or syscall"),
    [OPTION_RATE] = NUMBER('r', "rate", "HZ", rate, 1, API_HZ_MAX,
			   "samples a second and CPU (default: the daemon's)"),
    [OPTION_FORMAT] = CHOICE('f', "format", "FORMAT", format, "folded speedscope json",
			     "folded, speedscope, json; or by the file's name"),
    [OPTION_OUTPUT] = STRING('o', "output", "FILE", output, "where to write; - is stdout"),
    [OPTION_GIL] = FLAG('g', "gil", gil, "only samples of threads that hold the GIL"),
    [OPTION_IDLE] = FLAG('i', "idle", idle, "idle threads too (n/a in CPU profiles)"),
    [OPTION_THREADS] = FLAG('t', "threads", threads, "the thread as the root of each stack"),
    [OPTION_SUBPROCESSES] = FLAG('s', "subprocesses", subprocesses, "child processes too"),
    [OPTION_FUNCTION] = FLAG('F', "function", function, "sum by function, not by line"),
    [OPTION_NOLINENO] = FLAG(0, "nolineno", nolineno, "no line numbers"),
    [OPTION_FULL_FILENAMES] = FLAG(0, "full-filenames", full_filenames, "whole paths of files"),
    [OPTION_WINDOW] =
	NUMBER('w', "window", "SECONDS", window, 1, 60, "look back so far (at most 60)"),
    [OPTION_INTERVAL] = SECONDS('i', "interval", interval, 0.1, 3600, "between two screens"),
    [OPTION_ITERATIONS] =
	NUMBER('n', "iterations", "N", iterations, 1, 1000000000, "end after so many screens"),
    [OPTION_BATCH] = FLAG('b', "batch", batch, "plain text, for pipes and files"),
    [OPTION_SORT] = STRING('s', "sort", "KEY", sort, "order by this column"),
    [OPTION_LIMIT] = NUMBER('L', "limit", "N", limit, 1, 1000000, "at most so many lines"),
    [OPTION_CALLERS] = FLAG(0, "callers", callers, "under each function, who called it"),
    [OPTION_CALLEES] = FLAG(0, "callees", callees, "under each function, what it called"),
    [OPTION_VERBOSE] = FLAG('v', "verbose", verbose, "more detail"),
    [OPTION_JSON] = FLAG('j', "json", json, "the daemon's JSON document, for programs"),
    [OPTION_COLOR] =
	CHOICE(0, "color", "WHEN", color, "auto always never", "auto, always or never"),
    [OPTION_SOCKET] =
	STRING(0, "socket", "PATH", socket, "the daemon's socket (or " API_SOCKET_ENV " in env)"),
    [OPTION_HELP] = FLAG('h', "help", help, "this text"),
    [OPTION_VERSION] = FLAG('V', "version", version, "the version"),
};
