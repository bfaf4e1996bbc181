/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/direct.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/target/dump.h"

/* The reason an unsupported one has is in its image; dump_take() gives only the errno. */
static void unsupported(pid_t pid, struct failure *ret_failure)
{
	struct python python;

	if (python_find(pid, &python) || !python.image.reason[0])
		failure_set(ret_failure, API_UNSUPPORTED, "the Python of process %d is unsupported",
			    (int)pid);
	else
		failure_set(ret_failure, API_UNSUPPORTED, "process %d: %s", (int)pid,
			    python.image.reason);
}

static void failure_of(pid_t pid, int r, struct failure *ret_failure)
{
	if (r == -ESRCH)
		failure_set(ret_failure, API_NO_SUCH_PID, "%d", (int)pid);
	else if (r == -ENODATA)
		failure_set(ret_failure, API_NOT_PYTHON, "%d", (int)pid);
	else if (r == -EPROTONOSUPPORT)
		unsupported(pid, ret_failure);
	else if (r == -EPERM || r == -EACCES)
		failure_set(ret_failure, API_NO_PERMISSION, "process %d", (int)pid);
	else
		failure_set(ret_failure, API_INTERNAL, "process %d: %s", (int)pid, strerror(-r));
}

int direct_stacks(pid_t pid, bool locals, struct text *ret_document, struct failure *ret_failure)
{
	struct dump_options options = {.locals = locals};
	struct text document = {};
	struct dump dump;
	struct json json;
	int r = dump_take(pid, &options, &dump);

	if (r) {
		failure_of(pid, r, ret_failure);
		return r;
	}
	json_init(&json, &document);
	json_object(&json, NULL);
	json_string(&json, "schema", API_SCHEMA);
	json_array(&json, "processes");
	dump_write(&dump, &json);
	json_end(&json);
	json_end(&json);
	dump_done(&dump);
	if (document.failed) {
		text_done(&document);
		failure_set(ret_failure, API_INTERNAL, "out of memory");
		return -ENOMEM;
	}
	*ret_document = document;
	return 0;
}
