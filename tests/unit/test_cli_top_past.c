/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `top` keeps of what it has seen: documents, trends, events; and marks, trees, sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_events.h"
#include "cli/top_page.h"
#include "cli/top_past.h"
#include "cli/top_tags.h"
#include "cli/top_trend.h"
#include "cli/view.h"
#include "cli/view_json.h"
#include "cli/view_merge.h"
#include "cli/view_table.h"
#include "daemon/base/cleanup.h"

static const struct top_self nobody = {.hz = 99};

/* A document of /v1/top with processes {pid, parent, CPU %}, each begun at second `pid`. */
static json_t *document_of(const int (*processes)[3], size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
		    array, json_pack("{s:i,s:i,s:I,s:f,s:s,s:b}", "pid", processes[i][0], "ppid",
				     processes[i][1], "start_time_ns",
				     (json_int_t)processes[i][0] * 1000000000, "cpu_percent",
				     (double)processes[i][2], "comm", "app", "supported", 1));
	return json_pack("{s:i,s:o}", "window_seconds", 5, "processes", array);
}
#define DOCUMENT(...)                                                                              \
	document_of((const int[][3]){__VA_ARGS__},                                                 \
		    sizeof((const int[][3]){__VA_ARGS__}) / sizeof(int[3]))

static void past_add(struct top_past *past, int64_t at_ms, json_t *document)
{
	char *body = json_dumps(document, 0);

	top_past_keep(past, at_ms, at_ms / 1000, body, strlen(body), document, &nobody);
	free(body);
	json_decref(document);
}

static void test_past_gives_back(void **state)
{
	struct top_past *past = calloc(1, sizeof(*past));
	const struct top_moment *moment;
	json_t *document;

	(void)state;
	past_add(past, 10000, DOCUMENT({7, 1, 50}, {5, 1, 10}));
	past_add(past, 10000 + TOP_PAST_GAP_MS - 1, DOCUMENT({7, 1, 51})); /* too soon */
	past_add(past, 11000, DOCUMENT({7, 1, 52}));
	assert_int_equal(past->count, 2);
	assert_int_equal(top_past_until(past, 9999), 0);
	assert_int_equal(top_past_until(past, 10000), 1);
	assert_int_equal(top_past_until(past, 99999), 2);
	assert_null(top_past_at(past, 2));
	moment = top_past_at(past, 0);
	assert_int_equal(moment->wall_s, 10);
	assert_float_equal(moment->self.hz, 99, 0);
	assert_float_equal(top_moment_cpu(moment, 5, 5000000000), 10, 0);
	assert_float_equal(top_moment_cpu(moment, 7, 7000000000), 50, 0);
	assert_true(isnan(top_moment_cpu(moment, 7, 8000000000))); /* its pid was used again */
	document = top_moment_document(moment);
	assert_int_equal(json_array_size(json_object_get(document, "processes")), 2);
	json_decref(document);
	top_past_done(past);
	assert_int_equal(past->bytes, 0);
	free(past);
}

static void test_past_is_bounded_in_time(void **state)
{
	struct top_past *past = calloc(1, sizeof(*past));
	int64_t last = 0;

	(void)state;
	for (int i = 0; i < 3 * TOP_PAST_MOMENTS; i++)
		past_add(past, last = 1 + i * TOP_PAST_GAP_MS, DOCUMENT({7, 1, 50}));
	assert_int_equal(past->count, TOP_PAST_MOMENTS);
	assert_int_equal(top_past_at(past, past->count - 1)->at_ms, last);
	past_add(past, last + TOP_PAST_MS, DOCUMENT({7, 1, 50}));
	assert_int_equal(past->count, 2); /* what is older has gone */
	top_past_done(past);
	free(past);
}

/* Text that does not pack: a document of a quarter of what may be kept. */
static char *noise(size_t size)
{
	char *body = malloc(size + 1);
	unsigned random = 1;

	for (size_t i = 0; i < size; i++)
		body[i] = (char)((random = random * 1103515245 + 12345) >> 16);
	return body;
}

static void test_past_is_bounded_in_bytes(void **state)
{
	struct top_past *past = calloc(1, sizeof(*past));
	json_t *document = DOCUMENT({7, 1, 50});
	char *body = noise(2 * TOP_PAST_BYTES);

	(void)state;
	for (int i = 1; i < 10; i++) {
		top_past_keep(past, i * 1000, i, body, TOP_PAST_BYTES / 4, document, &nobody);
		assert_in_range(past->bytes, 1, TOP_PAST_BYTES);
	}
	assert_int_equal(past->count, 3);
	assert_int_equal(top_past_at(past, 2)->at_ms, 9000);
	top_past_keep(past, 20000, 20, body, 2 * TOP_PAST_BYTES, document, &nobody);
	assert_int_equal(past->count, 3); /* one that is too large alone pushes nothing out */
	json_decref(document);
	free(body);
	top_past_done(past);
	free(past);
}

