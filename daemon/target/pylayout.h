/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where CPython's fields lie in memory: version → struct py_layout (what the kernel side needs) and
 * struct py_objects (what readers from outside need beyond it). Pure: no I/O.
 *
 * 3.6–3.12: measured numbers. 3.13+: the target's own table, _Py_DebugOffsets, checked and laid
 * over the measured numbers of the same minor version. Other versions have no layout: never
 * guessed.
 */
#ifndef PYPROF_DAEMON_TARGET_PYLAYOUT_H
#define PYPROF_DAEMON_TARGET_PYLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/config.h"

#define PYLAYOUT_DEBUG_SIZE (111 * 8) /* of _Py_DebugOffsets, the longest: 3.15 */

/* Offsets in bytes; PY_NONE where the version lacks the field. */
struct py_objects {
	uint8_t minor;
	uint8_t free_threaded;
	/* PyInterpreterState; not PY_NONE in any version */
	uint32_t is_imports_modules; /* dict: name → module */
	uint32_t is_sysdict;
	/* PyThreadState */
	uint16_t ts_status;                     /* u32; 3.12+ */
	uint16_t ts_bound_bit, ts_cleared_bits; /* masks in it; 0 before 3.12 */
	uint16_t ts_state;           /* int; 3.13+: 0 detached, 1 attached, 2 suspended */
	uint16_t ts_datastack_chunk; /* 3.11+: {previous, size_t size, top, data[]} */
	/* GIL struct; both have the size of their pthread type: 40 and 48 */
	uint16_t gil_mutex, gil_switch_cond;
	/* PyCodeObject: int … */
	uint16_t co_argcount, co_kwonlyargcount, co_nlocals, co_flags;
	uint16_t co_varnames, co_cellvars, co_freevars; /* tuples; ≤ 3.10 */
	uint16_t co_nlocalsplus;                        /* int; 3.11+ */
	uint16_t co_localsplusnames;                    /* tuple; 3.11+ */
	uint16_t co_localspluskinds;                    /* bytes; 3.11+ */
	/* PyFrameObject (≤ 3.10) or _PyInterpreterFrame */
	uint16_t f_localsplus;
	uint16_t f_stacktop;     /* int; 3.11–3.13 */
	uint16_t f_stackpointer; /* 3.14+ */
	uint16_t f_locals, f_globals;
	/* generator, coroutine, async generator */
	uint16_t gi_frame;       /* pointer; ≤ 3.10 */
	uint16_t gi_iframe;      /* the frame itself; 3.11+ */
	uint16_t gi_frame_state; /* i8; 3.11+ */
	/* objects */
	uint16_t ob_header; /* sizeof(PyObject): inline values follow it (3.13+) */
	uint16_t tp_name, tp_flags, tp_basicsize, tp_dictoffset, ht_cached_keys;
	uint16_t str_data;                /* pointer to the text of a str that is not compact */
	uint16_t tuple_size, tuple_items; /* items: inside the tuple */
	uint16_t list_size, list_items;   /* items: pointer to an array */
	uint16_t set_used, set_mask, set_table;
	uint16_t float_value;
	uint16_t long_size;   /* ≤ 3.11: digits, negative for negative numbers */
	uint16_t long_tag;    /* 3.12+: digits << 3 | sign, sign 0 +, 1 zero, 2 − */
	uint16_t long_digits; /* u32 of 30 bits each */
	uint16_t module_dict;
	uint16_t dict_used, dict_keys, dict_values;
	uint16_t dk_size;                      /* ≤ 3.10 */
	uint16_t dk_log2_index_bytes, dk_kind; /* u8; 3.11+ */
	uint16_t dk_nentries, dk_indices;
	uint16_t dv_valid;  /* u8; 3.13+ */
	uint16_t dv_values; /* 3.11+: of the array behind dict_values */
};

/*
 * The measured numbers of a version without a table of its own (3.6–3.12). Only the micro version
 * of 3.7 matters. 0; -EPROTONOSUPPORT: no layout for it.
 */
int pylayout_find(uint32_t version, struct py_layout *ret_layout, struct py_objects *ret_objects);

/*
 * The same for 3.13+, from the head of _PyRuntime. 0; -ENODATA: no table there; -EPROTONOSUPPORT: a
 * table of a version without a layout; -EBADMSG: implausible. *ret_version and *ret_free_threaded
 * are set unless it is -ENODATA.
 */
int pylayout_read(const void *table, size_t size, struct py_layout *ret_layout,
		  struct py_objects *ret_objects, uint32_t *ret_version, bool *ret_free_threaded);

/*
 * The measured numbers of the layout's version, or NULL. Inside 3.14, is_imports_modules and
 * is_sysdict moved with the micro version and differ between vendors: for a target that was found,
 * use `objects` of its struct python_image.
 */
const struct py_objects *pylayout_objects(const struct py_layout *layout);

/* The first version whose _PyRuntime has about this size, 3.7–3.12; 0: none. The micro part tells
 * 3.7.0–3.7.3 from later ones. */
uint32_t pylayout_by_runtime_size(uint64_t size);

#endif
