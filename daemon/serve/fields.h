/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Groups of fields that several documents share. Each writes into the object that is open. */
#ifndef PYPROF_DAEMON_SERVE_FIELDS_H
#define PYPROF_DAEMON_SERVE_FIELDS_H

#include "daemon/base/json.h"
#include "daemon/serve/request.h"

/* A process as `ps` shows it. window_ns: over which cpu_percent is taken. */
void fields_process(struct json *json, const struct serving *serving, struct process *process,
		    uint64_t window_ns);
/* The kernel's counters now, with "stale" as loss instead of as sample. */
void fields_ticks(const struct serving *serving, struct process *process,
		  struct process_ticks *ret_ticks);
/* "key":{reason: count}: the reasons that occurred. */
void fields_lost(struct json *json, const char *key, const __u64 lost[LOSS_MAX]);
/* A name from symbol/strings.h (NULL → null), and "…_truncated":true beside it when it was cut. */
void fields_name(struct json *json, const char *key, const char *name);
/* function, file, line of a frame. */
void fields_place(struct json *json, const struct frame *frame, int line);
/* "python", "native", "kernel", "marker" */
const char *fields_kind(enum frame_kind kind);
/* A number or, when it is NAN, null. */
void fields_real(struct json *json, const char *key, double value);
/* Weight in ns → percent of one core; NAN when no time has passed. */
double fields_percent(uint64_t weight_ns, double seconds);

/* events and lost. */
void fields_events(struct json *json, const struct process_ticks *ticks);

#endif
