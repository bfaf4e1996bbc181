/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Path and method → handler. */
#ifndef PYPROF_DAEMON_SERVE_ROUTE_H
#define PYPROF_DAEMON_SERVE_ROUTE_H

#include "daemon/serve/request.h"

/* Finds the route, checks method and arguments, calls the handler; returns what it returned. */
int route_call(struct request *request);

#endif
