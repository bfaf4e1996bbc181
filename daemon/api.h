/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Contract out: what the daemon serves and the CLI relies on. The JSON names are in README.md, "The
 * JSON". */
#ifndef PYPROF_DAEMON_API_H
#define PYPROF_DAEMON_API_H

#define PYPROF_VERSION "0.1.0"
#define API_SCHEMA "pyprof/1"
#define API_VERSION 1
#define API_SOCKET "/run/pyprof/pyprofd.sock"
#define API_SOCKET_ENV "PYPROF_SOCKET"
#define API_GROUP "pyprof" /* members see every user's processes */
#define API_HZ_DEFAULT 99
#define API_HZ_MAX 9999      /* for root and the group */
#define API_HZ_MAX_OWNER 999 /* for owners of the process */

/*
 * Every error: code in the JSON, exit code of pyprofctl, HTTP status, text and remedy. %s: the
 * subject. X(NAME, "code", exit, http, "message", "remedy")
 */
#define API_ERRORS(X)                                                                              \
	X(USAGE, "usage", 64, 400, "%s", "see --help")                                             \
	X(BAD_NUMBER, "bad_number", 64, 400, "not a number in range: %s", "see --help")            \
	X(NO_SUCH_PID, "no_such_pid", 66, 404, "no process with pid %s", "see: pyprofctl ps")      \
	X(NOT_PYTHON, "not_python", 66, 404, "process %s is not a Python process",                 \
	  "see: pyprofctl ps")                                                                     \
	X(NO_MATCH, "no_match", 66, 404, "no Python process matches %s", "see: pyprofctl ps")      \
	X(AMBIGUOUS, "ambiguous", 64, 400, "several Python processes run: %s",                     \
	  "choose with --pid, --unit, --comm, --user or --all")                                    \
	X(UNSUPPORTED, "unsupported_version", 69, 422, "%s", "pyprof reads CPython 3.6 to 3.15")   \
	X(NO_PERMISSION, "no_permission", 77, 403, "no permission for %s",                         \
	  "run as root, as the owner of the process, or join the group pyprof")                    \
	X(NO_DAEMON, "no_daemon", 69, 503, "pyprofd does not answer on %s",                        \
	  "start it: systemctl start pyprofd, or: make run")                                       \
	X(NO_BPF, "no_bpf", 69, 503, "this kernel cannot run the sampler: %s",                     \
	  "see: pyprofctl doctor")                                                                 \
	X(CANNOT_CREATE, "cannot_create", 73, 500, "cannot write %s",                              \
	  "choose another place with -o")                                                          \
	X(BUSY, "busy", 75, 503, "%s", "try again")                                                \
	X(CONFIG, "config", 78, 500, "%s", "see /etc/pyprof/pyprofd.conf")                         \
	X(RUNNING, "already_running", 75, 503, "another pyprofd serves %s",                        \
	  "stop it first, or choose another --socket")                                             \
	X(NOT_FOUND, "not_found", 66, 404, "no such page: %s", "see README.md, The JSON")          \
	X(INTERNAL, "internal", 70, 500, "%s", "this is a bug in pyprof, please report it")

enum api_error {
	API_OK,
#define X(name, code, exit, http, message, remedy) API_##name,
	API_ERRORS(X)
#undef X
};

#define API_EXIT_DEGRADED 2 /* done, but more than 5 % of the events were lost */

/* Routes (GET unless said). Selectors in the query: pid= (repeatable) unit= container= comm= user=
 * all=1. */
#define API_ROUTE_VERSION "/v1/version"
#define API_ROUTE_STATUS "/v1/status"
#define API_ROUTE_PROCESSES                                                                        \
	"/v1/processes" /* ?exited=1; /v1/processes/{pid}; /v1/processes/{pid}/stacks?locals=1 */
#define API_ROUTE_TOP "/v1/top" /* ?window=SECONDS (default 5) */
#define API_ROUTE_FUNCTIONS                                                                        \
	"/v1/functions" /* ?window=SECONDS: looking back (default 60); ?seconds=S: from now on */
#define API_ROUTE_LINES "/v1/lines"     /* ?window= or ?seconds=, ?file= */
#define API_ROUTE_PROFILE "/v1/profile" /* ?resource=cpu&seconds=S&hz=N&format=json; children=1 */
/*
 * POST /v1/recordings?pid=…&hz=&resource=&seconds= → {"id":N}; GET /v1/recordings/N → {"id",
 * "running", "seconds", "samples", "events", "lost{}"}; DELETE /v1/recordings/N → ends it and
 * answers the `record` document. A recording ends with the connection that made it.
 */
#define API_ROUTE_RECORDINGS "/v1/recordings"

#endif
