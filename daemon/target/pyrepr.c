/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Only exact built-in types are shown by value: a subclass may have a repr() of its own. They are
 * known by name and by not being heap types; a class of the program named "int" is one.
 */
#include "daemon/target/pyrepr.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"
#include "daemon/target/pydict.h"
#include "daemon/target/pyint.h"
#include "daemon/target/pystring.h"

#define TYPE_HEAP (1ull << 9) /* Py_TPFLAGS_HEAPTYPE */
#define TYPE_DICT_BACK 24     /* tp_dict lies before tp_dictoffset, in all of 3.6–3.15 */
#define TYPE_NAMES_MAX 64     /* of a class's dict; __module__ is among the first */

struct repr {
	const struct pyreader *reader;
	struct text *out;
	unsigned depth;
	unsigned items; /* of the container that is being written */
};

typedef int (*repr_fn)(struct repr *repr, uint64_t object);

static void repr_object(struct repr *repr, uint64_t object);

static int type_read(const struct pyreader *reader, uint64_t object, uint64_t *ret_type,
		     uint64_t *ret_flags, char *name, size_t size)
{
	uint64_t text = 0;
	int r = pyreader_type(reader, object, ret_type);

	if (r == 0)
		r = pyreader_u64(reader, *ret_type, reader->objects->tp_flags, ret_flags);
	if (r == 0)
		r = pyreader_u64(reader, *ret_type, reader->objects->tp_name, &text);
	return r < 0 ? r : (int)mem_text(reader->mem, text, name, size);
}

/* A static type's name holds its module; a class's dict does. */
static char *type_module(const struct pyreader *reader, uint64_t type)
{
	uint64_t dict, string;
	char *module;

	if (pyreader_u64(reader, type, (uint64_t)reader->objects->tp_dictoffset - TYPE_DICT_BACK,
			 &dict) < 0 ||
	    pydict_get(reader, dict, TYPE_NAMES_MAX, "__module__", &string) < 0 ||
	    pystring_read(reader, string, PYREPR_CHARS_MAX, &module) < 0)
		return NULL;
	return module;
}

void pyrepr_type(const struct pyreader *reader, uint64_t object, char *out, size_t size)
{
	_cleanup_free_ char *module = NULL;
	uint64_t type, flags;
	char name[256];

	if (type_read(reader, object, &type, &flags, name, sizeof(name)) < 0) {
		snprintf(out, size, "?");
		return;
	}
	if (flags & TYPE_HEAP && !strchr(name, '.'))
		module = type_module(reader, type);
	if (module)
		snprintf(out, size, "%s.%s", module, name);
	else
		snprintf(out, size, "%s", name);
}

static void repr_other(struct repr *repr, uint64_t object)
{
	char name[512];

	pyrepr_type(repr->reader, object, name, sizeof(name));
	text_printf(repr->out, "<%s at 0x%llx>", name, (unsigned long long)object);
}

static int repr_int(struct repr *repr, uint64_t object)
{
	return pyint_add(repr->reader, object, repr->out);
}

static int repr_bool(struct repr *repr, uint64_t object)
{
	uint64_t value;
	int r = pyint_u64(repr->reader, object, &value);

	if (r == 0)
		text_puts(repr->out, value ? "True" : "False");
	return r;
}

static int repr_none(struct repr *repr, uint64_t object)
{
	(void)object;
	text_puts(repr->out, "None");
	return 0;
}

/* The shortest decimal that reads back as the same number, as float.__repr__ does. */
static int repr_float(struct repr *repr, uint64_t object)
{
	char text[40];
	double value;
	int r = mem_read(repr->reader->mem, object + repr->reader->objects->float_value, &value,
			 sizeof(value));

	if (r < 0)
		return r;
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	text_puts(repr->out, isnan(value) ? "nan" : text);
	if (isfinite(value) && !strpbrk(text, ".e"))
		text_puts(repr->out, ".0");
	return 0;
}

static void quote_character(struct text *out, uint32_t c)
{
	char utf8[4];

	if (c == '\'' || c == '\\')
		text_printf(out, "\\%c", (char)c);
	else if (c == '\n')
		text_puts(out, "\\n");
	else if (c < 0x20 || c == 0x7f)
		text_printf(out, "\\x%02x", c);
	else
		text_add(out, utf8, utf8_encode(c == UTF8_INVALID ? 0xfffd : c, utf8));
}

static int repr_str(struct repr *repr, uint64_t object)
{
	_cleanup_(text_done) struct text text = {0};
	int cut = pystring_add(repr->reader, object, PYREPR_CHARS_MAX, &text);

	if (cut < 0)
		return cut;
	text_putc(repr->out, '\'');
	for (size_t at = 0; at < text.size;) {
		uint32_t c;

		at += utf8_next(text.data + at, text.size - at, &c);
		quote_character(repr->out, c);
	}
	text_puts(repr->out, cut ? "'…" : "'");
	return 0;
}

