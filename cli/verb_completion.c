/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `completion bash|zsh`: scripts made from the tables of verbs and options. */
#include <stdio.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "daemon/base/cleanup.h"

#define PIDS "$(pyprofctl ps 2>/dev/null | awk 'NR > 1 { print $1 }')"

/* What a shell itself knows to complete. */
static const struct known {
	enum option_id id;
	const char *bash, *zsh;
} known_values[] = {
    {OPTION_PID, "-W \"" PIDS "\"",
     "($(pyprofctl ps 2>/dev/null | awk \"NR > 1 { print \\$1 }\"))"},
    {OPTION_USER, "-u", "_users"},
    {OPTION_OUTPUT, "-f", "_files"},
    {OPTION_SOCKET, "-f", "_files"},
};

static const struct known *known_of(int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_values); i++)
		if ((int)known_values[i].id == id)
			return &known_values[i];
	return NULL;
}

static uint64_t set_of(const struct verb *verb)
{
	return verb->options | OPTIONS_GLOBAL;
}

static void bash_words(uint64_t set)
{
	for (int id = 0; id < OPTIONS_MAX; id++) {
		if (!(set & 1ull << id))
			continue;
		if (option_table[id].letter)
			printf(" -%c", option_table[id].letter);
		printf(" --%s", option_table[id].name);
	}
}

/* What follows an option that takes a value. A letter may mean another option in another verb, so
 * this is asked per verb. */
static void bash_values(uint64_t set)
{
	for (int id = 0; id < OPTIONS_MAX; id++) {
		const struct option_row *row = &option_table[id];
		const struct known *known = known_of(id);

		if (!(set & 1ull << id) || !row->argument)
			continue;
		printf("\t\t");
		if (row->letter)
			printf("-%c|", row->letter);
		printf("--%s) ", row->name);
		if (known)
			printf("COMPREPLY=($(compgen %s -- \"$cur\"))", known->bash);
		else if (row->values)
			printf("COMPREPLY=($(compgen -W \"%s\" -- \"$cur\"))", row->values);
		else
			printf(":");
		puts("; return ;;");
	}
}

static void verb_names(void)
{
	for (const struct verb *verb = verb_table; verb->name; verb++)
		printf("%s%s", verb == verb_table ? "" : " ", verb->name);
}

/* Words of their own behind a verb: shells of `completion`, verbs of `help`. */
static void own_words(const struct verb *verb)
{
	if (!strcmp(verb->name, "completion"))
		printf("bash zsh");
	if (!strcmp(verb->name, "help")) {
		verb_names();
		printf(" api");
	}
}

static void bash_verb(const struct verb *verb)
{
	printf("\t%s)\n\t\tcase $prev in\n", verb->name);
	bash_values(set_of(verb));
	printf("\t\tesac\n\t\tCOMPREPLY=($(compgen -W \"");
	own_words(verb);
	bash_words(set_of(verb));
	puts("\" -- \"$cur\")) ;;");
}

static void bash_script(void)
{
	puts("# bash completion of pyprofctl; made by: pyprofctl completion bash\n"
	     "_pyprofctl()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= i\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t--socket|--color) ((i++)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) verb=${COMP_WORDS[i]}; break ;;\n"
	     "\t\tesac\n\tdone\n\tcase $verb in");
	for (const struct verb *verb = verb_table; verb->name; verb++)
		bash_verb(verb);
	puts("\t'')\n\t\tcase $prev in");
	bash_values(OPTIONS_GLOBAL);
	printf("\t\tesac\n\t\tCOMPREPLY=($(compgen -W \"");
	verb_names();
	bash_words(OPTIONS_GLOBAL);
	puts("\" -- \"$cur\")) ;;\n\tesac\n}\ncomplete -F _pyprofctl pyprofctl");
}

/* In single quotes, inside _arguments: brackets and colons are its own. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void zsh_option(int id, const char *dashes, const char *name)
{
	const struct option_row *row = &option_table[id];
	const struct known *known = known_of(id);

	printf(" \\\n\t\t\t'%s%s%s%s[", row->kind == OPTION_KIND_PIDS ? "*" : "", dashes, name,
	       row->argument ? (dashes[1] ? "=" : "+") : "");
	zsh_text(row->help);
	putchar(']');
	if (row->argument)
		printf(":%s:", row->argument);
	if (known)
		fputs(known->zsh, stdout);
	else if (row->argument && row->values)
		printf("(%s)", row->values);
	putchar('\'');
}

static void zsh_options(uint64_t set)
{
	for (int id = 0; id < OPTIONS_MAX; id++) {
		char letter[2] = {option_table[id].letter, '\0'};

		if (!(set & 1ull << id))
			continue;
		if (*letter)
			zsh_option(id, "-", letter);
		zsh_option(id, "--", option_table[id].name);
	}
}

static void zsh_script(void)
{
	puts(
	    "#compdef pyprofctl\n# zsh completion of pyprofctl; made by: pyprofctl completion zsh\n"
	    "_pyprofctl()\n{\n\tlocal state line\n\ttypeset -A opt_args");
	printf("\t_arguments -C");
	zsh_options(OPTIONS_GLOBAL);
	puts(" \\\n\t\t\t'1:verb:->verb' '*::argument:->rest'\n\tcase $state in\n\tverb)\n"
	     "\t\tlocal -a verbs=(");
	for (const struct verb *verb = verb_table; verb->name; verb++) {
		printf("\t\t\t'%s:", verb->name);
		zsh_text(verb->help);
		puts("'");
	}
	puts("\t\t)\n\t\t_describe verb verbs ;;\n\trest)\n\t\tcase ${line[1]} in");
	for (const struct verb *verb = verb_table; verb->name; verb++) {
		printf("\t\t%s)\n\t\t\t_arguments", verb->name);
		zsh_options(set_of(verb));
		if (verb->arguments) {
			printf(" \\\n\t\t\t'*:argument:(");
			own_words(verb);
			printf(")'");
		}
		puts(" ;;");
	}
	puts("\t\tesac ;;\n\tesac\n}\n_pyprofctl \"$@\"");
}

int verb_completion(const struct options *options)
{
	const char *shell = options->nrest == 1 ? options->rest[0] : "";

	if (!strcmp(shell, "bash"))
		bash_script();
	else if (!strcmp(shell, "zsh"))
		zsh_script();
	else
		return failure_say(API_USAGE, "completion is for: bash zsh");
	return output_end(0);
}
