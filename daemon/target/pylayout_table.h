/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The measured numbers behind pylayout.h; private to pylayout*.c and their tests. */
#ifndef PYPROF_DAEMON_TARGET_PYLAYOUT_TABLE_H
#define PYPROF_DAEMON_TARGET_PYLAYOUT_TABLE_H

#include <stddef.h>

#include "daemon/target/pylayout.h"

/* Spans are not filled. Ordered by version; a row holds from its micro version on. */
extern const struct py_layout pylayout_table[];
extern const size_t pylayout_table_size;
extern const struct py_objects pylayout_objects_table[];
extern const size_t pylayout_objects_table_size;

/* The row of a version, spans not filled, or NULL. */
const struct py_layout *pylayout_row(uint32_t version, bool free_threaded);
/* ts_span, f_size, co_span from the fields. 0 or -EBADMSG when one is too large. */
int pylayout_span(struct py_layout *layout);

#endif
