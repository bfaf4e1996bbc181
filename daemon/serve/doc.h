/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The documents, one doc_*.c each; handlers as request.h says. The names are README.md's, "The
 * JSON". */
#ifndef PYPROF_DAEMON_SERVE_DOC_H
#define PYPROF_DAEMON_SERVE_DOC_H

#include "daemon/serve/request.h"

int doc_version(struct request *request);
int doc_status(struct request *request);
int doc_processes(struct request *request);
int doc_process(struct request *request);
int doc_stacks(struct request *request);
int doc_top(struct request *request);
int doc_functions(struct request *request);
int doc_lines(struct request *request);
int doc_profile(struct request *request);
int doc_recording_new(struct request *request);
int doc_recording_get(struct request *request);
int doc_recording_end(struct request *request);

#endif
