# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# Debian's CPython builds of other suites: each with its own libraries in one root, run by chroot, so
# that its /proc/PID/exe, mappings and loader are those of a real host. Sourced by ../interpreters.sh.

# name suite package. forky and sid move: what they offer today is taken, the same version once.
debian_builds='
debian11-3.9 bullseye python3.9
debian13-3.13 trixie python3.13
forky-3.13 forky python3.13
forky-3.14 forky python3.14
forky-3.15 forky python3.15
sid-3.13 sid python3.13
sid-3.14 sid python3.14
sid-3.15 sid python3.15
'

# debian_twin VERSION NAME: the other build that was unpacked from the same package version.
debian_twin() {
	local stamp
	for stamp in "$PYPROF_CACHE"/roots/*.package; do
		[ "$stamp" != "$PYPROF_CACHE/roots/$2.package" ] && [ -e "$stamp" ] || continue
		[ "$(cat "$stamp")" != "$1" ] || basename "$stamp" .package
	done
}

# debian_devices ROOT: what a Python program opens without asking; needs CAP_MKNOD, else left out.
debian_devices() {
	mkdir -p "$1/dev/shm"
	chmod 1777 "$1/dev/shm" "$1/tmp"
	mknod -m 666 "$1/dev/null" c 1 3
	mknod -m 666 "$1/dev/zero" c 1 5
	mknod -m 666 "$1/dev/urandom" c 1 9
} 2>/dev/null

# debian_launcher NAME PACKAGE [VARIABLE=VALUE]: `exec`, so that the pid stays the caller's child.
debian_launcher() {
	local launcher=$PYPROF_CACHE/bin/$1
	cat >"$launcher" <<-END
		#!/bin/sh
		exec ${3:+env $3 }chroot "$PYPROF_CACHE/roots/${1%-jit}" /usr/bin/$2 "\$@"
	END
	chmod 755 "$launcher"
}

# debian_jit NAME PACKAGE: the same build with its JIT switched on, where it has one.
debian_jit() {
	case $1 in
	*-3.13) return 0 ;; # Debian's 3.13 is built without one
	esac
	debian_launcher "$1-jit" "$2" PYTHON_JIT=1
	if "$PYPROF_CACHE/bin/$1-jit" -c \
		'import sys; sys.exit(not (hasattr(sys, "_jit") and sys._jit.is_enabled()))' 2>/dev/null; then
		build_done "$1-jit" debian "$PYPROF_CACHE/bin/$1-jit" "$PYPROF_CACHE/roots/$1"
	else
		rm -f "$PYPROF_CACHE/bin/$1-jit"
	fi
}

# debian_install NAME SUITE PACKAGE
debian_install() {
	local name=$1 suite=$2 package=$3 root=$PYPROF_CACHE/roots/$1
	say FETCH "$name"
	suite_fetch "$suite" "$package" || { build_skip "$name" "its packages did not come: $(suite_error "$suite")"; return; }
	suite_unpack "$suite" "$root" || { build_missing "$name" 'its packages did not unpack'; return; }
	debian_devices "$root"
	debian_launcher "$name" "$package"
	suite_version "$suite" "$package" >"$root.package"
	build_done "$name" debian "$PYPROF_CACHE/bin/$name" "$root"
	debian_jit "$name" "$package"
}

# debian_build NAME SUITE PACKAGE: decides whether it can and need be had.
debian_build() {
	local name=$1 suite=$2 package=$3 twin
	! build_have "$name" || return 0
	[ "$(id -u)" = 0 ] || { build_skip "$name" 'chroot needs root'; return; }
	suite_update "$suite" || { build_skip "$name" "the index of $suite did not come: $(suite_error "$suite" update)"; return; }
	if ! suite_has "$suite" "$package"; then
		case $suite in
		forky | sid) build_skip "$name" "$suite has no $package today" ;;
		*) build_missing "$name" "the index of $suite has no $package" ;;
		esac
		return
	fi
	twin=$(debian_twin "$(suite_version "$suite" "$package")" "$name")
	[ -z "$twin" ] || { build_same "$name" "$twin"; return; }
	if ! suite_installable "$suite" "$package"; then
		build_missing "$name" "$suite cannot satisfy it: $(suite_error "$suite" resolve)"
		return
	fi
	debian_install "$name" "$suite" "$package"
}

debian_all() {
	local name suite package
	while read -r name suite package; do
		[ -z "$name" ] || debian_build "$name" "$suite" "$package"
	done <<-END
		$debian_builds
	END
	debian_moving
}

# debian_moving: forky and sid may drop a minor one by one; that both have none is a failure.
debian_moving() {
	local minor
	for minor in 3.14 3.15; do
		! build_have "forky-$minor" && ! build_have "sid-$minor" || continue
		case "${suites_updated:-}" in
		*forky*sid*) build_missing "debian-$minor" 'neither forky nor sid gave it' ;;
		esac
	done
}
