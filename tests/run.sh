#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs what is built: `unit` (tests/unit, C), `system` (tests/live and tests/e2e against the real
# daemon and kernel, then the load on other kernels where QEMU is), `soak` (the long forms).
# One line a test file, a log only on failure; the last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
export B=${B:-build}
out=$PWD/$B/tests/out
rm -rf "$out"
mkdir -p "$out"
counts=$out/counts skips=$out/skips
# Tests add what they ran on: "cpython 3.9.18 …", "kernel 6.1.0 …".
export PYPROF_TESTED=$out/tested PYPROF_BUILD=$PWD/$B
touch "$counts" "$skips" "$PYPROF_TESTED"
trap 'echo; echo "interrupted"; exit 130' INT
trap tests/owner.sh EXIT

say() { printf '  %-8s %s\n' "$1" "$2"; }
add() { echo "$1 $2 $3" >>"$counts"; } # passed failed skipped

# cmocka's own lines, counted one test at a time: a program that dies leaves RUN without OK.
unit_count() { # log, exit status → "passed failed skipped"
	awk -v status="$2" '
		/\[ RUN      \]/ { run++ }
		/\[       OK \]/ { ok++ }
		/\[  SKIPPED \] [0-9]+ test\(s\)/ { sub(/.*SKIPPED \] /, ""); skipped += $1 }
		END {
			failed = run - ok - skipped
			if (failed <= 0 && (status != 0 || run == 0))
				failed = 1
			print ok + 0, failed, skipped + 0
		}' "$1"
}

unit_skips() { # log, name: reasons are printed by the test as "SKIP: why"
	local reasons
	reasons=$(sed -n 's/.*SKIP: //p' "$1" | sort -u | paste -sd ';')
	echo "$2: ${reasons:-no reason given}" >>"$skips"
}

unit_one() {
	local name=${1##*/} log status passed failed skipped
	log=$out/$name.log
	timeout 300 "$1" >"$log" 2>&1 </dev/null
	status=$?
	read -r passed failed skipped < <(unit_count "$log" "$status")
	add "$passed" "$failed" "$skipped"
	[ "$skipped" = 0 ] || unit_skips "$log" "$name"
	if [ "$failed" = 0 ]; then
		say UNIT "$name: $passed passed${skipped:+$([ "$skipped" = 0 ] || echo ", $skipped skipped")}"
	else
		say FAILED "$name: $failed failed (exit status $status)"
		tail -n 60 "$log"
	fi
}

# The programs of the sources that are there now: a build folder keeps those of removed tests.
unit() {
	local source
	for source in tests/unit/test_*.c; do
		unit_one "$B/tests/unit/$(basename "$source" .c)"
	done
}

# Under sudo the interpreters under test are the caller's.
caller_home() {
	getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6
}

pytest_run() { # name, arguments
	local name=$1 xml=$out/$1.xml status
	shift
	HOME=$(caller_home) PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=30 "${PYPROF_TIMEOUT:-2700}" \
		/usr/bin/python3 tests/report.py "$xml" "$counts" "$skips" \
		-p no:cacheprovider -o faulthandler_timeout=300 --rootdir=. "$@" </dev/null
	status=$?
	# 5: no test was there. Without a report (killed, broken conftest) nothing else would say so.
	if [ ! -s "$xml" ] || { [ $status -gt 1 ] && [ $status != 5 ]; }; then
		say FAILED "$name: pytest ended with status $status"
		add 0 1 0
	fi
}

system_ready() {
	if [ "$(id -u)" != 0 ]; then
		say FAILED "the system tests need root: sudo make test"
		add 0 1 0
		return 1
	fi
	[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
	echo "kernel $(uname -r) (this host)" >>"$PYPROF_TESTED"
}

system() {
	local folders=() folder
	system_ready || return
	for folder in live e2e; do
		compgen -G "tests/$folder/test_*.py" >/dev/null && folders+=("tests/$folder")
	done
	[ ${#folders[@]} = 0 ] || pytest_run system "${folders[@]}"
	kernels
}

# tests/vm/run.sh says "skip vm: NAME: why" and ends with its own "N passed, N failed, N skipped".
kernels() {
	local log=$out/vm.log
	[ -x tests/vm/run.sh ] || return
	if [ -n "${SAN:-}" ]; then
		kernels_skip "it loads the programs of the plain build (no sanitizers)"
	elif ! command -v qemu-system-x86_64 >/dev/null; then
		kernels_skip "qemu-system-x86_64 is not installed (make test-vm installs it)"
	else
		timeout --kill-after=30 600 tests/vm/run.sh 2>&1 </dev/null | tee "$log" | grep -v ' passed, .* failed'
		closing_count "$log" "${PIPESTATUS[0]}"
		sed -n 's/^skip vm: /other kernels: /p' "$log" >>"$skips"
	fi
}

kernels_skip() {
	echo "other kernels: $1" >>"$skips"
	add 0 0 1
}

closing_count() { # log, exit status
	local passed failed skipped
	read -r passed failed skipped < <(sed -nE \
		's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$1" | tail -n 1)
	[ "$2" = 0 ] || [ "${failed:-0}" != 0 ] || failed=1
	add "${passed:-0}" "${failed:-0}" "${skipped:-0}"
}

soak() {
	system_ready || return
	export PYPROF_SOAK=1 PYPROF_TIMEOUT=3600
	compgen -G "tests/*/test_soak*.py" >/dev/null || { echo "No soak test is there."; return; }
	pytest_run soak tests/*/test_soak*.py
}

for part in "$@"; do
	case $part in
	unit | system | soak) $part ;;
	*) echo "usage: tests/run.sh [unit] [system] [soak]" >&2; exit 64 ;;
	esac
done

if [ -s "$PYPROF_TESTED" ]; then
	echo "Tested on:"
	sort -uV "$PYPROF_TESTED" | sed 's/^/  /'
fi
if [ -s "$skips" ]; then
	echo "Skipped:"
	sort "$skips" | uniq -c | sed -E 's/^ *1 /  /; s/^ *([0-9]+) (.*)/  \2 (\1 times)/'
fi
awk '{ p += $1; f += $2; s += $3 }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' "$counts"