static const json_t *trend_of(const json_t *document, size_t window)
{
	return json_array_get(json_object_get(view_json_process(document, 7), "trend"), window);
}

static void test_trend(void **state)
{
	struct top_past *past = calloc(1, sizeof(*past));
	_cleanup_(top_page_done) struct top_page page;
	json_t *document = DOCUMENT({7, 1, 90}, {8, 1, 3});

	(void)state;
	past_add(past, 94000, DOCUMENT({7, 1, 45}));
	past_add(past, 99000, DOCUMENT({7, 1, 20}));  /* one window of 5 s before, nearly */
	past_add(past, 103000, DOCUMENT({7, 1, 80})); /* within this window: no trend */
	top_trend_add(document, past, 104100);
	assert_float_equal(json_number_value(trend_of(document, 0)), 20, 0);
	assert_float_equal(json_number_value(trend_of(document, 1)), 45, 0);
	assert_true(json_is_null(trend_of(document, 2))); /* nobody looked */
	top_page_init(&page, &view_processes, &(struct view_target){.trend = true});
	top_page_update(&page, document);
	for (size_t i = 0; i < view_processes.width; i++)
		if (strcmp(view_processes.columns[i].title, "TREND") == 0) {
			assert_string_equal(view_grid_cell(&page.grid, 0, i)->text, "   ▅▃█▲");
			assert_string_equal(view_grid_cell(&page.grid, 1, i)->text, "     ▃ ");
			assert_float_equal(view_grid_cell(&page.grid, 0, i)->key, 70, 0);
		}
	top_past_done(past);
	free(past);
}

static const char *event_field(json_t *array, size_t at, const char *key)
{
	const char *text = json_string_value(json_object_get(json_array_get(array, at), key));

	return text ? text : "";
}

static void events_top(struct top_events *events, json_t *document, int64_t wall_s)
{
	top_events_top(events, document, wall_s);
	json_decref(document);
}

static void events_status(struct top_events *events, const char *text, int64_t wall_s)
{
	json_t *document = json_loads(text, 0, NULL);

	assert_non_null(document);
	top_events_status(events, document, wall_s);
	json_decref(document);
}

static void test_events_of_processes(void **state)
{
	struct top_events *events = calloc(1, sizeof(*events));
	json_t *array;

	(void)state;
	events_top(events, DOCUMENT({50, 1, 1}, {60, 1, 1}), 100); /* they were there before */
	assert_int_equal(events->told, 0);
	events_top(events, DOCUMENT({60, 1, 1}, {101, 1, 1}, {20, 1, 1}), 102);
	array = top_events_document(events);
	assert_int_equal(json_array_size(array), 3);
	assert_string_equal(event_field(array, 0, "kind"), "began"); /* the newest first */
	assert_string_equal(event_field(array, 0, "what"), "101 app: [app]");
	assert_string_equal(event_field(array, 1, "kind"), "ended");
	assert_string_equal(event_field(array, 1, "what"), "50 app after 52s");
	assert_string_equal(event_field(array, 2, "kind"),
			    "found"); /* older than the look before */
	json_decref(array);
	/* A daemon that was away: who is there afterwards is no news. */
	top_events_away(events, "pyprofd does not answer", 103);
	top_events_away(events, "pyprofd does not answer", 104);
	events_top(events, DOCUMENT({60, 1, 1}), 110);
	assert_int_equal(events->told, 5);
	array = top_events_document(events);
	assert_string_equal(event_field(array, 0, "what"), "answers again, after 7s");
	assert_string_equal(event_field(array, 1, "what"), "pyprofd does not answer");
	json_decref(array);
	for (int i = 0; i < 2 * TOP_EVENTS_MAX; i++)
		events_top(events, i % 2 ? DOCUMENT({60, 1, 1}) : DOCUMENT({61, 1, 1}), 200);
	array = top_events_document(events);
	assert_int_equal(json_array_size(array), TOP_EVENTS_MAX);
	json_decref(array);
	top_events_done(events);
	free(events);
}

