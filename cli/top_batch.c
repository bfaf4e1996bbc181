/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_batch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/top_model.h"
#include "cli/view.h"
#include "cli/view_header.h"
#include "cli/view_json.h"
#include "cli/view_table.h"
#include "daemon/api.h"
#include "daemon/base/cleanup.h"

#define FIRST_WAIT_MS 2000
#define FIRST_POLL_MS 100
#define FIRST_UPTIME 0.7 /* seconds; with the daemon's own start and the answer well within two */
#define INTERVAL_SECONDS 1.0

struct batch {
	const struct options *options;
	const struct view_order *order;
	struct client *client;
	struct text path;
	struct top_model model;
};

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_seconds(double seconds)
{
	struct timespec time = {.tv_sec = (time_t)seconds,
				.tv_nsec = (long)(fmod(seconds, 1) * 1e9)};

	nanosleep(&time, NULL);
}

/* A daemon that has only begun knows no hottest function yet: waits for its first samples. */
static int batch_wait(struct batch *batch, struct failure *ret_failure)
{
	double until = now_seconds() + FIRST_WAIT_MS / 1e3;

	while (now_seconds() < until) {
		_cleanup_json_ json_t *status = NULL;
		int r = client_json(batch->client, "GET", API_ROUTE_STATUS, &status, ret_failure);

		/* isless: false where the uptime is not known */
		if (r || !isless(view_json_number(status, "uptime_seconds"), FIRST_UPTIME))
			return r;
		sleep_seconds(FIRST_POLL_MS / 1e3);
	}
	return 0;
}

static void print_line(struct view_line *line)
{
	size_t size = line->text.size;

	while (size && line->text.data[size - 1] == ' ')
		size--;
	printf("%.*s\n", (int)size, size ? line->text.data : "");
	view_line_clear(line);
}

static void print_head(const struct top_model *model)
{
	_cleanup_(view_line_done) struct view_line line = {};
	time_t now = time(NULL);
	struct tm tm = {};
	char clock[32];

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S", &tm);
	view_header_title(model, clock, 0, &line);
	print_line(&line);
	view_header_cpu(model, 0, &line);
	print_line(&line);
	view_header_figures(model, NULL, 0, 0, &line);
	print_line(&line);
	print_line(&line);
}

static void print_rows(const struct view_grid *grid, size_t limit)
{
	_cleanup_(view_line_done) struct view_line line = {};
	struct view_table table;

	view_table_fit(&table, grid, 0);
	view_table_titles(&table, &(struct view_order){.sorted = false}, &line);
	print_line(&line);
	for (size_t i = 0; i < grid->shown && (!limit || i < limit); i++) {
		view_table_row(&table, i, &line);
		print_line(&line);
	}
}

static void batch_print(struct batch *batch, const json_t *document)
{
	_cleanup_(view_grid_done) struct view_grid grid;
	struct view_target target = {.options = batch->options};

	view_grid_init(&grid, view_processes.columns, view_processes.width);
	view_processes.fill(&grid, document, &target);
	view_grid_arrange(&grid, batch->order, NULL);
	print_head(&batch->model);
	if (grid.shown)
		print_rows(&grid, batch->options->limit);
	else
		printf("%s\n", view_processes.nothing);
}

static int batch_picture(struct batch *batch)
{
	_cleanup_json_ json_t *status = NULL, *document = NULL;
	struct failure failure;

	if (client_json(batch->client, "GET", API_ROUTE_STATUS, &status, &failure) ||
	    client_json(batch->client, "GET", batch->path.data, &document, &failure))
		return failure_print(&failure);
	top_model_status(&batch->model, status);
	top_model_top(&batch->model, document);
	batch_print(batch, document);
	return output_end(0);
}

static int batch_loop(struct batch *batch, unsigned iterations)
{
	double interval =
	    batch->options->interval > 0 ? batch->options->interval : INTERVAL_SECONDS;
	struct failure failure;
	int r = 0;

	if (batch_wait(batch, &failure))
		return failure_print(&failure);
	for (unsigned i = 0; !r && (!iterations || i < iterations); i++) {
		if (i) {
			sleep_seconds(interval);
			fputs(batch->options->json ? "" : "\n", stdout);
		}
		r = batch->options->json ? output_answer(batch->client, batch->path.data)
					 : batch_picture(batch);
	}
	return r;
}

int top_batch_run(const struct options *options, const struct view_order *order,
		  unsigned iterations)
{
	_cleanup_client_ struct client *client = client_new(options->socket);
	struct view_target target = {.options = options, .window = options->window};
	struct batch batch = {.options = options, .order = order, .client = client};
	char host[64] = "";
	int r;

	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	top_model_init(&batch.model, host);
	view_processes.path(&target, &batch.path);
	if (!client || batch.path.failed)
		r = failure_say(API_INTERNAL, "out of memory");
	else
		r = batch_loop(&batch, iterations);
	text_done(&batch.path);
	return r;
}
