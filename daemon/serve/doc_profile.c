/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /v1/profile: the `record` document of the coming seconds=, or of the window= that has passed. */
#include "daemon/serve/doc.h"

#include "daemon/serve/record_document.h"

int doc_profile(struct request *request)
{
	uint32_t resources;
	int r;

	if ((r = query_resource(&request->query, &resources, &request->error)) < 0 ||
	    (r = query_word(&request->query, "format", "json", &request->error)) < 0)
		return r;
	return view_open(request, 0, resources, record_document);
}
