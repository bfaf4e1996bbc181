/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/target/syscall.h"

#include <stddef.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/syscall_table.h"

static const char *const names[] = {
#define X(number, name) [number] = #name,
    SYSCALLS_X86_64(X)
#undef X
};

const char *syscall_name(long number)
{
	return number >= 0 && (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}
