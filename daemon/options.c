/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of settings serves both the command line and the file: a setting is one row. The only
 * part beside main that speaks to the user, as nothing else runs yet.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api.h"
#include "daemon/base/cleanup.h"
#include "daemon/config.h"

#define EXIT_USAGE 64
#define EXIT_CONFIG 78
#define MIB (UINT64_C(1) << 20)

static const char options_usage[] =
    "Usage: pyprofd [OPTION]...\n"
    "Profiles every Python process of this host; ask it with pyprofctl.\n"
    "\n"
    "  -s, --socket PATH      where to listen (" API_SOCKET ")\n"
    "  -c, --config FILE      settings to read (" OPTIONS_CONFIG ")\n"
    "  -r, --hz N             samples per second and CPU, 1 to 9999 (99)\n"
    "  -l, --log-level LEVEL  error, warning, info or debug (info)\n"
    "  -f, --foreground       stay in the foreground, log to standard error\n"
    "      --check-config     read the settings, say what is wrong and end (0 or 78)\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n";

enum { OPT_CHECK_CONFIG = 256 };

static const struct option long_options[] = {
    {"socket", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"hz", required_argument, NULL, 'r'},
    {"log-level", required_argument, NULL, 'l'},
    {"foreground", no_argument, NULL, 'f'},
    {"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

/* Digits alone: strtoul would take signs, spaces and "1e3" in part. */
static int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > max)
			return -EINVAL;
	}
	if (number < min)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static int mib_parse(const char *value, uint64_t *ret_bytes, char *why, size_t size)
{
	uint64_t mib;

	if (number_parse(value, 8, 65536, &mib) < 0) {
		snprintf(why, size, "not a number of MiB from 8 to 65536: '%s'", value);
		return -EINVAL;
	}
	*ret_bytes = mib * MIB;
	return 0;
}

static int set_socket(struct options *options, const char *value, char *why, size_t size)
{
	if (value[0] != '/') {
		snprintf(why, size, "not an absolute path: '%s'", value);
		return -EINVAL;
	}
	if (strlen(value) >= sizeof(options->socket)) {
		snprintf(why, size, "longer than a socket's name may be (%zu bytes)",
			 sizeof(options->socket) - 1);
		return -EINVAL;
	}
	snprintf(options->socket, sizeof(options->socket), "%s", value);
	return 0;
}

static int set_log_level(struct options *options, const char *value, char *why, size_t size)
{
	if (log_level_parse(value, &options->log_level) == 0)
		return 0;
	snprintf(why, size, "not one of error, warning, info, debug: '%s'", value);
	return -EINVAL;
}

static int set_hz(struct options *options, const char *value, char *why, size_t size)
{
	uint64_t hz;

	if (number_parse(value, 1, API_HZ_MAX, &hz) < 0) {
		snprintf(why, size, "not a number from 1 to %d: '%s'", API_HZ_MAX, value);
		return -EINVAL;
	}
	options->hz = (unsigned)hz;
	return 0;
}

static int set_budget(struct options *options, const char *value, char *why, size_t size)
{
	char *end;
	double percent = strtod(value, &end);
	bool plain = *value && strspn(value, "0123456789.") == strlen(value);

	if (!plain || *end || percent < 0.01 || percent > 100) {
		snprintf(why, size, "not a percentage from 0.01 to 100: '%s'", value);
		return -EINVAL;
	}
	options->budget_percent = percent;
	return 0;
}

static int set_private(struct options *options, const char *value, char *why, size_t size)
{
	return mib_parse(value, &options->private_bytes, why, size);
}

static int set_maps(struct options *options, const char *value, char *why, size_t size)
{
	return mib_parse(value, &options->map_bytes, why, size);
}

static const struct {
	const char *key;
	int (*set)(struct options *options, const char *value, char *why, size_t size);
	int option; /* of the command line; 0: only in the file */
} settings[] = {
    {"daemon.socket", set_socket, 's'}, {"daemon.log_level", set_log_level, 'l'},
    {"sampling.hz", set_hz, 'r'},       {"budget.percent", set_budget, 0},
    {"memory.private", set_private, 0}, {"memory.maps", set_maps, 0},
};

int options_set(struct options *options, const char *key, const char *value, char *why,
		size_t why_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strcmp(settings[i].key, key) == 0)
			return settings[i].set(options, value, why, why_size);
	return -ENOENT;
}

void options_defaults(struct options *ret_options)
{
	*ret_options = (struct options){
	    .socket = API_SOCKET,
	    .config = OPTIONS_CONFIG,
	    .hz = API_HZ_DEFAULT,
	    .log_level = LOG_INFO,
	    .budget_percent = 0.5,
	    .private_bytes = 64 * MIB,
	    .map_bytes = 32 * MIB,
	};
}

