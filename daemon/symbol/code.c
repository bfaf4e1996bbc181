/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/symbol/code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/map.h"
#include "daemon/base/set.h"
#include "daemon/base/text.h"
#include "daemon/base/utf8.h"
#include "daemon/decode/decode.h"
#include "daemon/symbol/fetch.h"
#include "daemon/symbol/linetable.h"
#include "daemon/symbol/modules.h"
#include "daemon/symbol/strings.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct code {
	struct set_node node;
	struct code_key key;
	struct code *next;                    /* of the same family */
	const char *function, *file, *module; /* in symbol/strings.h, referenced */
	const char *table;                    /* there too: many processes run the same code */
	uint32_t version;
	int first_line;
	bool table_partial;
};

struct family {
	struct set_node node;
	uint64_t family;
	struct code *codes;
};

struct codes {
	struct set set;      /* of struct code, by code_key */
	struct set families; /* of struct family */
	struct modules modules;
	size_t bytes; /* of both kinds of nodes */
	size_t limit;
	uint64_t refused;
};

struct codes *codes_new(size_t limit_bytes)
{
	struct codes *codes = calloc(1, sizeof(*codes));

	if (codes)
		codes->limit = limit_bytes;
	return codes;
}

/* ---- families ---- */

static bool family_equal(const struct set_node *node, const void *key)
{
	return ((const struct family *)node)->family == *(const uint64_t *)key;
}

static struct family *family_find(const struct codes *codes, uint64_t family)
{
	return (struct family *)set_find(&codes->families, map_hash(&family, sizeof(family)),
					 family_equal, &family);
}

static struct family *family_get(struct codes *codes, uint64_t id)
{
	struct family *family = family_find(codes, id);

	if (family)
		return family;
	family = calloc(1, sizeof(*family));
	if (!family)
		return NULL;
	family->family = id;
	if (!set_insert(&codes->families, &family->node, map_hash(&id, sizeof(id)))) {
		free(family);
		return NULL;
	}
	codes->bytes += sizeof(*family);
	return family;
}

static void code_free(struct code *code)
{
	if (!code)
		return;
	strings_unref(code->function);
	strings_unref(code->file);
	strings_unref(code->module);
	strings_unref(code->table);
	free(code);
}

static void family_free(struct codes *codes, struct family *family)
{
	struct code *code, *next;

	for (code = family->codes; code; code = next) {
		next = code->next;
		set_remove(&codes->set, &code->node);
		code_free(code);
		codes->bytes -= sizeof(*code);
	}
	set_remove(&codes->families, &family->node);
	codes->bytes -= sizeof(*family);
	free(family);
}

bool codes_has_family(const struct codes *codes, uint64_t family)
{
	return family_find(codes, family) != NULL;
}

void codes_drop_family(struct codes *codes, uint64_t family,
		       void (*dropped)(void *data, const struct code_key *key), void *data)
{
	struct family *found = family_find(codes, family);

	if (!found)
		return;
	for (struct code *code = found->codes; dropped && code; code = code->next)
		dropped(data, &code->key);
	family_free(codes, found);
}

void codes_free(struct codes *codes)
{
	struct set_node *node;

	if (!codes)
		return;
	while ((node = set_first(&codes->families)))
		family_free(codes, (struct family *)node);
	modules_done(&codes->modules);
	free(codes);
}

/* ---- look-up ---- */

static bool code_equal(const struct set_node *node, const void *key)
{
	return !memcmp(&((const struct code *)node)->key, key, sizeof(struct code_key));
}

static struct code *code_find(const struct codes *codes, const struct code_key *key)
{
	return (struct code *)set_find(&codes->set, map_hash(key, sizeof(*key)), code_equal, key);
}

const struct code *codes_find(struct codes *codes, uint64_t family, uint64_t address,
			      uint32_t checksum)
{
	struct code_key key = {.family = family, .code = address, .checksum = checksum};

	return code_find(codes, &key);
}

size_t codes_bytes(const struct codes *codes)
{
	return sizeof(*codes) + codes->bytes + set_bytes(&codes->set) +
	       set_bytes(&codes->families) + strings_bytes();
}

size_t codes_count(const struct codes *codes)
{
	return codes->set.count;
}

uint64_t codes_refused(const struct codes *codes)
{
	return codes->refused;
}

/* ---- names ---- */

static uint32_t character(const struct fetch_string *string, size_t at)
{
	uint16_t two;
	uint32_t four;

	if (string->kind == 1)
		return string->bytes[at];
	if (string->kind == 2) {
		memcpy(&two, string->bytes + at, sizeof(two));
		return two;
	}
	memcpy(&four, string->bytes + at, sizeof(four));
	return four;
}

/* CPython's characters → interned UTF-8. NUL would end the C string early: it becomes U+FFFD, as a
 * lone surrogate does. */
static const char *name_intern(const struct fetch_string *string)
{
	_cleanup_(text_done) struct text text = {0};

	for (size_t at = 0; at + string->kind <= string->size; at += string->kind) {
		uint32_t c = character(string, at);
		char utf8[4];

		text_add(&text, utf8, utf8_encode(c ? c : UTF8_INVALID, utf8));
	}
	if (string->partial)
		text_puts(&text, ELLIPSIS);
	if (text.failed)
		return NULL;
	return (string->partial ? strings_intern_cut : strings_intern)(text.data ? text.data : "",
								       text.size);
}

