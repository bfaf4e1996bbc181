#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run: start the daemon unless one answers, then show `top`; stop: end what `run` and `demo` began;
# demo: a Python workload to look at. The socket is the default one, so that build/pyprofctl by
# hand asks the same daemon; PYPROF_SOCKET names another for both.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
run=${PYPROF_RUN:-$B/run}
ctl=$B/pyprofctl
socket=${PYPROF_SOCKET:-/run/pyprof/pyprofd.sock}
export PYPROF_SOCKET=$socket

fail() { echo "$*" >&2; exit 1; }
answers() { "$ctl" status --json >/dev/null 2>&1; }

# Pids are used again: a pid file is believed only where the process is what it should be.
alive() { # pid file, pattern of the command line → pid
	local pid
	[ -r "$1" ] || return 1
	read -r pid <"$1" || return 1
	[[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
	tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- "$2" || return 1
	echo "$pid"
}
daemon_pid() { alive "$run/pyprofd.pid" "pyprofd --foreground --socket "; }
demo_pid() { alive "$run/demo.pid" "tests/workloads/demo.py"; }

end() { # pid, name
	kill -TERM "$1" 2>/dev/null
	for _ in {1..100}; do
		kill -0 "$1" 2>/dev/null || { echo "$2 ended."; return 0; }
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null
	echo "$2 did not end within 10 s and was killed."
}

start() {
	local pid
	[ "$(id -u)" = 0 ] || fail "make run: profiling the host needs root: sudo make run"
	# A host without it (a container, a minimal VM) lacks only the mount.
	[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
	mkdir -p "$run" "$(dirname "$socket")"
	setsid "$B/pyprofd" --foreground --socket "$socket" </dev/null >>"$run/pyprofd.log" 2>&1 &
	pid=$!
	disown
	echo "$pid" >"$run/pyprofd.pid"
	for _ in {1..200}; do
		answers && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill "$pid" 2>/dev/null
	rm -f "$run/pyprofd.pid"
	tail -n 3 "$run/pyprofd.log" | sed 's/^<[0-9]>//' >&2
	fail "make run: pyprofd did not start; its log is $run/pyprofd.log"
}

ensure_started() {
	local pid
	if pid=$(daemon_pid) && [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$B/pyprofd")" ]; then
		echo "The running pyprofd is older than the build: starting the new one."
		end "$pid" pyprofd
	fi
	answers || start
}

run() {
	local note="pyprofd runs on in the background; \`make stop\` ends it."
	daemon_pid >/dev/null || note="pyprofd runs on (make run did not start it)."
	if ! "$ctl" ps --json | grep -q '"pid"'; then
		echo "No Python process runs on this host: \`make demo\` starts one to look at."
	fi
	if [ -t 0 ] && [ -t 1 ]; then
		PYPROF_TOP_NOTE=$note "$ctl" top
	else
		"$ctl" top --batch -n 1 && echo "$note"
	fi
}

stop() {
	local pid any=
	if pid=$(demo_pid); then
		any=1
		end "$pid" "The demo"
	fi
	if pid=$(daemon_pid); then
		any=1
		end "$pid" pyprofd
	fi
	rm -f "$run/pyprofd.pid" "$run/demo.pid"
	[ -n "$any" ] || echo "Nothing to stop: make run started no pyprofd that still runs."
}

demo() {
	local pid
	if pid=$(demo_pid); then
		echo "The demo runs already, as process $pid."
		return
	fi
	mkdir -p "$run"
	setsid /usr/bin/python3 tests/workloads/demo.py </dev/null >/dev/null 2>&1 &
	pid=$!
	disown
	echo "$pid" >"$run/demo.pid"
	echo "The demo runs as process $pid for five minutes; look at it with: make run"
}

case ${1-} in
run) ensure_started && run ;;
stop) stop ;;
demo) demo ;;
*) fail "usage: tests/daemon.sh run|stop|demo" ;;
esac
