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

# standalone_unpack VERSION ROOT, in a folder of its own as each version is a module of its own.
standalone_unpack() {
	local work=$PYPROF_CACHE/work-go
	rm -rf "$work" "$2"
	mkdir -p "$work" "$2" && cp "$tests/interpreters/unpack.go" "$work/" && cd "$work" &&
		standalone_go mod init unpack &&
		retry standalone_go get "$standalone_module/python@$1" &&
		standalone_go build -o unpack . && ./unpack "$2" >"$PYPROF_CACHE/go.log" 2>&1
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
	(standalone_unpack "$1" "$root") || { build_skip "$name" "the Go module did not come: $(standalone_error)"; return; }
	rm -rf "$PYPROF_CACHE/work-go"
	build_done "$name" pbs "$(readlink -f "$root/bin/python3")" -
}

standalone_all() {
	local version
	for version in $standalone_versions; do
		standalone_build "$version"
	done
}
