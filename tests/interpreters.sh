#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# make interpreters: fills the cache with CPython builds that a Debian 12 host does not have, checks that
# each runs, and writes $PYPROF_CACHE/interpreters.list:
#   <name> <version> <pyenv|debian|pbs|free-threaded> <launcher> <root or ->
#   # skip <name>: <why it could not be asked for>
# A registry that does not answer is a skip. A build that the registry should have and did not give is
# a failure. With the cache filled nothing is asked of the network.
set -u
tests=$(cd "$(dirname "$0")" && pwd)
. "$tests/interpreters/apt.sh"
. "$tests/interpreters/debian.sh"
. "$tests/interpreters/freethreaded.sh"
. "$tests/interpreters/standalone.sh"

failed=0
notes=()

build_skip() {
	notes+=("# skip $1: $2")
}

build_missing() {
	notes+=("# missing $1: $2")
	failed=1
}

build_same() {
	notes+=("# same $1: the package is that of $2")
}

# build_have NAME: was it built and checked before?
build_have() {
	[ -s "$PYPROF_CACHE/roots/$1.done" ]
}

# build_check LAUNCHER KIND: prints the version if the build runs and is what it should be.
build_check() {
	"$1" - "$2" <<-'END'
		import hashlib, json, sys, threading, zlib
		gil = getattr(sys, "_is_gil_enabled", lambda: True)()
		if gil == (sys.argv[1] == "free-threaded"):
		    sys.exit("the GIL is %s" % ("on" if gil else "off"))
		done = []
		thread = threading.Thread(target=lambda: done.append(hashlib.sha256(b"pyprof").hexdigest()))
		thread.start()
		thread.join()
		if len(json.loads(json.dumps(done))[0]) != 64:
		    sys.exit("a thread gave no digest")
		print(sys.version.split()[0].rstrip("+"))
	END
}

# build_done NAME KIND LAUNCHER ROOT: the stamp is its line in the list, written only if it runs.
build_done() {
	local version
	if version=$(build_check "$3" "$2" 2>"$PYPROF_CACHE/check.log"); then
		echo "$1 $version $2 $3 $4" >"$PYPROF_CACHE/roots/$1.done"
		say PYTHON "$1 $version"
	else
		build_missing "$1" "it does not run: $(tail -n 1 "$PYPROF_CACHE/check.log")"
		return 1
	fi
}

# list_host: what is on this machine already. pyenv's folders are named for their version.
list_host() {
	local python prefix
	for python in /usr/bin/python3.[0-9]*; do
		case $python in *[!0-9]) continue ;; esac # python3.11-config
		[ -x "$python" ] || continue
		echo "host-${python##*/python} $("$python" -c 'import sys; print(sys.version.split()[0])') debian $python -"
	done
	for prefix in "$pyprof_home"/.pyenv/versions/*/; do
		prefix=${prefix%/}
		[ ! -x "$prefix/bin/python" ] || echo "pyenv-${prefix##*/} ${prefix##*/} pyenv $(readlink -f "$prefix/bin/python") -"
	done
}

list_all() {
	list_host
	cat "$PYPROF_CACHE"/roots/*.done 2>/dev/null
	[ ${#notes[@]} = 0 ] || printf '%s\n' "${notes[@]}"
}

note_count() {
	grep -c "^# $1 " "$PYPROF_CACHE/interpreters.list"
}

cache_lock
mkdir -p "$PYPROF_CACHE/bin" "$PYPROF_CACHE/roots"
debian_all
standalone_all
freethreaded_all
list_all >"$PYPROF_CACHE/interpreters.list.new"
mv "$PYPROF_CACHE/interpreters.list.new" "$PYPROF_CACHE/interpreters.list"
grep '^#' "$PYPROF_CACHE/interpreters.list"
say CACHE "$PYPROF_CACHE/interpreters.list: $(grep -vc '^#' "$PYPROF_CACHE/interpreters.list") builds"
# Each build in the cache ran its check when it was made.
echo "$(cat "$PYPROF_CACHE"/roots/*.done 2>/dev/null | wc -l) passed, $(note_count missing) failed, $(note_count skip) skipped"
exit $failed
