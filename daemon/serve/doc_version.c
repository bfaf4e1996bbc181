/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/version: what answers here, and what it can do on this kernel. */
#include "daemon/serve/doc.h"

#include <sys/utsname.h>

#define RECORD_ABI 1 /* layout of bpf/record.h; raised when a record changes */

int doc_version(struct request *request)
{
	const struct server_hooks *hooks = &request->serving->config.hooks;
	struct server_status status = {0};
	struct utsname system;
	struct json json;

	hooks->status(hooks->data, &status);
	request_begin(request, &json);
	json_string(&json, "version", PYPROF_VERSION);
	json_int(&json, "abi", RECORD_ABI);
	json_int(&json, "api", API_VERSION);
	json_string(&json, "kernel", uname(&system) == 0 ? system.release : NULL);
	json_object(&json, "features");
	for (size_t i = 0; i < status.nfeatures; i++)
		json_bool(&json, status.features[i].name, status.features[i].present);
	json_end(&json);
	json_end(&json);
	return 0;
}
