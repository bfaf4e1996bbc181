/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the daemon tells of itself and of the kernel's counters: probe, sampler → [report] → serve.
 */
#ifndef PYPROF_DAEMON_REPORT_H
#define PYPROF_DAEMON_REPORT_H

#include "daemon/options.h"
#include "daemon/probe/probe.h"
#include "daemon/probe/sampler.h"
#include "daemon/probe/sessions.h"
#include "daemon/profile/process.h"
#include "daemon/serve/server.h"

struct report;

struct report *report_new(struct probe *probe, struct sampler *sampler, struct sessions *sessions,
			  const struct options *options);
void report_free(struct report *report);

/* For server_hooks. */
void report_status(struct report *report, struct server_status *ret_status);
int report_ticks(struct report *report, struct process *process, uint8_t source,
		 struct process_ticks *ret_ticks);

#endif
