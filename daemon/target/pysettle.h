/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is a preempted thread's chain of frames whole? A thread that sleeps did so from a call, with
 * everything in memory. One that lost its CPU may be between two stores of a call or a return, with
 * the chain cut short or led through a frame that has ended. It is rare (of 8 threads that do
 * nothing but call each other, 3 in 12,000 reads), and shows in what no whole chain looks like.
 */
#ifndef PYPROF_DAEMON_TARGET_PYSETTLE_H
#define PYPROF_DAEMON_TARGET_PYSETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/target/pyreader.h"

/* False: do not believe it, look again later. */
bool pysettle_check(const struct pyreader *reader, uint64_t state);

#endif
