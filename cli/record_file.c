/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/failure.h"
#include "cli/field.h"
#include "cli/output.h"
#include "daemon/base/cleanup.h"

/* Longer endings first: ".speedscope.json" ends in ".json", too. */
static const struct ending {
	const char *name;
	enum record_format format;
} endings[] = {
    {".speedscope.json", RECORD_SPEEDSCOPE},
    {".folded", RECORD_FOLDED},
    {".collapsed", RECORD_FOLDED},
    {".txt", RECORD_FOLDED},
    {".json", RECORD_JSON},
};

static const struct named {
	const char *name, *ending;
} formats[] = {
    [RECORD_FOLDED] = {"folded", ".folded"},
    [RECORD_SPEEDSCOPE] = {"speedscope", ".speedscope.json"},
    [RECORD_JSON] = {"json", ".json"},
};

bool record_file_by_name(const char *name, enum record_format *ret_format)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t end = strlen(endings[i].name);

		if (size < end || strcmp(name + size - end, endings[i].name))
			continue;
		*ret_format = endings[i].format;
		return true;
	}
	return false;
}

static int format_choose(struct record_file *file, const struct options *options)
{
	const char *output = options->output;

	for (size_t i = 0; options->format && i < ARRAY_SIZE(formats); i++) {
		file->format = (enum record_format)i;
		if (!strcmp(options->format, formats[i].name))
			return 0;
	}
	file->format = output && !strcmp(output, "-") ? RECORD_FOLDED : RECORD_SPEEDSCOPE;
	if (!output || !strcmp(output, "-") || record_file_by_name(output, &file->format))
		return 0;
	return failure_say(
	    API_USAGE, "%s: the name does not tell the format, say -f folded, speedscope or json",
	    output);
}

static int cannot(const char *path, int error)
{
	return failure_say(API_CANNOT_CREATE, "%s: %s", path, strerror(error));
}

/* As open(2) would have made it; mkstemp's 0600 is for secrets. */
static void mode_apply(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

/* Beside the file: a rename does not cross file systems. */
static int temporary_make(struct record_file *file)
{
	const char *path = file->path ? file->path : "pyprof";
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	char *name;

	if (asprintf(&name, "%.*s.pyprof-XXXXXX", folder, path) < 0)
		return failure_say(API_INTERNAL, "out of memory");
	file->fd = mkstemp(name);
	if (file->fd < 0) {
		int error = errno;

		free(name);
		return cannot(file->path ? file->path : "a file here", error);
	}
	file->temporary = name;
	mode_apply(file->fd);
	return 0;
}

/* A link's target is replaced, not the link; a device or a pipe is written as it is. */
static int existing_check(struct record_file *file, bool *ret_place)
{
	struct stat status;
	char *real;

	if (stat(file->path, &status) < 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return cannot(file->path, EISDIR);
	if (access(file->path, W_OK) < 0)
		return cannot(file->path, errno);
	*ret_place = !S_ISREG(status.st_mode);
	real = *ret_place ? NULL : realpath(file->path, NULL);
	if (real) {
		free(file->path);
		file->path = real;
	}
	return 0;
}

int record_file_open(struct record_file *file, const struct options *options)
{
	bool place = false;
	int r;

	*file = (struct record_file){.fd = -1};
	r = format_choose(file, options);
	if (r || (options->output && !strcmp(options->output, "-")))
		return r;
	file->path = options->output ? strdup(options->output) : NULL;
	if (options->output && !file->path)
		return failure_say(API_INTERNAL, "out of memory");
	r = file->path ? existing_check(file, &place) : 0;
	if (r || place)
		return r;
	return temporary_make(file);
}

/* "web-app" of any comm: a file name without surprises. */
static void comm_add(struct text *name, const char *comm)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._-";

	for (; *comm; comm++)
		text_putc(name, strchr(plain, *comm) ? *comm : '_');
}

static char *name_make(const struct record_file *file, const json_t *document)
{
	const json_t *processes = json_object_get(document, "processes");
	const json_t *first = json_array_get(processes, 0);
	const char *comm = field_string(first, "comm");
	time_t now = time(NULL);
	struct text name = {};
	char stamp[32] = "";
	struct tm local;

	if (localtime_r(&now, &local))
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &local);
	text_puts(&name, "pyprof-");
	if (json_array_size(processes) > 1) {
		text_printf(&name, "%zu-processes", json_array_size(processes));
	} else {
		comm_add(&name, comm ? comm : "python");
		text_printf(&name, "-%ld", (long)field_int_or(first, "pid", 0));
	}
	text_printf(&name, "-%s%s", stamp, formats[file->format].ending);
	return name.failed ? NULL : name.data;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

/* stdout, a device or a pipe. */
static int place_write(struct record_file *file, const struct text *bytes)
{
	FILE *out = file->path ? fopen(file->path, "we") : stdout;
	_cleanup_(text_done) struct text safe = {};
	int r = 0;

	if (!out)
		return cannot(file->path, errno);
	output_json(&safe, fileno(out), bytes->data, bytes->size);
	if (safe.failed)
		r = ENOMEM;
	else if (fwrite(safe.data, 1, safe.size, out) != safe.size || fflush(out))
		r = errno;
	if (out != stdout && fclose(out) && !r)
		r = errno;
	return r ? cannot(file->path ? file->path : "to stdout", r) : 0;
}

int record_file_save(struct record_file *file, const struct text *bytes, const json_t *document)
{
	int r;

	if (!file->temporary)
		return place_write(file, bytes);
	if (!file->path)
		file->path = name_make(file, document);
	if (!file->path)
		return failure_say(API_INTERNAL, "out of memory");
	r = write_all(file->fd, bytes->data, bytes->size);
	if (!r && close(TAKE_FD(file->fd)) < 0)
		r = -errno;
	if (!r && rename(file->temporary, file->path) < 0)
		r = -errno;
	if (r)
		return cannot(file->path, -r);
	free(file->temporary);
	file->temporary = NULL;
	return 0;
}

void record_file_done(struct record_file *file)
{
	close_ptr(&file->fd);
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	*file = (struct record_file){.fd = -1};
}
