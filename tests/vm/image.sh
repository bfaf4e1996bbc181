# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# Makes the initramfs of the virtual machines: busybox, the programs under test with their shared
# libraries, this host's Python with the modules that the workload needs. Sourced by run.sh.

# image_file FILE…: copies files to the same path in the tree.
image_file() {
	local file
	for file in "$@"; do
		mkdir -p "$image$(dirname "$file")"
		cp -L "$file" "$image$file"
	done
}

# image_libraries PROGRAM: what its loader would open, the loader too.
image_libraries() {
	local library
	ldd "$1" 2>/dev/null | grep -o '/[^ )]*' | sort -u | while read -r library; do
		[ -e "$image$library" ] || image_file "$library"
	done
}

# image_program FILE: under /bin by its own name.
image_program() {
	cp "$1" "$image/bin/" && image_libraries "$1"
}

# image_python PROGRAM: the interpreter where it is, and the modules that guest.py and a start load.
image_python() {
	local module
	image_file "$1"
	image_libraries "$1"
	"$1" -I -S -c 'import sys
for name in "encodings.utf_8 encodings.ascii encodings.latin_1 json subprocess threading site io".split(): __import__(name)
for module in list(sys.modules.values()):
    for path in (getattr(module, "__file__", None), getattr(getattr(module, "__spec__", None), "cached", None)):
        if path: print(path)' | sort -u | while read -r module; do
		[ ! -e "$module" ] || image_file "$module"
		case $module in *.so) image_libraries "$module" ;; esac
	done
}

# image_tree DIR: an empty root with busybox.
image_tree() {
	image=$1
	rm -rf "$image"
	mkdir -p "$image"/{bin,dev,etc,proc,run,sys,tmp,usr/bin,usr/lib,usr/lib64}
	ln -s usr/lib "$image/lib"
	ln -s usr/lib64 "$image/lib64"
	image_program "$(command -v busybox)" # Debian has a static and a shared one
	ln -s busybox "$image/bin/sh"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$image/etc/passwd"
	echo 'root:x:0:' >"$image/etc/group"
}

# image_pack FILE: not compressed, as an emulated CPU takes seconds to unpack.
image_pack() {
	(cd "$image" && find . -print0 | cpio --null -o --quiet -H newc -R 0:0) >"$1"
}
