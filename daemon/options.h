/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the daemon was asked to do: defaults, then /etc/pyprof/pyprofd.conf, then the command line.
 * The contract with main.
 */
#ifndef PYPROF_DAEMON_OPTIONS_H
#define PYPROF_DAEMON_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/log.h"

#define OPTIONS_CONFIG "/etc/pyprof/pyprofd.conf"
#define OPTIONS_SOCKET_SIZE 108 /* of sockaddr_un.sun_path, its NUL included */

struct options {
	char socket[OPTIONS_SOCKET_SIZE];
	char config[PATH_MAX];
	unsigned hz; /* 1 to API_HZ_MAX */
	enum log_level log_level;
	bool foreground; /* do not detach from the terminal */
	bool check_config;
	double budget_percent;  /* of the host's CPUs, for all event sources together */
	uint64_t private_bytes; /* ceiling of the daemon's private memory */
	uint64_t map_bytes;     /* ceiling of BPF maps and rings */
};

/*
 * Reads the command line and the file that it names. 0: go on, with ret_options filled. 1: the
 * program ends with *ret_exit (0, 64 or 78), everything was said on stdout or stderr. Can be called
 * again to read the file anew (SIGHUP).
 */
int options_parse(int argc, char **argv, struct options *ret_options, int *ret_exit);

/*
 * Sets one value from text. On failure returns -EINVAL with the reason in why; the value stays.
 * -ENOENT: no such key. Keys: "daemon.socket", "sampling.hz"…, as in the file.
 */
int options_set(struct options *options, const char *key, const char *value, char *why,
		size_t why_size);

void options_defaults(struct options *ret_options);

#endif
