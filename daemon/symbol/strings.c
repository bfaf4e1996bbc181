/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/symbol/strings.h"

static struct blobs strings; /* marked: cut */

const char *strings_intern(const char *bytes, size_t size)
{
	return blob_take(&strings, bytes, size, false);
}

const char *strings_intern_cut(const char *bytes, size_t size)
{
	return blob_take(&strings, bytes, size, true);
}

const char *strings_ref(const char *bytes)
{
	return blob_ref(bytes);
}

size_t strings_size(const char *bytes)
{
	return blob_size(bytes);
}

bool strings_is_cut(const char *bytes)
{
	return blob_mark(bytes);
}

void strings_unref(const char *bytes)
{
	blob_drop(&strings, bytes);
}

size_t strings_count(void)
{
	return strings.set.count;
}

size_t strings_bytes(void)
{
	return blobs_bytes(&strings);
}
