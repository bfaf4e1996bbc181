/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells the service manager how we are (sd_notify(3)). Without $NOTIFY_SOCKET every call does
 * nothing and returns 0; otherwise 0 or -errno, which nobody needs to heed.
 */
#ifndef PYPROF_DAEMON_NOTIFY_H
#define PYPROF_DAEMON_NOTIFY_H

#include <stdint.h>

/* After the probes are attached and the socket listens, also at the end of a reload. */
int notify_ready(void);
int notify_reloading(void);
int notify_stopping(void);
/* One line for `systemctl status`. */
int notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only when the rings are being drained: a stuck daemon is to be restarted. */
int notify_watchdog(void);
/* How often to call notify_watchdog(): half of what the manager allows; 0: it does not watch. */
uint64_t notify_watchdog_interval_ns(void);

#endif
