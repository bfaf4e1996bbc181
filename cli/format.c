/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

/* Three figures: 9.99, 99.9, 999. */
static int figures(double value)
{
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

void format_bytes(char out[FORMAT_SIZE], double bytes)
{
	static const char units[] = "BKMGTPE";
	size_t unit = 0;

	while (bytes >= 999.5 && unit + 2 < sizeof(units)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(out, FORMAT_SIZE, "%.*f%c", unit && bytes < 9.95 ? 1 : 0, bytes, units[unit]);
}

void format_ns(char out[FORMAT_SIZE], double ns)
{
	static const struct {
		double from;
		const char *unit;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && ns < units[i].from)
		i++;
	snprintf(out, FORMAT_SIZE, "%.*f %s", i == 3 ? 0 : figures(ns / units[i].from),
		 ns / units[i].from, units[i].unit);
}

void format_age(char out[FORMAT_SIZE], double seconds)
{
	uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;

	if (s < 60)
		snprintf(out, FORMAT_SIZE, "%us", (unsigned)s);
	else if (s < 3600)
		snprintf(out, FORMAT_SIZE, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(out, FORMAT_SIZE, "%uh%02um", (unsigned)(s / 3600),
			 (unsigned)(s / 60 % 60));
	else
		snprintf(out, FORMAT_SIZE, "%lud%02uh", (unsigned long)(s / 86400),
			 (unsigned)(s / 3600 % 24));
}

void format_percent(char out[FORMAT_SIZE], double percent)
{
	snprintf(out, FORMAT_SIZE, "%.*f", percent < 99.95 ? 1 : 0, percent);
}

void format_count(char out[FORMAT_SIZE], uint64_t count)
{
	char digits[FORMAT_SIZE];
	int n = snprintf(digits, sizeof(digits), "%lu", (unsigned long)count), at = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

void format_clean(struct text *out, const char *string)
{
	if (!string)
		text_putc(out, '-');
	else
		utf8_print(out, string, strlen(string));
}

void format_heading(struct text *out, const char *string)
{
	_cleanup_(text_done) struct text clean = {};
	size_t fits;

	format_clean(&clean, string);
	fits = format_fit(clean.data ? clean.data : "", FORMAT_HEADING);
	text_add(out, clean.data ? clean.data : "", fits);
	if (fits < clean.size)
		text_puts(out, "…");
}

/* Marks take no column; what the C library does not know takes one. */
static size_t char_width(uint32_t c)
{
	int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);

	return width < 0 ? 1 : (size_t)width;
}

size_t format_width(const char *string)
{
	size_t width = 0, left = strlen(string);

	while (left) {
		uint32_t c;
		size_t n = utf8_next(string, left, &c);

		width += c == UTF8_INVALID ? 1 : char_width(c);
		string += n;
		left -= n;
	}
	return width;
}

size_t format_fit(const char *string, size_t width)
{
	size_t at = 0, left = strlen(string), used = 0;

	while (left) {
		uint32_t c;
		size_t n = utf8_next(string + at, left, &c);

		used += c == UTF8_INVALID ? 1 : char_width(c);
		if (used > width)
			break;
		at += n;
		left -= n;
	}
	return at;
}

const char *format_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

size_t format_terminal(int fd)
{
	struct winsize size = {};

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 80;
	return size.ws_col;
}

static bool set_in_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

bool format_colored(int fd, const char *choice)
{
	const char *term = getenv("TERM");

	if (choice && strcmp(choice, "auto"))
		return !strcmp(choice, "always");
	if (set_in_environment("NO_COLOR"))
		return false;
	if (set_in_environment("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0"))
		return true;
	return isatty(fd) && term && strcmp(term, "dumb");
}
