/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `doctor`: what this kernel, these rights and each Python process allow. Needs no daemon. */
#include <stdio.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/doctor.h"
#include "cli/failure.h"
#include "cli/field.h"
#include "cli/format.h"
#include "cli/local.h"
#include "cli/output.h"
#include "cli/process_list.h"
#include "cli/verb.h"

#define EXIT_LACKING 1 /* a check failed; each has its line */

static void check_run(const struct doctor_row *row, const struct options *options, json_t *checks)
{
	struct doctor_check check = {.name = row->name};
	_cleanup_(text_done) struct text detail = {};
	json_t *object = json_object();

	row->ask(&check, options);
	format_clean(&detail, check.detail);
	json_object_set_new(object, "name", json_string(check.name));
	json_object_set_new(object, "ok", json_boolean(check.ok));
	json_object_set_new(object, "detail", json_string(detail.data));
	json_object_set_new(object, "remedy",
			    check.remedy ? json_string(check.remedy) : json_null());
	json_array_append_new(checks, object);
}

static json_t *document_make(const struct options *options, unsigned *ret_hidden)
{
	const struct doctor_row *const tables[] = {doctor_kernel, doctor_access};
	json_t *document = json_object(), *checks = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct doctor_row *row = tables[i]; row->name; row++)
			check_run(row, options, checks);
	json_object_set_new(document, "schema", json_string(API_SCHEMA));
	json_object_set_new(document, "checks", checks);
	json_object_set_new(document, "processes", local_processes(options, ret_hidden));
	json_object_set_new(document, "hidden_processes", json_integer(*ret_hidden));
	return document;
}

static void check_print(const json_t *check, bool colored)
{
	bool ok = field_true(check, "ok");
	const char *remedy = field_string(check, "remedy");
	const char *color = !colored ? "" : ok ? "\033[32m" : "\033[31m";

	printf("%s%-4s%s %-12s %s\n", color, ok ? "ok" : "NO", colored ? "\033[0m" : "",
	       field_string(check, "name"), field_string(check, "detail"));
	if (remedy)
		printf("%-17s -> %s\n", "", remedy);
}

static void process_print(const json_t *process, bool colored)
{
	_cleanup_(text_done) struct text command = {}, line = {};
	bool ok = field_true(process, "supported");
	const char *version = field_string(json_object_get(process, "python"), "version");
	const char *color = !colored ? "" : ok ? "\033[32m" : "\033[31m";
	size_t width = format_terminal(STDOUT_FILENO);

	process_list_command(&command, process);
	text_printf(&line, " %7ld  %-8s ", (long)field_int_or(process, "pid", 0),
		    version ? version : "?");
	format_heading(&line, command.data);
	printf("%s%-4s%s%.*s\n", color, ok ? "ok" : "NO", colored ? "\033[0m" : "",
	       (int)(width > 4 ? format_fit(line.data, width - 4) : line.size), line.data);
	if (ok)
		return;
	line.size = 0;
	format_clean(&line, field_string(process, "reason"));
	printf("%-17s -> %s\n", "", line.data);
}

static int lacking(const json_t *document)
{
	json_t *check;
	size_t i;

	json_array_foreach(json_object_get(document, "checks"), i,
			   check) if (!field_true(check, "ok")) return EXIT_LACKING;
	return 0;
}

static void print(const json_t *document, unsigned hidden, const struct options *options)
{
	const json_t *processes = json_object_get(document, "processes");
	bool colored = format_colored(STDOUT_FILENO, options->color);
	json_t *object;
	size_t i;

	json_array_foreach(json_object_get(document, "checks"), i, object)
	    check_print(object, colored);
	printf("\n%s\n",
	       json_array_size(processes) ? "Python processes:" : "No Python process to be seen.");
	json_array_foreach(processes, i, object) process_print(object, colored);
	if (hidden)
		printf("%u other process%s may not be looked at by this user\n", hidden,
		       hidden == 1 ? "" : "es");
}

int verb_doctor(const struct options *options)
{
	_cleanup_json_ json_t *document = NULL;
	unsigned hidden = 0;
	int r;

	document = document_make(options, &hidden);
	if (options->json)
		r = output_tree(document);
	else
		print(document, hidden, options), r = output_end(0);
	return r ? r : lacking(document);
}
