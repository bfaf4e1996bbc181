/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Describes a code object to the daemon, once: names and line table → code_record. So a process
 * that has died is still named, with lines. What does not fit or is not in memory is flagged; the
 * daemon reads it while the process lives.
 */
#ifndef PYPROF_BPF_DESCRIBE_H
#define PYPROF_BPF_DESCRIBE_H

#include "bpf/scratch.h"
#include "bpf/user_memory.h"
#include "bpf/walk.h"

/* Copies a compact str's characters to data[at]; 0 bytes and partial when it cannot. */
ALWAYS_INLINE void describe_string(struct scratch *s, const struct py_layout *l, __u64 string,
				   __u64 at, __u16 *ret_bytes, __u8 *ret_kind, __u32 partial)
{
	__u32 state, kind, start;
	__u64 length, n;

	*ret_bytes = 0;
	*ret_kind = 1;
	if (user_read(s->string, 64, string)) {
		s->code.record.flags |= partial;
		return;
	}
	length = load_u64(s->string + (l->str_length & 63));
	state = load_u32(s->string + (l->str_state & 63));
	if (!(state & l->str_compact_bit) || !l->str_kind_mask) {
		s->code.record.flags |= partial;
		return;
	}
	/* the mask's lowest bit is 1 ≪ its shift: dividing by it shifts */
	kind = (state & l->str_kind_mask) / (l->str_kind_mask & -l->str_kind_mask);
	if (kind != 1 && kind != 2 && kind != 4) {
		s->code.record.flags |= partial;
		return;
	}
	start = state & l->str_ascii_bit ? l->str_ascii : l->str_compact;
	if (length > CODE_STRING_MAX / kind) {
		length = CODE_STRING_MAX / kind;
		s->code.record.flags |= partial;
	}
	n = length * kind;
	HIDE(n);
	HIDE(at);
	if (n > CODE_STRING_MAX || at > CODE_STRING_MAX)
		return;
	if (user_read(s->code.data + at, n, string + start)) {
		s->code.record.flags |= partial;
		return;
	}
	*ret_bytes = n;
	*ret_kind = kind;
}

ALWAYS_INLINE void describe_table(struct scratch *s, const struct py_layout *l, __u64 bytes,
				  __u64 at)
{
	struct code_record *r = &s->code.record;
	long failed = 0;
	__u64 length = user_u64(bytes + l->bytes_size, &failed);
	__u64 n = length;

	r->table_bytes = 0;
	r->table_len = 0;
	if (failed || length > (1u << 24)) {
		r->flags |= CODE_TABLE_PARTIAL;
		return;
	}
	r->table_len = n;
	HIDE(n);
	if (n > CODE_TEXT_MAX) {
		n = CODE_TEXT_MAX;
		r->flags |= CODE_TABLE_PARTIAL;
	}
	HIDE(at);
	if (at > 2 * CODE_STRING_MAX || user_read(s->code.data + at, n, bytes + l->bytes_data)) {
		r->flags |= CODE_TABLE_PARTIAL;
		return;
	}
	r->table_bytes = n;
}

/* Fills s->code; returns the record's size, 0 when the object is not readable or is another one by
 * now. */
ALWAYS_INLINE __u64 describe_code(struct scratch *s, const struct py_layout *l,
				  const struct py_process *p, const struct unsent_code *unsent)
{
	struct code_record *r = &s->code.record;
	__u64 size = l->co_span, at;

	HIDE(size);
	if (user_read(s->head, size & HEAD_MASK, unsent->code))
		return 0;
	if (code_head_checksum(l, s->head) != unsent->checksum)
		return 0;
	r->family = p->family;
	r->code = unsent->code;
	r->checksum = unsent->checksum;
	r->version = l->version;
	r->first_line = (__u32)head_u64(s->head, l->co_firstlineno);
	r->file_object = head_u64(s->head, l->co_filename);
	r->name_object = head_u64(s->head, l->co_qualname != PY_NONE ? l->co_qualname : l->co_name);
	r->table_object = head_u64(s->head, l->co_linetable);
	r->globals_object = unsent->globals;
	r->flags = 0;
	describe_string(s, l, r->file_object, 0, &r->file_bytes, &r->file_kind, CODE_FILE_PARTIAL);
	at = r->file_bytes;
	describe_string(s, l, r->name_object, at, &r->name_bytes, &r->name_kind, CODE_NAME_PARTIAL);
	at = r->file_bytes + r->name_bytes;
	describe_table(s, l, r->table_object, at);
	return sizeof(*r) + at + r->table_bytes;
}

#endif
