/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes of a ring → records whose every length and enum was checked: ring → [decode] → symbolise.
 * Pure. The kernel side is ours, but what it copied (names, sizes) belongs to the targets, and a
 * daemon may meet the records of another build. Nothing is copied: records point into `data`.
 */
#ifndef PYPROF_DAEMON_DECODE_DECODE_H
#define PYPROF_DAEMON_DECODE_DECODE_H

#include <stddef.h>

#include "bpf/record.h"

/* 0, or -EBADMSG: too short, its size exceeds `size`, an unknown kind, or not 8-byte aligned. */
int decode_record(const void *data, size_t size, const struct record_header **ret_header);

/* Of a header that decode_record() gave. 0, or -EBADMSG: another kind, or a field out of range. */
int decode_sample(const struct record_header *header, const struct sample_record **ret_sample);
int decode_code(const struct record_header *header, const struct code_record **ret_code);
int decode_fork(const struct record_header *header, const struct fork_record **ret_fork);
int decode_exec(const struct record_header *header, const struct exec_record **ret_exec);
int decode_exit(const struct record_header *header, const struct exit_record **ret_exit);

#endif