/* ---- adding ---- */

static struct code *code_new(const struct code_key *key, const struct fetch_code *from)
{
	struct code *code = calloc(1, sizeof(*code));

	if (!code)
		return NULL;
	code->key = *key;
	code->version = from->version;
	code->first_line = from->first_line;
	code->table_partial = from->table_partial;
	code->function = name_intern(&from->name);
	code->file = name_intern(&from->file);
	code->table =
	    strings_intern(from->table ? (const char *)from->table : "", from->table_size);
	if (code->function && code->file && code->table)
		return code;
	code_free(code);
	return NULL;
}

static bool codes_full(struct codes *codes, const struct fetch_code *from)
{
	size_t more = sizeof(struct code) + from->file.size + from->name.size + from->table_size +
		      3 * STRINGS_OVERHEAD + set_growth(&codes->set);

	if (codes_bytes(codes) + more <= codes->limit)
		return false;
	codes->refused++;
	return true;
}

/* module: a reference of its own is taken; NULL = not known. */
static int codes_put(struct codes *codes, const struct code_key *key, const struct fetch_code *from,
		     const char *module)
{
	struct family *family;
	struct code *code;

	if (code_find(codes, key))
		return -EEXIST;
	if (codes_full(codes, from))
		return -ENOSPC;
	code = code_new(key, from);
	family = code ? family_get(codes, key->family) : NULL;
	if (!family || !set_insert(&codes->set, &code->node, map_hash(key, sizeof(*key)))) {
		code_free(code);
		return -ENOMEM;
	}
	code->module = module ? strings_ref(module) : NULL;
	code->next = family->codes;
	family->codes = code;
	codes->bytes += sizeof(*code);
	return 0;
}

int codes_fetch(struct codes *codes, const struct py_layout *layout, pid_t pid,
		const struct code_key *key)
{
	_cleanup_(fetch_done) struct fetch_code code = {0};
	int r;

	if (code_find(codes, key))
		return -EEXIST;
	r = fetch_code(layout, pid, key->code, key->checksum, &code);
	return r < 0 ? r : codes_put(codes, key, &code, NULL);
}

/* The record as fetch_code() would have given it; points into the record. */
static struct fetch_code record_code(const struct code_record *record)
{
	const uint8_t *name = record->data + record->file_bytes, *table = name + record->name_bytes;

	return (struct fetch_code){
	    .file = {record->data, record->file_bytes, record->file_kind,
		     record->flags & CODE_FILE_PARTIAL},
	    .name = {name, record->name_bytes, record->name_kind,
		     record->flags & CODE_NAME_PARTIAL},
	    .table = table,
	    .table_size = record->table_bytes,
	    .table_partial =
		record->flags & CODE_TABLE_PARTIAL || record->table_bytes < record->table_len,
	    .version = record->version,
	    .first_line = (int)record->first_line,
	};
}

static void string_complete(struct fetch_string *string, const struct fetch_string *whole)
{
	if (string->partial && whole->size >= string->size)
		*string = *whole;
}

/* Replaces what is partial by what the process's memory held; points into `whole` then. */
static void code_complete(struct fetch_code *code, const struct fetch_code *whole)
{
	string_complete(&code->file, &whole->file);
	string_complete(&code->name, &whole->name);
	if (!code->table_partial || whole->table_size < code->table_size)
		return;
	code->table = whole->table;
	code->table_size = whole->table_size;
	code->table_partial = whole->table_partial;
}

int codes_add(struct codes *codes, const struct python *python, const struct code_record *record,
	      size_t size)
{
	_cleanup_(fetch_done) struct fetch_code whole = {0};
	const char *module = NULL;
	const struct record_header *header;
	struct fetch_code code;
	struct code_key key;
	int r = decode_record(record, size, &header);

	if (r == 0)
		r = decode_code(header, &record);
	if (r < 0)
		return r;
	key = (struct code_key){
	    .family = record->family, .code = record->code, .checksum = record->checksum};
	if (code_find(codes, &key))
		return -EEXIST;
	code = record_code(record);
	if (python && (code.file.partial || code.name.partial || code.table_partial) &&
	    fetch_code(&python->image.layout, (pid_t)record->pid, key.code, key.checksum, &whole) ==
		0)
		code_complete(&code, &whole);
	if (python)
		module = modules_find(&codes->modules, python, key.family, record->globals_object);
	r = codes_put(codes, &key, &code, module);
	strings_unref(module);
	return r;
}

/* ---- one code object ---- */

const char *code_function(const struct code *code)
{
	return code->function;
}

const char *code_file(const struct code *code)
{
	return code->file;
}

const char *code_module(const struct code *code)
{
	return code->module;
}

int code_first_line(const struct code *code)
{
	return code->first_line;
}

int code_line(const struct code *code, uint32_t lasti)
{
	const uint8_t *table = (const uint8_t *)code->table;
	size_t size = strings_size(code->table);

	lasti &= ~FRAME_ENTRY;
	if (lasti == FRAME_LASTI_NONE)
		return code->first_line;
	if (code->table_partial && lasti >= linetable_covered(code->version, table, size))
		return 0;
	return linetable_line(code->version, table, size, code->first_line, lasti);
}

uint32_t code_checksum(const struct py_layout *layout, const uint8_t *head)
{
	return fetch_checksum(layout, head);
}
