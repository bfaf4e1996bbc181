/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sys.modules['threading'].__dict__['_active'] is {ident: Thread}; Thread._name is a str in all
 * versions. */
#include "daemon/target/pynames.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pydict.h"
#include "daemon/target/pyint.h"
#include "daemon/target/pystring.h"
#include "daemon/target/pythreads.h"

#define MODULES_MAX 65536 /* entries of sys.modules that are looked at */
#define GLOBALS_MAX 4096  /* names of the module; it has about 80 */
#define NAME_MAX_CHARS 256

struct names {
	const struct pyreader *reader;
	pynames_fn fn;
	void *data;
};

static pid_t thread_own_id(const struct pyreader *reader, uint64_t thread)
{
	uint64_t object, id;

	if (pydict_attribute(reader, thread, "_native_id", &object) < 0 ||
	    pyint_u64(reader, object, &id) < 0 || id > INT32_MAX)
		return 0;
	return (pid_t)id;
}

/* One entry of _active. What cannot be read has no name; the others still do. */
static int name_thread(void *data, uint64_t key, uint64_t value)
{
	const struct names *names = data;
	_cleanup_free_ char *name = NULL;
	uint64_t ident, string;

	if (pyint_u64(names->reader, key, &ident) == 0 &&
	    pydict_attribute(names->reader, value, "_name", &string) == 0 &&
	    pystring_read(names->reader, string, NAME_MAX_CHARS, &name) >= 0)
		names->fn(names->data, ident, thread_own_id(names->reader, value), name);
	return 0;
}

static int active_find(const struct pyreader *reader, uint64_t interp, uint64_t *ret_active)
{
	uint64_t modules, module, globals;
	int r = pyreader_u64(reader, interp, reader->objects->is_imports_modules, &modules);

	if (r == 0 && !modules)
		return -ENOENT;
	if (r == 0)
		r = pydict_get(reader, modules, MODULES_MAX, "threading", &module);
	if (r == 0)
		r = pyreader_u64(reader, module, reader->objects->module_dict, &globals);
	if (r == 0)
		r = pydict_get(reader, globals, GLOBALS_MAX, "_active", ret_active);
	return r;
}

int pynames_each(const struct pyreader *reader, pynames_fn fn, void *data)
{
	struct names names = {reader, fn, data};
	uint64_t interps[PYTHREADS_INTERPRETERS_MAX], active;
	int n = pythreads_interpreters(reader, interps, ARRAY_SIZE(interps));
	int r, first_error = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		r = active_find(reader, interps[i], &active);
		if (r == 0)
			r = pydict_each(reader, active, PYTHREADS_MAX, name_thread, &names);
		if (r < 0 && r != -ENOENT && !first_error)
			first_error = r;
	}
	return first_error;
}
