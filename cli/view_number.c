/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/format.h"

static bool number_unknown(double value, char *out)
{
	if (isfinite(value) && value >= 0)
		return false;
	snprintf(out, VIEW_NUMBER_MAX, "n/a");
	return true;
}

void view_number_percent(double percent, char out[VIEW_NUMBER_MAX])
{
	if (!number_unknown(percent, out))
		snprintf(out, VIEW_NUMBER_MAX, percent < 999.95 ? "%.1f" : "%.0f",
			 fmin(percent, 99999));
}

void view_number_share(double percent, char out[VIEW_NUMBER_MAX])
{
	if (number_unknown(percent, out))
		return;
	if (percent > 0 && percent < 0.5)
		snprintf(out, VIEW_NUMBER_MAX, "<1");
	else
		snprintf(out, VIEW_NUMBER_MAX, "%.0f", fmin(percent, 99999));
}

void view_number_count(double count, char out[VIEW_NUMBER_MAX])
{
	if (!number_unknown(count, out))
		snprintf(out, VIEW_NUMBER_MAX, count < 100000 ? "%.0f" : "%.3g", count);
}

void view_number_bytes(double bytes, char out[VIEW_NUMBER_MAX])
{
	char text[FORMAT_SIZE];

	if (number_unknown(bytes, out))
		return;
	format_bytes(text, bytes);
	snprintf(out, VIEW_NUMBER_MAX, "%.*s", VIEW_NUMBER_MAX - 1, text);
}

void view_number_time(double ns, char out[VIEW_NUMBER_MAX])
{
	double seconds = ns / 1e9;

	if (number_unknown(ns, out))
		return;
	if (ns == 0)
		snprintf(out, VIEW_NUMBER_MAX, "0");
	else if (ns < 999.5e3)
		snprintf(out, VIEW_NUMBER_MAX, "%.0fus", ns / 1e3);
	else if (ns < 999.5e6)
		snprintf(out, VIEW_NUMBER_MAX, "%.0fms", ns / 1e6);
	else if (seconds < 99.95)
		snprintf(out, VIEW_NUMBER_MAX, "%.1fs", seconds);
	else if (seconds < 5999.5)
		snprintf(out, VIEW_NUMBER_MAX, "%.0fm%02.0fs", floor(seconds / 60),
			 fmod(floor(seconds), 60));
	else
		snprintf(out, VIEW_NUMBER_MAX, "%.0fh", fmin(seconds / 3600, 9999));
}
