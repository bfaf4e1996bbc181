/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

int output_end(int r)
{
	if (r == -ENOMEM)
		return failure_say(API_INTERNAL, "out of memory");
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return failure_say(API_CANNOT_CREATE, "to stdout%s%s", errno ? ": " : "",
				   errno ? strerror(errno) : "");
	return r ? failure_say(API_CANNOT_CREATE, "to stdout: %s", strerror(-r)) : 0;
}

/* Control and bidirectional characters stand only inside strings, where \u is the same. Those
 * below 0x20 JSON has escaped already; its own line ends stay. */
static void character_add(struct text *out, const char *bytes, size_t size)
{
	uint32_t c;

	utf8_next(bytes, size, &c);
	if (c == '\n' || utf8_shown(c) == UTF8_AS_IT_IS)
		text_add(out, bytes, size);
	else if (c == UTF8_INVALID)
		utf8_print(out, bytes, size);
	else if (c < 0x10000)
		text_printf(out, "\\u%04x", (unsigned)c);
	else /* a pair of surrogates */
		text_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
			    (unsigned)(0xdc00 + (c & 0x3ff)));
}

void output_json(struct text *out, int fd, const char *bytes, size_t size)
{
	if (!isatty(fd)) {
		text_add(out, bytes, size);
		return;
	}
	while (size) {
		uint32_t c;
		size_t n = utf8_next(bytes, size, &c);

		if (c >= 0x20 && c < 0x7f)
			text_add(out, bytes, 1);
		else
			character_add(out, bytes, n);
		bytes += n;
		size -= n;
	}
}

int output_document(const char *bytes, size_t size)
{
	_cleanup_(text_done) struct text out = {};

	output_json(&out, STDOUT_FILENO, bytes, size);
	if (!size || bytes[size - 1] != '\n')
		text_putc(&out, '\n');
	if (out.failed)
		return output_end(-ENOMEM);
	fwrite(out.data, 1, out.size, stdout);
	return output_end(0);
}

int output_answer(struct client *client, const char *path)
{
	_cleanup_(text_done) struct text body = {};
	struct failure failure;

	if (client_text(client, "GET", path, &body, &failure))
		return failure_print(&failure);
	return output_document(body.data ? body.data : "", body.size);
}

int output_tree(const json_t *document)
{
	_cleanup_free_ char *bytes = json_dumps(document, JSON_COMPACT);

	return bytes ? output_document(bytes, strlen(bytes)) : output_end(-ENOMEM);
}
