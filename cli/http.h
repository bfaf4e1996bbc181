/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The head of an HTTP/1.1 answer: bytes → status and how the body ends. Pure; bytes are hostile. */
#ifndef PYPROF_CLI_HTTP_H
#define PYPROF_CLI_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head {
	int status;     /* 100–599 */
	int64_t length; /* of the body; -1 = not said */
	bool chunked;
	bool close; /* the connection ends with this answer */
};

/* Bytes of the head with its empty line; 0 while it is not complete. */
size_t http_head_size(const char *bytes, size_t size);
/* 0 or -EBADMSG. `size` as http_head_size() gave it. */
int http_head_parse(const char *bytes, size_t size, struct http_head *ret_head);
/* A chunk's first line without its end, "1a;name=value". 0 or -EBADMSG. */
int http_chunk_size(const char *line, size_t size, uint64_t *ret_size);

#endif
