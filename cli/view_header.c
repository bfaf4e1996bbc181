/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/view_header.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "cli/view_number.h"
#include "daemon/base/cleanup.h"

#define PARTS_MAX 12
#define BAR_MIN 12
#define LOST_BAD 5.0 /* percent: as API_EXIT_DEGRADED */
#define LOST_MUCH 1.0

static int parts_width(const struct view_part *parts, const bool *out, size_t count)
{
	int width = 0;

	for (size_t i = 0; i < count; i++)
		if (parts[i].text[0] && !out[i])
			width += view_line_width(parts[i].text) + (width ? 2 : 0);
	return width;
}

static bool parts_drop(const struct view_part *parts, bool *out, size_t count)
{
	size_t least = count;

	for (size_t i = 0; i < count; i++)
		if (parts[i].text[0] && !out[i] && parts[i].drop &&
		    (least == count || parts[i].drop > parts[least].drop))
			least = i;
	if (least == count)
		return false;
	return out[least] = true;
}

void view_header_parts(struct view_line *line, const struct view_part *parts, size_t count,
		       size_t right, int width)
{
	bool out[PARTS_MAX] = {};
	bool first = line->width == 0, pushed = false;

	count = MIN(count, (size_t)PARTS_MAX);
	while (width && line->width + parts_width(parts, out, count) > width)
		if (!parts_drop(parts, out, count))
			break;
	for (size_t i = 0; i < count; i++) {
		if (!parts[i].text[0] || out[i])
			continue;
		if (i >= right && width && !pushed) {
			view_line_fill(line, VIEW_PLAIN,
				       width - parts_width(parts + i, out + i, count - i));
			pushed = true;
		} else if (!first) {
			view_line_add(line, VIEW_PLAIN, "  ");
		}
		first = false;
		view_line_cut(line, parts[i].style, parts[i].text,
			      width ? width - line->width : INT_MAX);
	}
}

static void part_count(struct view_part *part, double count, const char *one, const char *many)
{
	char number[VIEW_NUMBER_MAX];

	view_number_count(count, number);
	snprintf(part->text, sizeof(part->text), "%s %s", number, count == 1 ? one : many);
}

void view_header_title(const struct top_model *model, const char *clock, int width,
		       struct view_line *line)
{
	struct view_part parts[] = {
	    {.style = VIEW_TITLE, .text = "pyprof"}, {.style = VIEW_BOLD},
	    {.style = VIEW_PLAIN, .drop = 1},        {.style = VIEW_PLAIN, .drop = 2},
	    {.style = VIEW_PLAIN, .drop = 3},        {.style = VIEW_PLAIN, .drop = 4},
	};

	snprintf(parts[1].text, sizeof(parts[1].text), "%s", model->host);
	snprintf(parts[2].text, sizeof(parts[2].text), "%s", clock);
	if (model->known) {
		part_count(&parts[3], (double)model->processes, "process", "processes");
		part_count(&parts[4], model->threads, "thread", "threads");
	}
	if (isfinite(model->cores))
		part_count(&parts[5], model->cores, "core", "cores");
	view_header_parts(line, parts, ARRAY_SIZE(parts), 3, width);
}

static void cpu_bar(const struct top_model *model, int width, struct view_line *line)
{
	int python = (int)lrint(model->python * width / 100);
	int busy = (int)lrint((model->python + model->other) * width / 100), at = 0;

	view_line_add(line, VIEW_BOLD, "[");
	for (; at < python; at++)
		view_line_add(line, VIEW_PYTHON, "|");
	for (; at < busy; at++)
		view_line_add(line, VIEW_OTHER, "|");
	for (; at < width; at++)
		view_line_add(line, VIEW_DIM, " ");
	view_line_add(line, VIEW_BOLD, "]");
}

/* The legend has the colours of the bar, so it needs no key. */
void view_header_cpu(const struct top_model *model, int width, struct view_line *line)
{
	struct view_part parts[] = {
	    {.style = VIEW_PYTHON},
	    {.style = VIEW_OTHER},
	    {.style = VIEW_DIM, .drop = 1},
	};
	bool none[ARRAY_SIZE(parts)] = {};
	int bar;

	view_line_add(line, VIEW_BOLD, "CPU ");
	if (!isfinite(model->python)) {
		view_line_add(line, VIEW_DIM, "n/a");
		return;
	}
	snprintf(parts[0].text, sizeof(parts[0].text), "python %4.1f%%", model->python);
	snprintf(parts[1].text, sizeof(parts[1].text), "other %4.1f%%", model->other);
	snprintf(parts[2].text, sizeof(parts[2].text), "idle %4.1f%%", model->idle);
	bar = width ? width - line->width - 2 - 2 - parts_width(parts, none, ARRAY_SIZE(parts)) : 0;
	if (bar >= BAR_MIN) {
		cpu_bar(model, bar, line);
		view_line_add(line, VIEW_PLAIN, "  ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		view_line_add(line, VIEW_PLAIN, i ? "  " : "");
		view_line_add(line, parts[i].style, parts[i].text);
	}
}

static void part_self(const struct top_model *model, struct view_part *part)
{
	char percent[VIEW_NUMBER_MAX], bytes[VIEW_NUMBER_MAX];

	view_number_percent(model->self.percent, percent);
	view_number_bytes(model->self.bytes, bytes);
	snprintf(part->text, sizeof(part->text), "pyprofd %s%s CPU %s", percent,
		 isfinite(model->self.percent) ? "%" : "", bytes);
}

static void part_lost(const struct top_model *model, struct view_part *part)
{
	char percent[VIEW_NUMBER_MAX];

	view_number_percent(model->self.lost, percent);
	snprintf(part->text, sizeof(part->text), "lost %s%s", percent,
		 isfinite(model->self.lost) ? "%" : "");
	if (model->self.lost > LOST_MUCH)
		part->style = model->self.lost > LOST_BAD ? VIEW_ERROR : VIEW_WARN;
}

void view_header_figures(const struct top_model *model, const struct view_part *flags, size_t count,
			 int width, struct view_line *line)
{
	struct view_part parts[PARTS_MAX] = {
	    {.style = VIEW_DIM, .drop = 4},
	    {.style = VIEW_DIM, .drop = 2},
	    {.style = VIEW_DIM, .drop = 3},
	    {.style = VIEW_DIM, .drop = 1},
	};
	size_t n = 4;

	if (model->self.known) {
		snprintf(parts[0].text, sizeof(parts[0].text), "%.0f Hz", model->self.hz);
		part_self(model, &parts[2]);
		part_lost(model, &parts[3]);
	}
	if (isfinite(model->window))
		snprintf(parts[1].text, sizeof(parts[1].text), "last %.*f s", model->window < 0.95,
			 model->window);
	for (size_t i = 0; i < count && n < PARTS_MAX; i++)
		parts[n++] = flags[i];
	view_header_parts(line, parts, n, 4, width);
}