static int repr_bytes(struct repr *repr, uint64_t object)
{
	const struct py_layout *l = repr->reader->layout;
	uint8_t bytes[PYREPR_CHARS_MAX];
	uint64_t size;
	int r = pyreader_u64(repr->reader, object, l->bytes_size, &size);

	if (r == 0 && size)
		r = mem_read(repr->reader->mem, object + l->bytes_data, bytes,
			     MIN(size, sizeof(bytes)));
	if (r < 0)
		return r;
	text_puts(repr->out, "b'");
	for (size_t i = 0; i < MIN(size, sizeof(bytes)); i++) {
		if (bytes[i] < 0x80)
			quote_character(repr->out, bytes[i]);
		else
			text_printf(repr->out, "\\x%02x", bytes[i]);
	}
	text_puts(repr->out, size > sizeof(bytes) ? "'…" : "'");
	return 0;
}

/* size items of pointers at `items`. */
static int repr_items(struct repr *repr, uint64_t items, uint64_t size)
{
	uint64_t item;

	for (uint64_t i = 0; i < MIN(size, PYREPR_ITEMS_MAX); i++) {
		int r = mem_u64(repr->reader->mem, items + 8 * i, &item);

		if (r < 0)
			return r;
		if (i)
			text_puts(repr->out, ", ");
		repr_object(repr, item);
	}
	if (size > PYREPR_ITEMS_MAX)
		text_puts(repr->out, ", …");
	return 0;
}

static int repr_tuple(struct repr *repr, uint64_t object)
{
	uint64_t size;
	int r = pyreader_u64(repr->reader, object, repr->reader->objects->tuple_size, &size);

	if (r < 0)
		return r;
	text_putc(repr->out, '(');
	r = repr_items(repr, object + repr->reader->objects->tuple_items, size);
	text_puts(repr->out, size == 1 ? ",)" : ")");
	return r;
}

static int repr_list(struct repr *repr, uint64_t object)
{
	uint64_t size, items = 0;
	int r = pyreader_u64(repr->reader, object, repr->reader->objects->list_size, &size);

	if (r == 0 && size)
		r = pyreader_u64(repr->reader, object, repr->reader->objects->list_items, &items);
	if (r < 0)
		return r;
	text_putc(repr->out, '[');
	r = repr_items(repr, items, size);
	text_putc(repr->out, ']');
	return r;
}

static int repr_entry(void *data, uint64_t key, uint64_t value)
{
	struct repr *repr = data;

	if (repr->items == PYREPR_ITEMS_MAX) {
		text_puts(repr->out, ", …");
		return 1;
	}
	if (repr->items++)
		text_puts(repr->out, ", ");
	repr_object(repr, key);
	text_puts(repr->out, ": ");
	repr_object(repr, value);
	return 0;
}

static int repr_dict(struct repr *repr, uint64_t object)
{
	unsigned outer = repr->items;
	int r;

	repr->items = 0;
	text_putc(repr->out, '{');
	/* deleted entries are passed over, so the walk looks at more than are shown */
	r = pydict_each(repr->reader, object, 4096, repr_entry, repr);
	text_putc(repr->out, '}');
	repr->items = outer;
	return r;
}

static const struct {
	const char *name;
	repr_fn fn;
	bool container;
} builtins[] = {
    {"int", repr_int, false},     {"bool", repr_bool, false}, {"NoneType", repr_none, false},
    {"float", repr_float, false}, {"str", repr_str, false},   {"bytes", repr_bytes, false},
    {"tuple", repr_tuple, true},  {"list", repr_list, true},  {"dict", repr_dict, true},
};

/* A built-in by value, or -ENOENT. */
static int repr_builtin(struct repr *repr, uint64_t object)
{
	uint64_t type, flags;
	char name[256];
	int r = type_read(repr->reader, object, &type, &flags, name, sizeof(name));

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(builtins) && !(flags & TYPE_HEAP); i++) {
		if (strcmp(builtins[i].name, name))
			continue;
		if (builtins[i].container && repr->depth >= PYREPR_DEPTH_MAX)
			break;
		repr->depth += builtins[i].container;
		r = builtins[i].fn(repr, object);
		repr->depth -= builtins[i].container;
		return r;
	}
	return -ENOENT;
}

static void repr_object(struct repr *repr, uint64_t object)
{
	int r = repr_builtin(repr, object);

	if (r == -ENOENT)
		repr_other(repr, object);
	else if (r < 0)
		text_puts(repr->out, "<unreadable>");
}

void pyrepr_add(const struct pyreader *reader, uint64_t object, struct text *out)
{
	struct repr repr = {.reader = reader, .out = out};

	repr_object(&repr, object);
}
