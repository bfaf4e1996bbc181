#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# may: whether `run` can work for this user, told before anything is built; run: start the daemon unless one
# answers, then show `top`; demo: a Python workload to look at; stop: end what both began. The socket is
# the default one, so that build/pyprofctl by hand asks the same daemon; PYPROF_SOCKET names another for both.
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

# The whole session, as the demo has a helper; the leader alone where it has not made its session yet.
end() { # what tells the pid, name
	local pid
	pid=$("$1") || return 0
	if ! kill -TERM -- "-$pid" 2>/dev/null && ! kill -TERM "$pid" 2>/dev/null && "$1" >/dev/null; then
		fail "$2 (process $pid) is not this user's: sudo make stop"
	fi
	for _ in {1..100}; do
		"$1" >/dev/null || { echo "$2 ended."; return 0; }
		sleep 0.1
	done
	kill -KILL -- "-$pid" 2>/dev/null
	echo "$2 did not end within 10 s and was killed."
}

need_root() {
	[ "$(id -u)" = 0 ] || fail "make run: profiling the host needs root: sudo make run"
}

# A daemon that runs already serves whoever asks.
may() { [ -S "$socket" ] || need_root; }

start() {
	local pid
	need_root
	# A host without it (a container, a minimal VM) lacks only the mount.
	[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
	mkdir -p "$run" "$(dirname "$socket")"
	tests/owner.sh
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
	local pid program
	# Only its own user and root may follow the link: others take the daemon as it is.
	if pid=$(daemon_pid) && program=$(readlink "/proc/$pid/exe") && [ "$program" != "$(realpath "$B/pyprofd")" ]; then
		echo "The running pyprofd is older than the build: starting the new one."
		end daemon_pid pyprofd
	fi
	answers || start
}

run() {
	local note="pyprofd runs on in the background; \`make stop\` ends it."
	daemon_pid >/dev/null || note="pyprofd runs on (make run did not start it)."
	if [ -t 0 ] && [ -t 1 ]; then
		PYPROF_TOP_NOTE=$note "$ctl" top
	else
		"$ctl" top --batch -n 1 && echo "$note"
	fi
}

stop() {
	if ! demo_pid >/dev/null && ! daemon_pid >/dev/null; then
		echo "Nothing to stop: make run started no pyprofd that still runs."
	fi
	end demo_pid "The demo"
	end daemon_pid pyprofd
	rm -f "$run/pyprofd.pid" "$run/demo.pid"
}

demo() {
	local pid
	if pid=$(demo_pid); then
		echo "The demo runs already, as process $pid."
		return
	fi
	[ -x /usr/bin/python3 ] || fail "make demo: no /usr/bin/python3 is there; make run installs it"
	if ! { mkdir -p "$run" && : >"$run/demo.pid"; } 2>/dev/null; then
		fail "make demo: $run, where its pid is kept, is not this user's: sudo make demo"
	fi
	tests/owner.sh
	setsid /usr/bin/python3 tests/workloads/demo.py </dev/null >/dev/null 2>&1 &
	pid=$!
	disown
	echo "$pid" >"$run/demo.pid"
	echo "The demo runs as process $pid for five minutes; look at it with: make run"
}

case ${1-} in
may) may ;;
run) ensure_started && run ;;
stop) stop ;;
demo) demo ;;
*) fail "usage: tests/daemon.sh may|run|stop|demo" ;;
esac
