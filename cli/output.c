/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"

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

int output_document(const char *bytes, size_t size)
{
	fwrite(bytes, 1, size, stdout);
	if (!size || bytes[size - 1] != '\n')
		putchar('\n');
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