/* What the command line said: applied after the file, which it overrides. */
struct command_line {
	const char *values[ARRAY_SIZE(settings)]; /* NULL: not given */
	const char *config;
	bool foreground, check_config;
};

static const char *option_name(int option)
{
	for (const struct option *o = long_options; o->name; o++)
		if (o->val == option)
			return o->name;
	return "?";
}

static int usage_error(int *ret_exit, const char *what, const char *subject)
{
	fprintf(stderr, "pyprofd: %s%s%s (see pyprofd --help)\n", what, subject ? ": " : "",
		subject ? subject : "");
	*ret_exit = EXIT_USAGE;
	return 1;
}

static int end_with(int *ret_exit, const char *text)
{
	fputs(text, stdout);
	*ret_exit = fflush(stdout) == 0 ? 0 : 1;
	return 1;
}

static int take_option(struct command_line *line, int option, const char *subject, int *ret_exit)
{
	switch (option) {
	case 'h':
		return end_with(ret_exit, options_usage);
	case 'V':
		return end_with(ret_exit, "pyprofd " PYPROF_VERSION "\n");
	case 'c':
		line->config = optarg;
		return 0;
	case 'f':
		line->foreground = true;
		return 0;
	case OPT_CHECK_CONFIG:
		line->check_config = true;
		return 0;
	case ':':
		return usage_error(ret_exit, "option needs a value", subject);
	case '?':
		return usage_error(ret_exit, "unknown option, or one that takes no value", subject);
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].option == option)
			line->values[i] = optarg;
	return 0;
}

/* The word that getopt_long() stumbled over: a letter of a group, or the whole word. */
static const char *option_subject(char **argv, char letter[3])
{
	const char *word = argv[optind > 0 ? optind - 1 : 0];

	if (optopt > 0 && optopt < 128 && strncmp(word, "--", 2) != 0) {
		letter[0] = '-';
		letter[1] = (char)optopt;
		letter[2] = '\0';
		return letter;
	}
	return word;
}

static int command_line_parse(int argc, char **argv, struct command_line *line, int *ret_exit)
{
	char letter[3];
	int option, done;

	optind = 0; /* glibc: begin anew, also when called again */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":s:c:r:l:fhV", long_options, NULL)) != -1) {
		done = take_option(line, option, option_subject(argv, letter), ret_exit);
		if (done)
			return done;
	}
	if (optind < argc)
		return usage_error(ret_exit, "unexpected argument", argv[optind]);
	return 0;
}

static int apply(struct options *options, const struct command_line *line, int *ret_exit)
{
	char why[256], text[320];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!line->values[i] ||
		    settings[i].set(options, line->values[i], why, sizeof(why)) == 0)
			continue;
		snprintf(text, sizeof(text), "--%s: %s", option_name(settings[i].option), why);
		return usage_error(ret_exit, text, NULL);
	}
	options->foreground = line->foreground;
	options->check_config = line->check_config;
	return 0;
}

static void say(void *data, enum log_level level, const char *text)
{
	(void)data;
	fprintf(stderr, "pyprofd: %s: %s\n", level == LOG_WARNING ? "warning" : "error", text);
}

/* 0: read, or not there and not asked for. */
static int read_file(struct options *options, bool asked, int *ret_exit)
{
	int r = config_read(options->config, options, say, NULL);

	if (r == -ENOENT && !asked)
		return 0;
	if (r < 0 && r != -EBADMSG)
		fprintf(stderr, "pyprofd: cannot read %s: %s\n", options->config, strerror(-r));
	if (r < 0)
		*ret_exit = EXIT_CONFIG;
	return r < 0;
}

int options_parse(int argc, char **argv, struct options *ret_options, int *ret_exit)
{
	struct command_line line = {0};
	struct options options, checked;

	options_defaults(&options);
	if (command_line_parse(argc, argv, &line, ret_exit))
		return 1;
	if (line.config && strlen(line.config) >= sizeof(options.config))
		return usage_error(ret_exit, "--config: path too long", NULL);
	/* Before the file: a bad option is told at once, whatever the file holds. */
	checked = options;
	if (apply(&checked, &line, ret_exit))
		return 1;
	if (line.config)
		snprintf(options.config, sizeof(options.config), "%s", line.config);
	if (read_file(&options, line.config || line.check_config, ret_exit))
		return 1;
	if (apply(&options, &line, ret_exit))
		return 1;
	if (line.check_config) {
		printf("%s: good\n", options.config);
		return end_with(ret_exit, "");
	}
	*ret_options = options;
	return 0;
}
