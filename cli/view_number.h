/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers as narrow cells, at most five columns wide. NAN is what is not known: "n/a". */
#ifndef PYPROF_CLI_VIEW_NUMBER_H
#define PYPROF_CLI_VIEW_NUMBER_H

#include <stddef.h>

#define VIEW_NUMBER_MAX 24

/* "71.3", "0.0", "1640". */
void view_number_percent(double percent, char out[VIEW_NUMBER_MAX]);
/* "71", "<1" for what is more than nothing, "0". */
void view_number_share(double percent, char out[VIEW_NUMBER_MAX]);
void view_number_count(double count, char out[VIEW_NUMBER_MAX]);
/* "612M", "1.4G": powers of 1,024. */
void view_number_bytes(double bytes, char out[VIEW_NUMBER_MAX]);
/* "13.2s", "310ms", "2m05s". */
void view_number_time(double ns, char out[VIEW_NUMBER_MAX]);

#endif
