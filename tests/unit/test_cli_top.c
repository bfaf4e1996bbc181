/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pure parts of `top`: document → grid → lines, the columns that fit, and where the reader is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/top_live.h"
#include "cli/top_model.h"
#include "cli/top_page.h"
#include "cli/tui_keys.h"
#include "cli/tui_prompt.h"
#include "cli/view.h"
#include "cli/view_header.h"
#include "cli/view_number.h"
#include "cli/view_table.h"
#include "daemon/base/cleanup.h"

#define PROCESS(pid, unit, cpu, function, line)                                                    \
	"{\"pid\":" #pid ",\"comm\":\"python3\",\"unit\":" unit                                    \
	",\"python\":{\"version\":\"3.12.1\",\"build\":\"gil\"},\"supported\":true,"               \
	"\"user\":\"web\",\"cmdline\":[\"python3\",\"-m\",\"app\"],\"cpu_percent\":" #cpu          \
	",\"python_percent\":10,\"native_percent\":0.2,\"system_percent\":null,"                   \
	"\"gil_percent\":7,\"threads\":3,\"rss_bytes\":641728512,\"hot\":{\"function\":"           \
	"\"" function "\",\"file\":\"/srv/app/deep/" function ".py\",\"line\":" #line              \
	",\"percent\":42}}"

static const char document_text[] =
    "{\"window_seconds\":5,\"host\":{\"cores\":2,\"python_percent\":50,\"other_percent\":50,"
    "\"idle_percent\":100},\"processes\":[" PROCESS(
	10, "\"api.service\"", 20.5, "fetch",
	88) "," PROCESS(1200, "\"session-4.scope\"", 71.3, "Class.render",
			7) ","
			   "{\"pid\":30,\"comm\":\"old\",\"supported\":false,\"reason\":\"Python "
			   "2.7\",\"threads\":1,"
			   "\"unit\":null,\"container\":\"0123456789abcdef\",\"cpu_percent\":null,"
			   "\"python\":"
			   "{\"version\":\"2.7.18\",\"build\":\"gil\"}},"
			   "{\"pid\":40,\"comm\":\"free\",\"supported\":true,\"cpu_percent\":0.0,"
			   "\"gil_percent\":0,"
			   "\"python\":{\"version\":\"3.13.0\",\"build\":\"free-threaded\"},"
			   "\"threads\":1,\"hot\":null}]}";

static void page_open(struct top_page *page, const struct view *view, const char *document)
{
	json_t *json = json_loads(document, 0, NULL);

	assert_non_null(json);
	top_page_init(page, view, &(struct view_target){});
	top_page_update(page, json);
}

/* The text of the shown row under this title; NULL: empty. */
static const char *cell(const struct top_page *page, size_t at, const char *title)
{
	for (size_t i = 0; i < page->grid.width; i++)
		if (strcmp(page->grid.columns[i].title, title) == 0)
			return view_grid_cell(&page->grid, page->grid.order[at], i)->text;
	fail_msg("no column %s", title);
	return NULL;
}

static uint64_t shown_id(const struct top_page *page, size_t at)
{
	const struct view_row *row = view_grid_shown(&page->grid, at);

	assert_non_null(row);
	return row->id;
}

