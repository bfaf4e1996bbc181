/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/verb.h"
#include "daemon/base/cleanup.h"

#define VALUE_LONG 256 /* getopt_long's value of a long option: this + its id */
#define PIDS_MAX 10000 /* more would not fit a request line either */
#define NAME_COLUMN 26 /* of a help text */

/* Digits only: no sign, no space, no "0x", nothing behind. */
static bool number_parse(const char *string, double *ret)
{
	char *end;
	double value;

	if (strspn(string, "0123456789.") != strlen(string) || !*string || *string == '.')
		return false;
	errno = 0;
	value = strtod(string, &end);
	if (errno || *end || !isfinite(value))
		return false;
	*ret = value;
	return true;
}

static bool seconds_parse(const char *string, double *ret)
{
	static const struct {
		char letter;
		double seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
	size_t size = strlen(string);
	char digits[32];
	double factor = 1;

	if (!size || size >= sizeof(digits))
		return false;
	memcpy(digits, string, size + 1);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (digits[size - 1] != units[i].letter)
			continue;
		factor = units[i].seconds;
		digits[size - 1] = '\0';
		break;
	}
	if (!number_parse(digits, ret))
		return false;
	*ret *= factor;
	return true;
}

static int bad_number(const struct option_row *row, const char *value)
{
	return failure_say(API_BAD_NUMBER, "--%s %s (%.10g to %.10g)", row->name, value,
			   row->minimum, row->maximum);
}

static int pid_add(struct options *options, pid_t pid)
{
	void *grown;

	for (size_t i = 0; i < options->npids; i++)
		if (options->pids[i] == pid)
			return 0;
	if (options->npids == PIDS_MAX)
		return failure_say(API_USAGE, "more than %d pids", PIDS_MAX);
	grown = reallocarray(options->pids, options->npids + 1, sizeof(*options->pids));
	if (!grown)
		return failure_say(API_INTERNAL, "out of memory");
	options->pids = grown;
	options->pids[options->npids++] = pid;
	return 0;
}

static int pids_parse(struct options *options, const struct option_row *row, const char *value)
{
	const char *at = value;

	for (;;) {
		size_t size = strcspn(at, ",");
		char digits[16] = {};
		double number;
		int r;

		memcpy(digits, at, MIN(size, sizeof(digits) - 1));
		if (!number_parse(digits, &number) || strchr(digits, '.') ||
		    number < row->minimum || number > row->maximum)
			return bad_number(row, value);
		r = pid_add(options, (pid_t)number);
		if (r)
			return r;
		if (!at[size])
			return 0;
		at += size + 1;
	}
}

static bool word_in(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = words; size && (at = strstr(at, word)); at++)
		if ((at == words || at[-1] == ' ') && (!at[size] || at[size] == ' '))
			return !strchr(word, ' ');
	return false;
}

static int value_set(struct options *options, const struct option_row *row, const char *value)
{
	void *field = (char *)options + row->offset;
	double number;

	switch (row->kind) {
	case OPTION_KIND_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_KIND_CHOICE:
		if (!word_in(row->values, value))
			return failure_say(API_USAGE, "--%s %s: not one of: %s", row->name, value,
					   row->values);
		*(const char **)field = value;
		return 0;
	case OPTION_KIND_STRING:
		if (!*value)
			return failure_say(API_USAGE, "--%s has no value", row->name);
		*(const char **)field = value;
		return 0;
	case OPTION_KIND_NUMBER:
		if (!number_parse(value, &number) || strchr(value, '.') || number < row->minimum ||
		    number > row->maximum)
			return bad_number(row, value);
		*(unsigned *)field = (unsigned)number;
		return 0;
	case OPTION_KIND_SECONDS:
		if (!seconds_parse(value, &number) || number < row->minimum ||
		    number > row->maximum)
			return bad_number(row, value);
		*(double *)field = number;
		return 0;
	case OPTION_KIND_PIDS:
		return pids_parse(options, row, value);
	}
	return failure_say(API_INTERNAL, "an option of no kind: %s", row->name);
}

/* getopt's two descriptions of the verb's options. `first`: stop at the first non-option. */
static void describe(uint64_t set, bool first, char *ret_short, struct option *ret_long)
{
	if (first)
		*ret_short++ = '+';
	*ret_short++ = ':'; /* tells a missing argument from an unknown option */
	for (int id = 0; id < OPTIONS_MAX; id++) {
		const struct option_row *row = &option_table[id];

		if (!(set & 1ull << id))
			continue;
		*ret_long++ =
		    (struct option){row->name, row->argument ? 1 : 0, NULL, VALUE_LONG + id};
		if (!row->letter)
			continue;
		*ret_short++ = row->letter;
		if (row->argument)
			*ret_short++ = ':';
	}
	*ret_short = '\0';
	*ret_long = (struct option){};
}

static int id_of(uint64_t set, int value)
{
	if (value >= VALUE_LONG)
		return value - VALUE_LONG;
	for (int id = 0; id < OPTIONS_MAX; id++)
		if (set & 1ull << id && option_table[id].letter == value)
			return id;
	return -1;
}

/* '?' is an unknown option or an argument to one that takes none; ':' a missing argument. */
static int refused(const struct verb *verb, int value, char **argv)
{
	const char *problem = value == ':' ? "an argument is missing behind" : "unknown option";
	const char *word = argv[optind - 1], *space = verb->name ? " " : "";
	struct failure failure;
	char letter[3] = {'-', (char)optopt, '\0'};

	if (optopt > 0 && optopt < VALUE_LONG)
		word = letter;
	else if (optopt >= VALUE_LONG && value == '?')
		problem = "no argument belongs to";
	failure_set(&failure, API_USAGE, "%s: %s", problem, word);
	snprintf(failure.remedy, sizeof(failure.remedy), "see: pyprofctl%s%s --help", space,
		 verb->name ? verb->name : "");
	return failure_print(&failure);
}

int options_parse(const struct verb *verb, int argc, char **argv, struct options *options)
{
	uint64_t set = verb->options | OPTIONS_GLOBAL;
	char letters[2 * OPTIONS_MAX + 3];
	struct option names[OPTIONS_MAX + 1];
	const char *last = NULL;
	int value, r;

	describe(set, !verb->name, letters, names);
	opterr = 0;
	optind = 0; /* glibc: begin anew, with the "+" read again */
	while ((value = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		int id = value == '?' || value == ':' ? -1 : id_of(set, value);

		if (id < 0)
			return refused(verb, value, argv);
		last = optarg;
		options->given |= 1ull << id;
		r = value_set(options, &option_table[id], optarg);
		if (r)
			return r;
	}
	options->rest = argv + optind;
	options->nrest = argc - optind;
	options->dashes = optind > 1 && !strcmp(argv[optind - 1], "--") && argv[optind - 1] != last;
	return 0;
}

void options_done(struct options *options)
{
	free(options->pids);
	*options = (struct options){};
}

void options_help(FILE *out, uint64_t set)
{
	for (int id = 0; id < OPTIONS_MAX; id++) {
		const struct option_row *row = &option_table[id];
		char name[64], letter[5] = "    ";

		if (!(set & 1ull << id))
			continue;
		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		snprintf(name, sizeof(name), "%s--%s%s%s", letter, row->name,
			 row->argument ? " " : "", row->argument ? row->argument : "");
		fprintf(out, "  %-*s %s\n", NAME_COLUMN, name, row->help);
	}
}
