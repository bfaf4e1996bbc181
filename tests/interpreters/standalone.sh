# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# python-build-standalone (what uv installs: clang, LTO, PGO, on 3.14 the tail-calling interpreter), as
# packed in a Go module and unpacked by unpack.go. Sourced by ../interpreters.sh.

standalone_module=github.com/kluctl/go-embed-python
standalone_versions='
v0.0.0-3.14.6-20260610-1
v0.0.0-3.11.11-20241219-1
v0.0.0-3.10.16-20241219-1
'

# standalone_go COMMAND…: go's own proxy and checksum settings; a toolchain it wants it may fetch.
standalone_go() {
	go "$@" >"$PYPROF_CACHE/go.log" 2>&1
}

# standalone_module_get VERSION, in a folder of its own as each version is a module of its own.
standalone_module_get() {
	local work=$PYPROF_CACHE/work-go
	rm -rf "$work"
	mkdir -p "$work" && cp "$tests/interpreters/unpack.go" "$work/" && cd "$work" &&
		standalone_go mod init unpack && retry standalone_go get "$standalone_module/python@$1"
}

# standalone_unpack ROOT
standalone_unpack() {
	rm -rf "$1"
	mkdir -p "$1" && cd "$PYPROF_CACHE/work-go" && standalone_go build -o unpack . &&
		./unpack "$1" >"$PYPROF_CACHE/go.log" 2>&1
}

# The proxy answered, and that it has no such version.
standalone_refused() {
	grep -qE '404 Not Found|410 Gone|unknown revision|server response:' "$PYPROF_CACHE/go.log"
}

standalone_error() {
	tail -n 1 "$PYPROF_CACHE/go.log" | cut -c 1-150
}

# standalone_build VERSION
standalone_build() {
	local version name root
	version=${1#v0.0.0-}
	version=${version%%-*}
	name=pbs-$version
	root=$PYPROF_CACHE/roots/$name
	! build_have "$name" || return 0
	command -v go >/dev/null || { build_skip "$name" 'no go command here'; return; }
	say FETCH "$name"
	if ! (standalone_module_get "$1"); then
		! standalone_refused || { build_missing "$name" "the Go proxy has it no more"; return; }
		build_skip "$name" "the Go module did not come: $(standalone_error)"
		return
	fi
	(standalone_unpack "$root") || { build_missing "$name" "it did not unpack: $(standalone_error)"; return; }
	rm -rf "$PYPROF_CACHE/work-go"
	build_done "$name" pbs "$(readlink -f "$root/bin/python3")" -
}

standalone_all() {
	local version
	for version in $standalone_versions; do
		standalone_build "$version"
	done
}
