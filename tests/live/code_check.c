/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * code_check PID: reads code objects of a live process with codes_fetch() and compares them with
 * what the process says of itself. One object a line on stdin: address, first line, name and file
 * (hex of UTF-8), then offset:line of every instruction where the line changes, and the size last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/symbol/code.h"
#include "daemon/target/mem.h"
#include "daemon/target/python.h"

static unsigned long checked, lines, wrong;

static void complain(uint64_t address, const char *what, const char *found, const char *want)
{
	if (wrong++ < 5)
		fprintf(stderr, "%#llx %s: %.80s, expected %.80s\n", (unsigned long long)address,
			what, found, want);
}

static char *unhex(const char *hex)
{
	char *text = calloc(1, strlen(hex) / 2 + 1);
	unsigned byte;

	for (size_t i = 0; text && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		text[i] = (char)byte;
	return text;
}

static void check_text(uint64_t address, const char *what, const char *found, const char *hex)
{
	_cleanup_free_ char *want = unhex(hex);

	if (strcmp(found, want) != 0)
		complain(address, what, found, want);
}

/* "0:5 6:7 12:0 40": line 5 from 0, 7 from 6, none from 12 to 40 */
static void check_lines(const struct code *code, uint64_t address, const char *steps)
{
	unsigned at, to;
	int line, n;

	while (sscanf(steps, "%u:%d%n", &at, &line, &n) == 2) {
		steps += n;
		if (sscanf(steps, "%u", &to) != 1)
			return;
		for (; at < to; at += 2, lines++) {
			char found[16], want[16];

			snprintf(found, sizeof(found), "%d", code_line(code, at));
			snprintf(want, sizeof(want), "%d", line);
			if (strcmp(found, want) != 0)
				complain(address, "line", found, want);
		}
	}
}

static void check_refusals(struct codes *codes, const struct python *python, struct code_key key)
{
	key.family = 2;
	key.checksum++;
	if (codes_fetch(codes, &python->image.layout, python->pid, &key) != -ESTALE)
		complain(key.code, "another checksum", "accepted", "ESTALE");
}

static void check_code(struct codes *codes, const struct python *python, struct mem *mem,
		       char *line)
{
	char *save, *address = strtok_r(line, " ", &save), *first = strtok_r(NULL, " ", &save);
	char *name = strtok_r(NULL, " ", &save), *file = strtok_r(NULL, " ", &save);
	struct code_key key = {.family = 1, .code = strtoull(address, NULL, 10)};
	const struct py_layout *layout = &python->image.layout;
	const struct code *code;
	uint8_t head[256];

	checked++;
	mem_forget(mem);
	if (mem_read(mem, key.code, head, layout->co_span) < 0) {
		complain(key.code, "head", "unreadable", "readable");
		return;
	}
	key.checksum = code_checksum(layout, head);
	check_refusals(codes, python, key);
	if (codes_fetch(codes, layout, python->pid, &key) < 0) {
		complain(key.code, "fetch", "failed", "0");
		return;
	}
	code = codes_find(codes, key.family, key.code, key.checksum);
	check_text(key.code, "function", code_function(code), name);
	check_text(key.code, "file", code_file(code), file);
	if (code_first_line(code) != atoi(first))
		complain(key.code, "first line", "another", first);
	check_lines(code, key.code, save);
}

int main(int argc, char **argv)
{
	struct codes *codes = codes_new(64 << 20);
	_cleanup_free_ char *line = NULL;
	struct python python;
	struct mem *mem;
	size_t room = 0;

	if (argc != 2 || !codes || python_find(atoi(argv[1]), &python) < 0)
		return 2;
	mem = mem_new(python.pid);
	while (mem && getline(&line, &room, stdin) > 0)
		check_code(codes, &python, mem, line);
	mem_free(mem);
	codes_free(codes);
	printf("{\"checked\": %lu, \"lines\": %lu, \"wrong\": %lu}\n", checked, lines, wrong);
	return wrong != 0;
}
