/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The `record` document: every stack of a profile, its frames once. */
#ifndef PYPROF_DAEMON_SERVE_RECORD_DOCUMENT_H
#define PYPROF_DAEMON_SERVE_RECORD_DOCUMENT_H

#include "daemon/serve/view.h"

/* Into the request's body. 0, or -EPROTO with its error set. */
int record_document(struct view *view);

#endif
