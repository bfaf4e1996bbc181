#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# make test-vm: on each kernel of kernels.txt, in QEMU without KVM: load and attach every BPF program, hold
# its verified instructions against ../verifier/budget.txt, then let pyprofd sample a busy Python.
# `run.sh load` leaves the sampling out: some 8 seconds a kernel instead of 20. PYPROF_KERNELS names the
# kernels to run, those marked `asked` too.
# A kernel that the archive did not give is a skip; the last line counts.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
B=${B:-build}
case $B in /*) build=$B ;; *) build=$top/$B ;; esac
. "$here/../interpreters/apt.sh"
. "$here/kernel.sh"
. "$here/image.sh"
work=$build/tests/vm
boot_seconds=120 # a boot, two loads and a sampling take 15 to 40 here; a slower host may have three times that
part=${1:-all}
passed=0 failed=0 skipped=0

result() {
	case $1 in
	ok) passed=$((passed + 1)) ;;
	FAIL) failed=$((failed + 1)) ;;
	skip) skipped=$((skipped + 1)) ;;
	esac
	printf '%-4s vm: %s\n' "$1" "$2"
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
}

# loader: the daemon's own objects load the programs, so that what is tested is what runs.
loader() {
	local objects
	objects=$(cd "$top" && ls daemon/probe/*.c daemon/base/*.c | sed "s|^|$build/|; s|c\$|o|")
	# shellcheck disable=SC2086 # one word an object
	${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -I"$top" -I"$build" "$here/load.c" $objects \
		-lbpf -lelf -lz -o "$work/load"
}

image_all() {
	image_tree "$work/root" && cp "$here/init.sh" "$image/init" && chmod 755 "$image/init" &&
		image_program "$work/load" && image_program "$build/pyprofd" &&
		image_program "$build/pyprofctl" && image_python /usr/bin/python3 &&
		image_program "$(command -v setpriv)" &&
		cp "$here/guest.py" "$here/busy.py" "$top/daemon/pyprofd.service" "$image/" && image_pack "$work/initramfs"
}

# boot NAME: runs the machine to its power-off; results in $work/NAME.result, kernel's words in .console.
boot() {
	timeout "$boot_seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 512 \
		-nodefaults -display none -no-reboot -nic none \
		-kernel "$PYPROF_CACHE/kernels/$1/vmlinuz" -initrd "$work/initramfs" \
		-append "console=ttyS0 quiet panic=-1 pyprof_part=$part" \
		-serial "file:$work/$1.console" -serial "file:$work/$1.result" </dev/null >"$work/$1.qemu" 2>&1
}

# judge NAME: every `fail` line of the guest is a failure; silence is one too.
judge() {
	local name=$1 file=$work/$1.result word rest version
	version=$(sed -n 's/^kernel //p' "$file")
	grep -q '^done$' "$file" || {
		result FAIL "$name: did not come to its end; see $work/$name.console"
		tail -n 20 "$work/$name.console" "$file" 2>/dev/null
	}
	while read -r word rest; do
		case $word in
		ok) result ok "$name: $rest" ;;
		fail) result FAIL "$name: $rest" ;;
		note) echo "     vm: $name: $rest" ;;
		esac
	done <"$file"
	budget "$file"
	[ -z "$version" ] || [ -z "${PYPROF_TESTED:-}" ] || echo "kernel $version" >>"$PYPROF_TESTED"
}

budget() {
	local line
	[ -n "$(sed -n '/^insns /p' "$1")" ] || result FAIL "no program was measured"
	while IFS= read -r line; do
		result FAIL "$line"
	done < <("$here/../verifier/budget.sh" check "$1")
}

kernel_test() {
	local reason attempt start=$SECONDS
	reason=$(kernel_get "$1" "$2" "$3")
	case $? in
	0) ;;
	1) result skip "$1: $reason"; return ;;
	*) result FAIL "$1: $reason"; return ;;
	esac
	# Under TCG with threads a kernel may meet its own half-patched code and panic before its first
	# process runs: nothing of ours has run by then, and no verdict on it is lost.
	for attempt in 1 2 3; do
		rm -f "$work/$1".{result,console}
		: >"$work/$1.result"
		boot "$1"
		[ ! -s "$work/$1.result" ] || break
		echo "     vm: $1: boot $attempt ended before the first process: $(grep -m 1 -a 'panic' "$work/$1.console")"
	done
	judge "$1"
	echo "     vm: $1 ($(cat "$PYPROF_CACHE/kernels/$1/version")): $((SECONDS - start)) s"
}

# host_test: the kernel that runs here, both variants too; no sampling, as other tests do that.
host_test() {
	[ "$(id -u)" = 0 ] || { result skip 'host: loading needs root'; return; }
	{
		echo "kernel $(uname -r)"
		"$work/load" loop
		"$work/load" tail
		echo 'done'
	} >"$work/host.result" 2>&1
	judge host
}

mkdir -p "$work"
loader || { result FAIL 'the loader could not be built'; finish; }
host_test
command -v qemu-system-x86_64 >/dev/null && command -v cpio >/dev/null && command -v busybox >/dev/null ||
	{ result skip 'qemu-system-x86_64, cpio or busybox is not installed'; finish; }
cache_lock
image_all || { result FAIL 'the image could not be made'; finish; }
while read -r name suite package when; do
	case $name in '' | '#'*) continue ;; esac
	case " ${PYPROF_KERNELS:-} " in
	*" $name "*) ;;
	'  ') [ "$when" != asked ] || continue ;;
	*) continue ;;
	esac
	kernel_test "$name" "$suite" "$package" 9>&-
done <"$here/kernels.txt"
finish
