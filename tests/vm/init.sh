#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Process 1 of the virtual machine. Kernel messages go to the first serial line, results to the second.
/bin/busybox mkdir -p /usr/sbin /sbin
/bin/busybox --install -s /bin
PATH=/bin:/usr/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
exec >/dev/ttyS1 2>&1
stty -onlcr </dev/ttyS1
echo "kernel $(uname -r)"
[ -s /sys/kernel/btf/vmlinux ] || echo "fail btf: this kernel carries no types"
load loop
load tail
grep -q pyprof_part=load /proc/cmdline || python3 /guest.py 2>/run/guest.log || echo "fail sampling: $(tail -n 1 /run/guest.log)"
echo 'done'
poweroff -f
