# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# CPython 3.13 without the GIL, built once from Debian 13's source package (Debian ships no such build),
# about four minutes on two cores. Sourced by ../interpreters.sh.

freethreaded_name=free-threaded-3.13t

# freethreaded_source DIR: the upstream tarball alone; Debian's patches do not matter here.
freethreaded_source() {
	local log
	log=$(apt_dir trixie)/fetch.log
	(cd "$1" && retry suite_apt trixie apt-get -qq --tar-only --download-only source python3.13) >"$log" 2>&1
}

# freethreaded_compile SOURCE PREFIX: no tests, no pip, no PGO: what matters is the layout in memory.
freethreaded_compile() {
	cd "$1" &&
		nice -n 19 ./configure -q --prefix="$2" --disable-gil --without-ensurepip \
			--disable-test-modules &&
		nice -n 19 make -s -j"$(nproc)" &&
		nice -n 19 make -s altbininstall libinstall sharedinstall
}

freethreaded_install() {
	local name=$freethreaded_name root=$PYPROF_CACHE/roots/$freethreaded_name work
	work=$PYPROF_CACHE/work
	rm -rf "$work" "$root"
	mkdir -p "$work" "$PYPROF_CACHE/roots"
	freethreaded_source "$work" || { build_skip "$name" "the source did not come: $(suite_error trixie)"; return; }
	tar -xf "$work"/python3.13_*.orig.tar.* -C "$work" || { build_missing "$name" 'the source did not unpack'; return; }
	say BUILD "$name (some minutes, once)"
	if (freethreaded_compile "$work"/Python-* "$root") >"$PYPROF_CACHE/$name.log" 2>&1 </dev/null; then
		build_done "$name" free-threaded "$root/bin/python3.13t" - && rm -rf "$work"
	else
		build_missing "$name" "the build failed: see $PYPROF_CACHE/$name.log"
	fi
}

freethreaded_all() {
	! build_have "$freethreaded_name" || return 0
	command -v "${CC:-gcc}" >/dev/null && command -v make >/dev/null ||
		{ build_skip "$freethreaded_name" 'no C compiler here: make deps'; return; }
	suite_update trixie || { build_skip "$freethreaded_name" "the index of trixie did not come: $(suite_error trixie update)"; return; }
	freethreaded_install
}