static void test_events_of_losses(void **state)
{
	struct top_events *events = calloc(1, sizeof(*events));
	json_t *array;

	(void)state;
	events_status(events, "{\"uptime_seconds\":50,\"lost\":{\"nested\":5}}", 100);
	assert_int_equal(events->told, 0); /* lost before */
	events_status(events, "{\"uptime_seconds\":51,\"lost\":{\"nested\":6}}", 101);
	events_status(events, "{\"uptime_seconds\":52,\"lost\":{\"nested\":6,\"stale\":1}}", 102);
	events_status(events, "{\"uptime_seconds\":53,\"lost\":{\"nested\":1006}}", 103);
	array = top_events_document(events);
	assert_int_equal(json_array_size(array), 2); /* a rise that goes on is one event */
	assert_non_null(strstr(event_field(array, 0, "what"), "nested: 1,001 events since "));
	assert_string_equal(event_field(array, 1, "what"), "stale: 1 event");
	json_decref(array);
	events_status(events, "{\"uptime_seconds\":90,\"lost\":{\"nested\":1007}}", 140);
	assert_int_equal(events->told, 3); /* much later: another one */
	events_status(events, "{\"uptime_seconds\":1,\"lost\":{\"nested\":3}}", 141);
	array = top_events_document(events);
	assert_string_equal(event_field(array, 0, "what"), "was started anew");
	assert_int_equal(json_array_size(array), 4);
	json_decref(array);
	top_events_done(events);
	free(events);
}

static void test_tags(void **state)
{
	json_t *document = DOCUMENT({7, 1, 0}, {8, 1, 0}), *again = DOCUMENT({7, 1, 0});
	json_t *process = json_array_get(json_object_get(again, "processes"), 0);
	struct top_tags tags = {};
	int64_t pids[TOP_TAGS_MAX];

	(void)state;
	assert_true(top_tags_turn(&tags, view_json_process(document, 8)));
	assert_true(top_tags_turn(&tags, view_json_process(document, 7)));
	assert_int_equal(top_tags_pids(&tags, document, pids), 2);
	assert_int_equal(pids[0], 7); /* as the document has them */
	json_object_set_new(process, "start_time_ns", json_integer(9));
	assert_int_equal(top_tags_pids(&tags, again, pids), 0); /* the pid was used again */
	assert_true(top_tags_turn(&tags, view_json_process(document, 7)));
	assert_false(top_tags_has(&tags, view_json_process(document, 7)));
	for (int i = 0; i < TOP_TAGS_MAX - 1; i++) {
		json_object_set_new(process, "pid", json_integer(100 + i));
		assert_true(top_tags_turn(&tags, process));
	}
	json_object_set_new(process, "pid", json_integer(999));
	assert_false(top_tags_turn(&tags, process));
	json_decref(document);
	json_decref(again);
}

/* "10 │└ 12 …": pids and branches of the rows, from the top. */
static void tree_print(const struct top_page *page, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < page->grid.shown; i++) {
		const struct view_row *row = view_grid_shown(&page->grid, i);

		used += (size_t)snprintf(out + used, size - used, "%s%s%d", i ? "|" : "",
					 row->branch, (int)row->id);
	}
}

static void test_tree(void **state)
{
	static const struct {
		const char *filter, *tree;
	} cases[] = {
	    {"", "30|├ 32|└ 31| └ 33|10|└ 11| └ 12|  └ 13|   └ 14|    └ 15|     └ 16|     └ 17"},
	};
	_cleanup_(top_page_done) struct top_page page;
	char text[512];

	(void)state;
	top_page_init(&page, &view_processes, &(struct view_target){});
	page.order.tree = true;
	top_page_update(&page, DOCUMENT({10, 1, 20}, {11, 10, 0}, {12, 11, 0}, {13, 12, 0},
					{14, 13, 0}, {15, 14, 0}, {16, 15, 0}, {17, 16, 0},
					{30, 2, 40}, {31, 30, 5}, {32, 30, 80}, {33, 31, 99}));
	tree_print(&page, text, sizeof(text));
	assert_string_equal(text, cases[0].tree); /* siblings by CPU; six branches at most */
	page.order.tree = false;
	top_page_refill(&page);
	tree_print(&page, text, sizeof(text));
	assert_memory_equal(text, "33|32|30|10|31|", 15);
}

/* Parents that go in a ring are a document gone mad: every row stays, once. */
static void test_tree_of_rings(void **state)
{
	_cleanup_(top_page_done) struct top_page page;
	char text[256];

	(void)state;
	top_page_init(&page, &view_processes, &(struct view_target){});
	page.order = (struct view_order){.tree = true};
	top_page_update(&page, DOCUMENT({1, 1, 0}, {2, 4, 0}, {3, 2, 0}, {4, 3, 0}, {5, 4, 0}));
	assert_int_equal(page.grid.shown, 5);
	tree_print(&page, text, sizeof(text));
	assert_string_equal(text, "1|2|└ 3| └ 4|  └ 5");
}

