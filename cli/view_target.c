/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/query.h"
#include "cli/view.h"

void view_target_query(const struct view_target *target, struct text *path)
{
	if (target->npids < 2)
		query_number(path, "pid", (double)target->pid);
	else
		for (size_t i = 0; i < target->npids; i++)
			query_number(path, "pid", (double)target->pids[i]);
	if (target->window)
		query_number(path, "window", target->window);
}
