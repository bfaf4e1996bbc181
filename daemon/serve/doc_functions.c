/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/functions: own and total time per function, with callers and callees, from samples. */
#include "daemon/serve/doc.h"

#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/serve/fields.h"
#include "daemon/serve/tallies.h"

#define WINDOW_DEFAULT 60

static const char calls_reason[] = "samples do not count calls";

/* The calls of each function as lists through arrays: O(calls) for all functions together. */
struct links {
	const struct tally_call *calls;
	int64_t *callers, *callees;         /* function → its first call, -1 = none */
	int64_t *next_caller, *next_callee; /* call → the function's next */
};

static void links_done(struct links *links)
{
	free(links->callers);
	free(links->callees);
	free(links->next_caller);
	free(links->next_callee);
}

static int64_t *filled(size_t n)
{
	int64_t *array = calloc(n + 1, sizeof(*array));

	for (size_t i = 0; array && i < n; i++)
		array[i] = -1;
	return array;
}

/* From the least to the most, so that each list starts with the most. */
static int links_make(struct tally *tally, size_t nfunctions, struct links *links)
{
	size_t ncalls;

	links->calls = tally_calls(tally, &ncalls);
	links->callers = filled(nfunctions);
	links->callees = filled(nfunctions);
	links->next_caller = filled(ncalls);
	links->next_callee = filled(ncalls);
	if (!links->callers || !links->callees || !links->next_caller || !links->next_callee)
		return -1;
	for (size_t i = ncalls; i-- > 0;) {
		const struct tally_call *call = &links->calls[i];

		links->next_caller[i] = links->callers[call->callee];
		links->callers[call->callee] = (int64_t)i;
		links->next_callee[i] = links->callees[call->caller];
		links->callees[call->caller] = (int64_t)i;
	}
	return 0;
}

static void write_call(struct json *json, const struct tally_function *other, uint64_t total)
{
	json_object(json, NULL);
	fields_place(json, other->frame, other->frame->first_line);
	json_uint(json, "total_ns", total);
	json_end(json);
}

static void write_calls(struct json *json, const struct links *links,
			const struct tally_function *functions, size_t at)
{
	json_array(json, "callers");
	for (int64_t i = links->callers[at]; i >= 0; i = links->next_caller[i])
		write_call(json, &functions[links->calls[i].caller], links->calls[i].total);
	json_end(json);
	json_array(json, "callees");
	for (int64_t i = links->callees[at]; i >= 0; i = links->next_callee[i])
		write_call(json, &functions[links->calls[i].callee], links->calls[i].total);
	json_end(json);
}

static void write_function(struct view *view, struct json *json,
			   const struct tally_function *function)
{
	fields_place(json, function->frame, function->frame->first_line);
	json_string(json, "kind", fields_kind(function->frame->kind));
	json_null(json, "calls");
	json_null(json, "primitive_calls");
	json_string(json, "reason", calls_reason);
	json_uint(json, "own_ns", function->own);
	json_uint(json, "total_ns", function->total);
	fields_real(json, "own_percent", view_percent(view, function->own));
	fields_real(json, "total_percent", view_percent(view, function->total));
	json_uint(json, "samples", function->samples);
	json_string(json, "fidelity", "S");
}

static int write_functions(struct view *view, struct json *json, struct tally *tally)
{
	_cleanup_(links_done) struct links links = {0};
	size_t n;
	const struct tally_function *functions = tally_functions(tally, &n);

	if (links_make(tally, n, &links) < 0)
		return error_set(&view->request->error, API_INTERNAL, "out of memory");
	json_array(json, "functions");
	for (size_t i = 0; i < n; i++) {
		json_object(json, NULL);
		write_function(view, json, &functions[i]);
		write_calls(json, &links, functions, i);
		json_end(json);
	}
	json_end(json);
	return 0;
}

static int functions_write(struct view *view)
{
	struct request *request = view->request;
	_cleanup_(tallies_done) struct tallies tallies = {0};
	struct json json;
	int r = tallies_make(view, &tallies);

	request_begin(request, &json);
	json_real(&json, "seconds", view->seconds, 3);
	json_uint(&json, "hz", view->hz);
	json_array(&json, "processes");
	for (size_t i = 0; r == 0 && i < tallies.selection.nprocesses; i++) {
		json_object(&json, NULL);
		fields_process(&json, request->serving, tallies.selection.processes[i],
			       (uint64_t)(view->seconds * 1e9));
		r = write_functions(view, &json, tallies.tallies[i]);
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
	return r;
}

int doc_functions(struct request *request)
{
	return view_open(request, WINDOW_DEFAULT, RESOURCE_BIT(RESOURCE_CPU), functions_write);
}