static void test_numbers(void **state)
{
	static const struct {
		void (*print)(double, char *);
		double value;
		const char *text;
	} cases[] = {
	    {view_number_percent, 71.34, "71.3"},
	    {view_number_percent, 1640.4, "1640"},
	    {view_number_percent, NAN, "n/a"},
	    {view_number_percent, -1, "n/a"},
	    {view_number_share, 0, "0"},
	    {view_number_share, 0.2, "<1"},
	    {view_number_share, 99.7, "100"},
	    {view_number_count, 12, "12"},
	    {view_number_bytes, 641728512, "612M"},
	    {view_number_bytes, INFINITY, "n/a"},
	    {view_number_time, 0, "0"},
	    {view_number_time, 310e6, "310ms"},
	    {view_number_time, 13.26e9, "13.3s"},
	    {view_number_time, 125e9, "2m05s"},
	    {view_number_time, 1e25, "9999h"},
	    {view_number_percent, 1e300, "99999"},
	};
	char text[VIEW_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cases[i].print(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_line_is_safe(void **state)
{
	static const struct {
		const char *in, *out;
		int width;
	} cases[] = {
	    {"plain", "plain", 5},
	    {"a\033[31mb\007", "a\xef\xbf\xbd[31mb\xef\xbf\xbd", 8},
	    {"\xe2\x80\xaegnp", "\xef\xbf\xbdgnp", 4}, /* right-to-left override */
	    {"a\xe2\x80\x8f\xe2\x80\x8b"
	     "b",
	     "ab", 2}, /* mark, zero-width space */
	    {"\xff\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
	    {"\xe6\xbc\xa2", "\xe6\xbc\xa2", 2}, /* two columns */
	    {"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", "e\xcc\x81\xcc\x81", 1},
	    {"\xcc\x81x", "x", 1}, /* a mark on nothing */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(view_line_done) struct view_line line = {};

		view_line_add(&line, VIEW_PLAIN, cases[i].in);
		assert_string_equal(line.text.data, cases[i].out);
		assert_int_equal(line.width, cases[i].width);
		assert_int_equal(view_line_width(cases[i].in), cases[i].width);
	}
}

static void test_line_cells(void **state)
{
	_cleanup_(view_line_done) struct view_line line = {};

	(void)state;
	view_line_cell(&line, VIEW_PLAIN, "abcdef", 4, false);
	assert_string_equal(line.text.data, "abc…");
	view_line_cell(&line, VIEW_BOLD, "x", 3, true);
	assert_string_equal(line.text.data, "abc…  x");
	/* a character of two columns does not fit into the one that is left before the ellipsis */
	view_line_cell(&line, VIEW_DIM, "a漢漢", 3, false);
	assert_string_equal(line.text.data, "abc…  xa… ");
	assert_int_equal(line.width, 10);
	assert_int_equal(line.count, 3);
	assert_int_equal(line.spans[2].end, line.text.size);
	view_line_clear(&line);
	view_line_cut(&line, VIEW_PLAIN, "gone", 0);
	assert_int_equal(line.width, 0);
}

static void test_processes(void **state)
{
	_cleanup_(top_page_done) struct top_page page;

	(void)state;
	page_open(&page, &view_processes, document_text);
	assert_int_equal(page.grid.shown, 4);
	assert_int_equal(shown_id(&page, 0), 1200); /* by CPU, what is not known last */
	assert_int_equal(shown_id(&page, 3), 30);
	assert_string_equal(cell(&page, 0, "UNIT"), "app"); /* a login session says nothing */
	assert_string_equal(cell(&page, 1, "UNIT"), "api");
	assert_string_equal(cell(&page, 3, "UNIT"), "0123456789ab");
	assert_string_equal(cell(&page, 0, "CPU%"), "71.3");
	assert_string_equal(cell(&page, 0, "nat"), "<1");
	assert_string_equal(cell(&page, 0, "sys"), "n/a");
	assert_string_equal(cell(&page, 1, "RSS"), "612M");
	assert_string_equal(cell(&page, 1, "HOTTEST FUNCTION"), "fetch");
	assert_string_equal(cell(&page, 1, "COMMAND"), "python3 -m app");
	assert_string_equal(cell(&page, 2, "PY"), "3.13t");
	assert_string_equal(cell(&page, 2, "GIL%"), "n/a"); /* no GIL is not 0 % of it */
	assert_null(cell(&page, 2, "HOTTEST FUNCTION"));
	assert_string_equal(cell(&page, 3, "HOTTEST FUNCTION"), "Python 2.7");
	assert_true(view_grid_shown(&page.grid, 3)->dim);
}

static void test_order_and_filter(void **state)
{
	_cleanup_(top_page_done) struct top_page page;

	(void)state;
	page_open(&page, &view_processes, document_text);
	top_page_invert(&page);
	assert_int_equal(shown_id(&page, 0), 40);
	assert_int_equal(shown_id(&page, 3), 30); /* unknown stays last */
	page.order = (struct view_order){.column = 0, .sorted = true};
	top_page_refill(&page);
	assert_int_equal(shown_id(&page, 0), 10); /* pids rise */
	assert_int_equal(shown_id(&page, 3), 1200);
	strcpy(page.filter, "RENDER.PY"); /* a tail, case ignored */
	top_page_refill(&page);
	assert_int_equal(page.grid.shown, 1);
	assert_int_equal(shown_id(&page, 0), 1200);
	page.filter[0] = '\0';
	page.target.user = "nobody";
	top_page_refill(&page);
	assert_int_equal(page.grid.shown, 0);
	assert_null(top_page_row(&page));
}

static void test_sort_skips_hidden(void **state)
{
	_cleanup_(top_page_done) struct top_page page;
	struct view_table table;

	(void)state;
	page_open(&page, &view_processes, document_text);
	view_table_fit(&table, &page.grid, 40);
	for (int i = 0; i < 20; i++) {
		top_page_sort(&page, i % 2 ? 1 : -1, table.widths);
		assert_true(page.order.sorted);
		assert_int_not_equal(table.widths[page.order.column], 0);
		top_page_sort(&page, 1, table.widths);
		assert_int_not_equal(table.widths[page.order.column], 0);
	}
}

/* Every line is as wide as the screen or narrower, whatever its width. */
static void test_table_fits(void **state)
{
	_cleanup_(top_page_done) struct top_page page;
	_cleanup_(view_line_done) struct view_line line = {};
	struct view_table table;

	(void)state;
	page_open(&page, &view_processes, document_text);
	for (int room = 30; room < 300; room++) {
		view_table_fit(&table, &page.grid, room);
		view_table_titles(&table, &page.order, &line);
		assert_int_equal(line.width, room);
		view_line_clear(&line);
		for (size_t i = 0; i < page.grid.shown; i++) {
			view_table_row(&table, i, &line);
			assert_in_range(line.width, 1, room);
			view_line_clear(&line);
		}
	}
}

static void test_columns_drop_by_priority(void **state)
{
	_cleanup_(top_page_done) struct top_page page;
	struct view_table table;
	size_t before = SIZE_MAX;

	(void)state;
	page_open(&page, &view_processes, document_text);
	for (int room = 200; room > 30; room--) {
		size_t shown = 0;

		view_table_fit(&table, &page.grid, room);
		for (size_t i = 0; i < page.grid.width; i++)
			shown += table.widths[i] > 0;
		assert_true(shown <= before);
		before = shown;
		assert_true(table.widths[0] && table.widths[1] && table.widths[3]);
	}
	view_table_fit(&table, &page.grid, 80);
	for (size_t i = 0; i < page.grid.width; i++)
		assert_true(table.widths[i] || page.grid.columns[i].wide ||
			    page.grid.columns[i].optional); /* all, at 80 */
	view_table_fit(&table, &page.grid, 0);
	for (size_t i = 0; i < page.grid.width; i++)
		assert_true(table.widths[i] || page.grid.columns[i].optional);
}

static void test_place_shortens(void **state)
{
	static const struct view_column columns[] = {{.title = "", .min = 1}};
	static const struct {
		int room;
		const char *text;
	} cases[] = {
	    {40, "Class.method /srv/app/deep/query.py:88"},
	    {33, "Class.method app/deep/query.py:88"},
	    {28, "Class.method query.py:88"},
	    {20, "method query.py:88"},
	    {16, "method …ry.py:88"},
	    {12, "method …y:88"},
	};
	_cleanup_(view_grid_done) struct view_grid grid;

	(void)state;
	view_grid_init(&grid, columns, 1);
	view_grid_row(&grid, 1);
	view_grid_place(&grid, 0, VIEW_PLAIN, "Class.method", "/srv/app/deep/query.py", 88);
	view_grid_arrange(&grid, &(struct view_order){}, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(view_line_done) struct view_line line = {};
		struct view_table table;

		view_table_fit(&table, &grid, cases[i].room);
		view_table_row(&table, 0, &line);
		while (line.text.size && line.text.data[line.text.size - 1] == ' ')
			line.text.data[--line.text.size] = '\0';
		assert_string_equal(line.text.data, cases[i].text);
	}
}

static void test_follow(void **state)
{
	_cleanup_(top_page_done) struct top_page page;

	(void)state;
	page_open(&page, &view_processes, document_text);
	assert_int_equal(page.chosen, 1200);
	top_page_invert(&page); /* untouched: the bar stays at the top */
	assert_int_equal(page.at, 0);
	top_page_move(&page, 1);
	assert_int_equal(page.chosen, 10);
	top_page_invert(&page); /* moved: it goes with its process */
	assert_int_equal(page.chosen, 10);
	assert_int_equal(page.at, view_grid_find(&page.grid, 10, 99));
	top_page_move(&page, -100);
	assert_int_equal(page.at, 0);
	top_page_move(&page, 100);
	assert_int_equal(page.at, 3);
	top_page_first(&page);
	assert_int_equal(page.at, 0);
	assert_false(page.follow);
}

static void test_search(void **state)
{
	_cleanup_(top_page_done) struct top_page page;

	(void)state;
	page_open(&page, &view_processes, document_text);
	assert_true(top_page_search(&page, "python 2.7", 0));
	assert_int_equal(page.chosen, 30);
	assert_true(top_page_search(&page, "3.12", 1)); /* around the end */
	assert_int_equal(page.chosen, 1200);
	assert_true(top_page_search(&page, "3.12", -1));
	assert_int_equal(page.chosen, 10);
	assert_false(top_page_search(&page, "nowhere", 1));
	assert_int_equal(page.chosen, 10);
	assert_false(top_page_search(&page, "", 1));
}

static const char lines_text[] =
    "{\"processes\":[{\"pid\":1,\"files\":[{\"file\":\"/cold.py\",\"lines\":[{\"line\":1,"
    "\"source\":\"pass\",\"python_percent\":1,\"native_percent\":0,\"system_percent\":0}]},"
    "{\"file\":\"/hot.py\",\"newer_than_process\":true,\"lines\":[{\"line\":3,"
    "\"source\":\"\\tx = 1\\n\",\"python_percent\":8,\"native_percent\":null,"
    "\"system_percent\":0},{\"line\":4,\"source\":null,\"python_percent\":4}]}]}]}";

static void test_lines(void **state)
{
	_cleanup_(top_page_done) struct top_page page;

	(void)state;
	page_open(&page, &view_lines, lines_text);
	assert_int_equal(page.grid.shown, 5);
	assert_true(view_grid_shown(&page.grid, 0)->heading);
	assert_non_null(strstr(cell(&page, 0, "LINE"), "/hot.py")); /* the hottest file first */
	assert_non_null(strstr(cell(&page, 0, "LINE"), "! changed"));
	assert_int_equal(page.at, 1); /* a heading is never chosen */
	assert_string_equal(cell(&page, 1, "LINE"), "!3");
	assert_string_equal(cell(&page, 1, "SOURCE"), "    x = 1");
	assert_string_equal(cell(&page, 1, "py%"), "8.0");
	assert_string_equal(cell(&page, 1, "nat%"), "n/a");
	assert_null(cell(&page, 1, "sys%"));
	assert_string_equal(cell(&page, 1, ""), "██████");
	assert_string_equal(cell(&page, 2, ""), "███");
	top_page_move(&page, 2); /* over the heading of the next file */
	assert_int_equal(page.at, 4);
	assert_string_equal(cell(&page, 4, "LINE"), "1");
	top_page_move(&page, -1);
	assert_int_equal(page.at, 2);
	top_page_scroll(&page, 3);
	assert_int_equal(page.top, 0);
}

static const char functions_text[] =
    "{\"processes\":[{\"pid\":1,\"functions\":[{\"function\":\"f\",\"file\":\"/a.py\",\"line\":2,"
    "\"own_ns\":10000000,\"total_ns\":40000000,\"own_percent\":10,\"total_percent\":40,"
    "\"callers\":[{\"function\":\"main\",\"file\":\"/a.py\",\"line\":9,\"total_ns\":40000000}],"
    "\"callees\":[{\"function\":\"g\",\"file\":\"/b.py\",\"line\":1,\"total_ns\":30000000}]},"
    "{\"function\":\"g\",\"file\":\"/b.py\",\"line\":1,\"own_ns\":30000000,"
    "\"total_ns\":30000000,\"own_percent\":30,\"total_percent\":30,\"callers\":[],"
    "\"callees\":[]}]}]}";

static void test_functions_and_callers(void **state)
{
	_cleanup_(top_page_done) struct top_page page, around;
	json_t *document = json_loads(functions_text, 0, NULL);

	(void)state;
	page_open(&page, &view_functions, functions_text);
	assert_string_equal(cell(&page, 0, "FUNCTION"), "g"); /* by the time in itself */
	assert_string_equal(cell(&page, 1, "TOTAL%"), "40.0");
	assert_string_equal(cell(&page, 1, "SELF"), "10ms");
	top_page_init(&around, &view_callers,
		      &(struct view_target){.function = shown_id(&page, 1)});
	top_page_update(&around, document);
	assert_int_equal(around.grid.shown, 6);
	assert_string_equal(cell(&around, 1, "FUNCTION"), "main");
	assert_string_equal(cell(&around, 3, "FUNCTION"), "f");
	assert_string_equal(cell(&around, 3, "SHARE%"), "25.0");
	assert_string_equal(cell(&around, 5, "FUNCTION"), "g");
	assert_string_equal(cell(&around, 5, "SHARE%"), "75.0");
	assert_int_equal(shown_id(&around, 5), shown_id(&page, 0)); /* Enter goes on from there */
}

static const char stacks_text[] =
    "{\"processes\":[{\"pid\":1,\"threads\":[{\"tid\":7,\"name\":\"python3\",\"python_name\":"
    "\"Main\","
    "\"state\":\"waiting\",\"syscall\":\"futex\",\"gil\":\"wanted\",\"frames\":[{\"function\":"
    "\"f\","
    "\"file\":\"/a.py\",\"line\":3}],\"truncated\":true},{\"tid\":8,\"name\":\"pool\","
    "\"state\":\"running\",\"gil\":null,\"frames\":[],\"error\":\"it changed\"}]}]}";

static void test_threads_and_dump(void **state)
{
	_cleanup_(top_page_done) struct top_page threads, dump;

	(void)state;
	page_open(&threads, &view_threads, stacks_text);
	assert_string_equal(cell(&threads, 0, "NAME"), "Main");
	assert_string_equal(cell(&threads, 0, "GIL"), "wanted");
	assert_string_equal(cell(&threads, 0, "NOW"), "f");
	assert_string_equal(cell(&threads, 1, "NAME"), "pool");
	assert_string_equal(cell(&threads, 1, "NOW"), "it changed");
	page_open(&dump, &view_dump, stacks_text);
	assert_int_equal(dump.grid.shown, 5);
	dump.target.tid = 8;
	top_page_refill(&dump);
	assert_int_equal(dump.grid.shown, 2);
}

static void test_model(void **state)
{
	struct top_model model;
	json_t *top = json_loads(document_text, 0, NULL);
	json_t *first =
	    json_loads("{\"hz\":99,\"uptime_seconds\":100,\"cpu_seconds\":1,\"events\":1000,"
		       "\"lost\":{\"nested\":10},\"private_bytes\":1048576}",
		       0, NULL);
	json_t *second = json_loads("{\"hz\":99,\"uptime_seconds\":102,\"cpu_seconds\":1.01,"
				    "\"events\":1200,\"lost\":{\"nested\":11,\"skipped\":3}}",
				    0, NULL);

	(void)state;
	top_model_init(&model, "host");
	assert_true(isnan(model.python) && !model.self.known);
	top_model_top(&model, top);
	assert_int_equal(model.processes, 4);
	assert_float_equal(model.threads, 8, 1e-9);
	assert_float_equal(model.python, 25, 1e-9); /* of two CPUs */
	assert_float_equal(model.idle, 50, 1e-9);
	top_model_status(&model, first);
	assert_float_equal(model.self.percent, 1, 1e-9); /* of its life */
	assert_float_equal(model.self.lost, 1, 1e-9);
	top_model_status(&model, second);
	assert_float_equal(model.self.percent, 0.5, 1e-6); /* of the last seconds */
	assert_float_equal(model.self.lost, 2, 1e-6);
	assert_true(isnan(model.self.bytes));
	top_model_status(&model, first); /* a new daemon: of its life again */
	assert_float_equal(model.self.lost, 1, 1e-9);
	json_decref(top);
	json_decref(first);
	json_decref(second);
}

static void test_header_fits(void **state)
{
	const struct view_part flags[] = {{VIEW_WARN, 0, "PAUSED"}};
	json_t *top = json_loads(document_text, 0, NULL);
	struct top_model model;

	(void)state;
	top_model_init(&model, "a-host-with-a-name");
	top_model_top(&model, top);
	json_decref(top);
	for (int width = 36; width < 200; width++) {
		_cleanup_(view_line_done) struct view_line title = {}, cpu = {}, figures = {};

		view_header_title(&model, "12:00:00", width, &title);
		view_header_cpu(&model, width, &cpu);
		view_header_figures(&model, flags, 1, width, &figures);
		assert_in_range(title.width, 1, width);
		assert_in_range(cpu.width, 1, MAX(width, 50));
		assert_int_equal(figures.width, width); /* the flag at the right edge */
		assert_non_null(strstr(figures.text.data, "PAUSED"));
	}
}

/* Documents of a daemon gone mad: any type anywhere, no crash and no row made up. */
static void test_odd_documents(void **state)
{
	static const struct view *const views[] = {&view_processes, &view_functions, &view_callers,
						   &view_lines,     &view_threads,   &view_dump};
	static const char *const documents[] = {
	    "[]",
	    "{}",
	    "{\"processes\":3}",
	    "{\"processes\":[]}",
	    "{\"processes\":[null,1,\"x\",[],{}]}",
	    "{\"processes\":[{\"pid\":\"x\",\"hot\":[],\"python\":3,\"cmdline\":{},\"unit\":7,"
	    "\"functions\":{},\"files\":[1,{\"lines\":5},{\"lines\":[null,{\"line\":-1}]}],"
	    "\"threads\":[null,{},{\"frames\":[null,3,{}],\"tid\":1e9}]}]}",
	    "{\"processes\":[{\"functions\":[{},null,{\"function\":\"\",\"line\":-5}],"
	    "\"cpu_percent\":1e308,\"rss_bytes\":-1,\"threads\":99999999999999999}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		for (size_t k = 0; k < ARRAY_SIZE(documents); k++) {
			_cleanup_(top_page_done) struct top_page page;
			_cleanup_(view_line_done) struct view_line line = {};
			struct view_table table;

			page_open(&page, views[i], documents[k]);
			view_table_fit(&table, &page.grid, 80);
			for (size_t row = 0; row < page.grid.shown; row++) {
				view_table_row(&table, row, &line);
				assert_in_range(line.width, 0, 80 * (row + 1));
			}
			assert_false(page.grid.failed);
		}
}

static void test_keys_and_prompt(void **state)
{
	struct tui_prompt prompt;

	(void)state;
	assert_int_equal(tui_keys_action('q'), TUI_QUIT);
	assert_int_equal(tui_keys_action('\t'), TUI_TAB_NEXT);
	assert_int_equal(tui_keys_action('K'), TUI_NOTHING); /* nothing kills */
	assert_int_equal(tui_keys_action('9'), TUI_NOTHING);
	tui_prompt_open(&prompt, "Find: ", "");
	assert_int_equal(tui_prompt_key(&prompt, 'a'), TUI_PROMPT_MORE);
	assert_int_equal(tui_prompt_key(&prompt, 0x6f22), TUI_PROMPT_MORE);
	assert_string_equal(prompt.text, "a漢");
	tui_prompt_key(&prompt, 0x7f);
	assert_string_equal(prompt.text, "a");
	for (int i = 0; i < 2 * TUI_PROMPT_MAX; i++)
		tui_prompt_key(&prompt, 'x');
	assert_int_equal(strlen(prompt.text), TUI_PROMPT_MAX - 1);
	assert_int_equal(tui_prompt_key(&prompt, '\r'), TUI_PROMPT_DONE);
	assert_false(prompt.open);
}

/* What is older than the daemon's window is not counted, so the screen may not say so. */
static void test_reset_holds_a_minute(void **state)
{
	int64_t now = top_live_now();
	struct top_live live = {};

	(void)state;
	assert_false(top_ask_from_reset(&live));
	live.reset_ms = now;
	assert_true(top_ask_from_reset(&live));
	live.reset_ms = now - TOP_WINDOW_MAX * 1000 - 1;
	assert_false(top_ask_from_reset(&live));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_reset_holds_a_minute),
	    cmocka_unit_test(test_line_is_safe),
	    cmocka_unit_test(test_line_cells),
	    cmocka_unit_test(test_processes),
	    cmocka_unit_test(test_order_and_filter),
	    cmocka_unit_test(test_sort_skips_hidden),
	    cmocka_unit_test(test_table_fits),
	    cmocka_unit_test(test_columns_drop_by_priority),
	    cmocka_unit_test(test_place_shortens),
	    cmocka_unit_test(test_follow),
	    cmocka_unit_test(test_search),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_functions_and_callers),
	    cmocka_unit_test(test_threads_and_dump),
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_header_fits),
	    cmocka_unit_test(test_odd_documents),
	    cmocka_unit_test(test_keys_and_prompt),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
