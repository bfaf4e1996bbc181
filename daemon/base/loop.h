/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The daemon's one event loop: file descriptors, repeating and one-shot timers, signals.
 * Single-threaded. */
#ifndef PYPROF_DAEMON_BASE_LOOP_H
#define PYPROF_DAEMON_BASE_LOOP_H

#include <stdint.h>

struct loop;
struct loop_source; /* one watched thing; owned by the loop until loop_remove() or loop_free() */

/* events: EPOLLIN… of epoll(7); value: expirations of a timer, number of a signal */
typedef void (*loop_fd_fn)(void *data, int fd, uint32_t events);
typedef void (*loop_timer_fn)(void *data, uint64_t expirations);
typedef void (*loop_signal_fn)(void *data, int signal);

/* NULL when out of memory or descriptors. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Return NULL with errno set. The fd stays the caller's, who removes the source before closing it.
 */
struct loop_source *loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn,
				void *data);
struct loop_source *loop_add_timer(struct loop *loop, uint64_t first_ns, uint64_t interval_ns,
				   loop_timer_fn fn, void *data);
/* Blocks the signal for the process and delivers it here. */
struct loop_source *loop_add_signal(struct loop *loop, int signal, loop_signal_fn fn, void *data);
/* Safe inside a callback, also for the source being called. NULL is fine. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Runs until loop_stop(); 0 or -errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* CLOCK_MONOTONIC and CLOCK_REALTIME, in ns. */
uint64_t loop_now_ns(void);
uint64_t loop_wall_ns(void);

#endif
