#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# make test-debian13: the checkout as it is, built and unit-tested in a Debian 13 root (clang 19, libbpf
# 1.5). The root lies in the cache and starts as a fresh machine would, with only git and make beside
# the base system: what more is needed, `make` itself installs there, which tests that too.
set -u
tests=$(cd "$(dirname "$0")" && pwd)
. "$tests/interpreters/apt.sh"
root=$PYPROF_CACHE/debian13/root

finish() {
	echo "debian13: $1"
	echo "$2"
	exit "$3"
}

skip() {
	finish "skipped: $1" "0 passed, 0 failed, 1 skipped" 0
}

# sources: one line an archive; the root trusts what its own keyring package holds.
sources() {
	apt_sources trixie | sed -n 's/^deb \[[^]]*\]/deb/p'
}

root_make() {
	rm -rf "$root"
	mkdir -p "${root%/*}"
	say ROOT "Debian 13 (once)"
	retry mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates \
		--aptopt='Acquire::Retries "2"' trixie "$root" - >"${root%/*}/root.log" 2>&1 < <(sources) || return 1
	touch "$root.done"
}

# The files that git would commit, changed ones too, and nothing that was built here.
root_copy() {
	rm -rf "$root/src/pyprof"
	mkdir -p "$root/src/pyprof"
	(cd "$tests/.." && git ls-files -z --cached --others --exclude-standard -- . ':!shared' |
		while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
		tar -c --null -T -) | tar -x -C "$root/src/pyprof" --no-same-owner
}

# In a mount namespace of its own, so that what is mounted goes with it. bpffs and tracefs come with /sys.
root_run() {
	cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
	unshare --mount --propagation slave sh -ec '
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		mount -t tmpfs tmpfs "$1/run"
		exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			TERM="${TERM:-dumb}" V="${V:-0}" DEBIAN_FRONTEND=noninteractive \
			http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
			make -C /src/pyprof --no-print-directory -j"$(nproc)" B=build unit-test' sh "$root"
}

[ "$(id -u)" = 0 ] || skip 'chroot needs root'
command -v mmdebstrap >/dev/null || retry env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq install -y --no-install-recommends mmdebstrap >/dev/null || skip 'mmdebstrap could not be installed'
cache_lock
[ -e "$root.done" ] || root_make || skip "the root could not be fetched: see ${root%/*}/root.log"
root_copy || finish 'the checkout could not be copied' '0 passed, 1 failed, 0 skipped' 1
if root_run 9>&-; then
	finish 'built and passed' '1 passed, 0 failed, 0 skipped' 0
fi
finish 'FAILED' '0 passed, 1 failed, 0 skipped' 1
