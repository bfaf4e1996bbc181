# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# Fetches a Debian kernel image into the cache: kernels/<name>/{vmlinuz,version}. Sourced by run.sh
# after ../interpreters/apt.sh.

# kernel_depends SUITE PACKAGE PREFIX: the package of that prefix that another depends on.
kernel_depends() {
	suite_apt "$1" apt-cache depends --important "$2" | sed -n "s/^ *Depends: \\($3[0-9].*\\)/\\1/p" | head -n 1
}

# kernel_package SUITE PACKAGE: the package that holds the image of a meta-package today; from 7.x
# (forky) linux-image depends on linux-binary for it.
kernel_package() {
	local package binary
	package=$(kernel_depends "$1" "$2" linux-image-)
	[ -n "$package" ] || return 1
	binary=$(kernel_depends "$1" "$package" linux-binary-)
	echo "${binary:-$package}"
}

# kernel_fetch SUITE PACKAGE, alone: it needs nothing of what it depends on.
kernel_fetch() {
	local archives
	archives=$(apt_dir "$1")/archives
	rm -f "$archives"/*.deb
	(cd "$archives" && retry suite_apt "$1" apt-get -qq download "$2") >"$(apt_dir "$1")/fetch.log" 2>&1
}

# kernel_unpack SUITE DIR: the image alone; no module is needed, it boots from our initramfs.
kernel_unpack() {
	local archives
	archives=$(apt_dir "$1")/archives
	dpkg-deb --fsys-tarfile "$archives"/*.deb | tar -x -C "$2" --wildcards '*/vmlinuz*' 2>/dev/null
	rm -f "$archives"/*.deb
	find "$2" -name 'vmlinuz*' -type f -exec mv {} "$2/vmlinuz" \;
	[ -s "$2/vmlinuz" ]
}

# kernel_get NAME SUITE PACKAGE: 0 when it is in the cache; else prints why not: 1 when the archive did
# not answer, 2 when it did and has no such kernel.
kernel_get() {
	local dir=$PYPROF_CACHE/kernels/$1 package
	[ ! -s "$dir/version" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	suite_update "$2" >&2 || { echo "the index of $2 did not come"; return 1; }
	package=$(kernel_package "$2" "$3") || { echo "$2 has no $3"; return 2; }
	say FETCH "$package" >&2
	kernel_fetch "$2" "$package" || { echo "$package did not come: $(suite_error "$2")"; return 1; }
	kernel_unpack "$2" "$dir" || { echo "$package holds no image"; return 2; }
	echo "$package" >"$dir/version"
}
