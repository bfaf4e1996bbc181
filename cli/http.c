/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 15 /* below 2^53, far above any limit on bodies */

size_t http_head_size(const char *bytes, size_t size)
{
	const char *end = memmem(bytes, size, "\r\n\r\n", 4);

	return end ? (size_t)(end - bytes) + 4 : 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static int number(const char *bytes, size_t size, int base, uint64_t *ret)
{
	uint64_t value = 0;

	if (!size || size > DIGITS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++) {
		int digit = digit_of(bytes[i]);

		if (digit >= base)
			return -EBADMSG;
		value = value * (uint64_t)base + (uint64_t)digit;
	}
	*ret = value;
	return 0;
}

/* "HTTP/1.x NNN reason"; HTTP/1.0 closes after each answer. */
static int status_parse(const char *line, size_t size, struct http_head *head)
{
	uint64_t status;

	if (size < 12 || memcmp(line, "HTTP/1.", 7) || (line[7] != '0' && line[7] != '1') ||
	    line[8] != ' ' || (size > 12 && line[12] != ' '))
		return -EBADMSG;
	if (number(line + 9, 3, 10, &status) || status < 100 || status > 599)
		return -EBADMSG;
	head->status = (int)status;
	head->close = line[7] == '0';
	return 0;
}

static bool is(const char *bytes, size_t size, const char *word)
{
	return size == strlen(word) && !strncasecmp(bytes, word, size);
}

static int field_parse(const char *line, size_t size, struct http_head *head)
{
	const char *colon = memchr(line, ':', size), *value;
	size_t name, left;
	uint64_t length;

	if (!colon || colon == line)
		return -EBADMSG;
	name = (size_t)(colon - line);
	value = colon + 1;
	left = size - name - 1;
	while (left && (*value == ' ' || *value == '\t'))
		value++, left--;
	while (left && (value[left - 1] == ' ' || value[left - 1] == '\t'))
		left--;
	if (is(line, name, "connection")) {
		head->close = head->close || is(value, left, "close");
	} else if (is(line, name, "transfer-encoding")) {
		if (!is(value, left, "chunked"))
			return -EBADMSG;
		head->chunked = true;
	} else if (is(line, name, "content-length")) {
		if (number(value, left, 10, &length) || head->length >= 0)
			return -EBADMSG;
		head->length = (int64_t)length;
	}
	return 0;
}

int http_head_parse(const char *bytes, size_t size, struct http_head *ret_head)
{
	struct http_head head = {.length = -1};
	bool first = true;

	if (size < 4 || memcmp(bytes + size - 4, "\r\n\r\n", 4))
		return -EBADMSG;
	size -= 2;
	while (size) {
		const char *end = memmem(bytes, size, "\r\n", 2);
		size_t length = (size_t)(end - bytes);
		int r =
		    first ? status_parse(bytes, length, &head) : field_parse(bytes, length, &head);

		if (r)
			return r;
		first = false;
		bytes = end + 2;
		size -= length + 2;
	}
	*ret_head = head;
	return 0;
}

int http_chunk_size(const char *line, size_t size, uint64_t *ret_size)
{
	size_t digits = 0;

	while (digits < size && digit_of(line[digits]) < 16)
		digits++;
	if (digits < size && !strchr("; \t", line[digits]))
		return -EBADMSG;
	return number(line, digits, 16, ret_size);
}
