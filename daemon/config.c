/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * inih splits the lines; what a key means is options_set()'s. Debian's inih gives its handler no
 * line number, so the reader that it calls for each line counts them here.
 */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/options.h"

struct reading {
	FILE *file;
	const char *name;
	struct options *options;
	config_say_fn say;
	void *data;
	unsigned line;
	bool failed;
};

static void tell(struct reading *reading, enum log_level level, const char *what,
		 const char *subject)
{
	char text[PATH_MAX + 512];

	snprintf(text, sizeof(text), "%s:%u: %s%s%s", reading->name, reading->line, what,
		 *subject ? ": " : "", subject);
	reading->say(reading->data, level, text);
	if (level == LOG_ERROR)
		reading->failed = true;
}

/* inih cuts a long line in two and takes the rest as a line of its own: refuse it instead. */
static char *next_line(char *out, int size, void *stream)
{
	struct reading *reading = stream;
	size_t length;
	int c;

	if (!fgets(out, size, reading->file))
		return NULL;
	reading->line++;
	length = strlen(out);
	if (length + 1 < (size_t)size || out[length - 1] == '\n')
		return out;
	tell(reading, LOG_ERROR, "line too long", "");
	while ((c = getc(reading->file)) != EOF && c != '\n')
		;
	return strcpy(out, "\n");
}

static int take_value(void *data, const char *section, const char *key, const char *value)
{
	struct reading *reading = data;
	char name[128], why[256];
	int r;

	snprintf(name, sizeof(name), "%s.%s", section, key);
	r = options_set(reading->options, name, value, why, sizeof(why));
	if (r == -ENOENT) {
		snprintf(name, sizeof(name), "'%s' in section [%s]", key, section);
		tell(reading, LOG_WARNING, "unknown key, ignored", name);
	} else if (r < 0) {
		tell(reading, LOG_ERROR, key, why);
	}
	return 1; /* never inih's own error: all findings are wanted, with their lines */
}

int config_read_stream(FILE *file, const char *name, struct options *options, config_say_fn say,
		       void *data)
{
	struct reading reading = {
	    .file = file, .name = name, .options = options, .say = say, .data = data};
	int bad_line = ini_parse_stream(next_line, &reading, take_value, &reading);

	if (ferror(file))
		return -EIO;
	if (bad_line < 0)
		return -ENOMEM;
	if (bad_line > 0) {
		reading.line = (unsigned)bad_line;
		tell(&reading, LOG_ERROR, "neither a [section] nor 'key = value'", "");
	}
	return reading.failed ? -EBADMSG : 0;
}

int config_read(const char *path, struct options *options, config_say_fn say, void *data)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	return config_read_stream(file, path, options, say, data);
}