static void test_tree_is_drawn(void **state)
{
	_cleanup_(top_page_done) struct top_page page;
	struct view_table table;

	(void)state;
	top_page_init(&page, &view_processes, &(struct view_target){});
	page.order.tree = true;
	top_page_update(&page, DOCUMENT({10, 1, 20}, {11, 10, 0}, {12, 11, 0}));
	for (int room = 30; room < 120; room++) {
		_cleanup_(view_line_done) struct view_line line = {};

		view_table_fit(&table, &page.grid, room);
		view_table_row(&table, 2, &line);
		assert_in_range(line.width, 1, room);
		assert_non_null(strstr(line.text.data, " └ app"));
	}
}

/* Rows are ordered between headings: threads of one process do not end up under another. */
static void test_order_keeps_headings(void **state)
{
	_cleanup_(top_page_done) struct top_page page;
	static const char text[] =
	    "{\"processes\":[{\"pid\":1,\"threads\":[{\"tid\":1,\"name\":\"z\"},{\"tid\":2,"
	    "\"name\":\"y\"}]},{\"pid\":5,\"threads\":[{\"tid\":5,\"name\":\"b\"},{\"tid\":6,"
	    "\"name\":\"a\"}]}]}";
	static const int tids[] = {0, 2, 1, 0, 6, 5};

	(void)state;
	top_page_init(&page, &view_threads,
		      &(struct view_target){.pid = 1, .pids = {1, 5}, .npids = 2});
	page.order = (struct view_order){.column = 1, .sorted = true};
	top_page_update(&page, json_loads(text, 0, NULL));
	assert_int_equal(page.grid.shown, ARRAY_SIZE(tids));
	for (size_t i = 0; i < ARRAY_SIZE(tids); i++)
		assert_int_equal(view_grid_shown(&page.grid, i)->id, tids[i]);
}

static void test_functions_add_up(void **state)
{
	static const char text[] =
	    "{\"processes\":[{\"pid\":1,\"functions\":[{\"function\":\"f\",\"file\":\"a\",\"line\":"
	    "1,"
	    "\"own_ns\":10,\"own_percent\":1.5,\"total_ns\":10,\"calls\":null,\"callers\":[{"
	    "\"function\":\"m\",\"total_ns\":10}],\"callees\":[]}]},"
	    "{\"pid\":2,\"functions\":[{\"function\":\"f\",\"file\":\"a\",\"line\":1,\"own_ns\":30,"
	    "\"own_percent\":2.0,\"total_ns\":31,\"calls\":null,\"callers\":[{\"function\":\"m\","
	    "\"total_ns\":20},{\"function\":\"n\",\"total_ns\":11}],\"callees\":[]},"
	    "{\"function\":\"g\",\"own_ns\":5,\"total_ns\":null}]},{\"pid\":3,\"functions\":[{"
	    "\"function\":\"g\",\"own_ns\":1,\"total_ns\":7}]}]}";
	const struct view_target both = {.pid = 1, .pids = {1, 2}, .npids = 2};
	json_t *document = json_loads(text, 0, NULL);
	json_t *functions = view_merge_functions(document, &both), *f, *callers;

	(void)state;
	assert_int_equal(json_array_size(functions), 2); /* the third process is not asked for */
	f = json_array_get(functions, 0);
	callers = json_object_get(f, "callers");
	assert_int_equal(json_integer_value(json_object_get(f, "own_ns")), 40);
	assert_int_equal(json_integer_value(json_object_get(f, "total_ns")), 41);
	assert_float_equal(view_json_number(f, "own_percent"), 3.5, 1e-9);
	assert_int_equal(json_array_size(callers), 2);
	assert_float_equal(view_json_number(json_array_get(callers, 0), "total_ns"), 30, 0);
	assert_float_equal(view_json_number(json_array_get(callers, 1), "total_ns"), 11, 0);
	assert_true(json_is_null(json_object_get(json_array_get(functions, 1), "total_ns")));
	json_decref(functions);
	functions = view_merge_functions(document, &(struct view_target){.pid = 2});
	assert_int_equal(json_array_size(functions), 2);
	f = json_array_get(functions, 0); /* adding up has left the document as it was */
	assert_int_equal(json_integer_value(json_object_get(f, "own_ns")), 30);
	assert_int_equal(json_array_size(json_object_get(f, "callers")), 2);
	json_decref(functions);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_past_gives_back),
	    cmocka_unit_test(test_past_is_bounded_in_time),
	    cmocka_unit_test(test_past_is_bounded_in_bytes),
	    cmocka_unit_test(test_trend),
	    cmocka_unit_test(test_events_of_processes),
	    cmocka_unit_test(test_events_of_losses),
	    cmocka_unit_test(test_tags),
	    cmocka_unit_test(test_tree),
	    cmocka_unit_test(test_tree_of_rings),
	    cmocka_unit_test(test_tree_is_drawn),
	    cmocka_unit_test(test_order_keeps_headings),
	    cmocka_unit_test(test_functions_add_up),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
