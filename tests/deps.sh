#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs the Debian packages of the sets named: build, test, check, vm, fuzz, interpreters.
# Says nothing and asks nobody where all are there already.
set -u

build="gcc libc6-dev clang libbpf-dev bpftool libelf-dev zlib1g-dev libmicrohttpd-dev
 libjansson-dev libncurses-dev libinih-dev python3"
test="libcmocka-dev python3-pytest python3-dev gunicorn strace tmux curl zsh systemd procps"
check="cppcheck shellcheck mandoc"
vm="qemu-system-x86 cpio busybox xz-utils"
interpreters="make dpkg-dev xz-utils"
command -v go >/dev/null || interpreters="$interpreters golang-go"
# libFuzzer comes with the runtime of clang's version; without it the harnesses run by gcc.
fuzz() {
	version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
	echo "${version:+libclang-rt-$version-dev}"
}

# Not in every release: wanted where the archive has them, a skip with a reason where not.
optional="clang-format-14"

wanted=
for set in "$@"; do
	case $set in
	build) wanted="$wanted $build" ;;
	test) wanted="$wanted $test" ;;
	check) wanted="$wanted $check" ;;
	vm) wanted="$wanted $vm" ;;
	fuzz) wanted="$wanted $(fuzz)" ;;
	interpreters) wanted="$wanted $interpreters" ;;
	*) echo "deps: no such set: $set" >&2; exit 64 ;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	echo "deps: this is no Debian; see that it has what these packages hold:" $wanted >&2
	exit 0
fi

missing_of() {
	# shellcheck disable=SC2086 # words wanted
	for package in $1; do
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' ||
			printf '%s ' "$package"
	done
}
# By itself: with nothing missing this is the whole run.
missing=$(missing_of "$wanted")
case " $* " in
*" check "*) missing_optional=$(missing_of "$optional") ;;
*) missing_optional= ;;
esac
[ -n "$missing$missing_optional" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	[ -n "$missing" ] || exit 0
	echo "deps: missing: ${missing}(install them as root: sudo make deps)" >&2
	exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt() {
	apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" \
		</dev/null >>"$log" 2>&1
}
reason() { grep -E '^(E|W|Err)[: ]' "$log" | head -n 1; }

apt update || updated=no
for package in $missing_optional; do
	apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]' && missing="$missing$package "
done
[ -n "$missing" ] || exit 0
printf '  %-8s %s\n' APT "$missing"
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing; then
	echo "deps: apt could not install $missing: $(reason)${updated:+ (apt-get update failed)}" >&2
	exit 1
fi
