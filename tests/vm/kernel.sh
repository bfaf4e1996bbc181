# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Fetches a Debian kernel image into the cache: kernels/<name>/{vmlinuz,config,version}. Sourced by run.sh
# after ../interpreters/apt.sh.

# kernel_package SUITE PACKAGE: the image package that a meta-package stands for today.
kernel_package() {
	suite_apt "$1" apt-cache depends --important "$2" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# kernel_unpack SUITE PACKAGE DIR: only /boot; no module is needed, the image boots from its initramfs.
kernel_unpack() {
	local deb
	deb=$(apt_dir "$1")/archives
	rm -f "$deb"/*.deb
	(cd "$deb" && retry suite_apt "$1" apt-get -qq download "$2") >"$(apt_dir "$1")/fetch.log" 2>&1 || return 1
	dpkg-deb --fsys-tarfile "$deb"/*.deb | tar -x -C "$3" ./boot || return 1
	mv "$3"/boot/vmlinuz-* "$3/vmlinuz" && mv "$3"/boot/config-* "$3/config"
	echo "$2" >"$3/version"
	rm -rf "$deb"/*.deb "$3/boot"
}

# kernel_get NAME SUITE PACKAGE: 0 when it is in the cache; prints why not.
kernel_get() {
	local dir=$PYPROF_CACHE/kernels/$1 package
	[ ! -s "$dir/version" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	suite_update "$2" >&2 || { echo "the index of $2 did not come"; return 1; }
	package=$(kernel_package "$2" "$3")
	[ -n "$package" ] || { echo "$2 has no $3"; return 1; }
	say FETCH "$package" >&2
	kernel_unpack "$2" "$package" "$dir" || { echo "$package did not come: $(suite_error "$2")"; return 1; }
}
