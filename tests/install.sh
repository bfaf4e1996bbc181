#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# install or uninstall: one list of files serves both, so that nothing is left behind.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build} DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr/local} SYSCONFDIR=${SYSCONFDIR:-/etc}
conf=$DESTDIR$SYSCONFDIR/pyprof/pyprofd.conf

# mode, what, where
files() {
	cat <<-END
		755 $B/pyprofd $PREFIX/sbin/pyprofd
		755 $B/pyprofctl $PREFIX/bin/pyprofctl
		644 $B/install/pyprofd.service $PREFIX/lib/systemd/system/pyprofd.service
		644 daemon/pyprofd.sysusers $PREFIX/lib/sysusers.d/pyprof.conf
		644 daemon/pyprofd.8 $PREFIX/share/man/man8/pyprofd.8
		644 cli/pyprofctl.1 $PREFIX/share/man/man1/pyprofctl.1
		644 $B/install/pyprofctl.bash $PREFIX/share/bash-completion/completions/pyprofctl
		644 $B/install/pyprofctl.zsh $PREFIX/share/zsh/site-functions/_pyprofctl
	END
}

generate() {
	mkdir -p "$B/install"
	sed "s|/usr/sbin/|$PREFIX/sbin/|" daemon/pyprofd.service >"$B/install/pyprofd.service"
	"$B/pyprofctl" completion bash >"$B/install/pyprofctl.bash"
	"$B/pyprofctl" completion zsh >"$B/install/pyprofctl.zsh"
}

# Settings are the administrator's: kept when they differ from what we ship.
install_conf() {
	if [ -e "$conf" ] && ! cmp -s daemon/pyprofd.conf "$conf"; then
		echo "Kept $conf (it differs from the one of this version)."
	else
		install -D -m 644 daemon/pyprofd.conf "$conf"
	fi
}

uninstall_conf() {
	if [ -e "$conf" ] && ! cmp -s daemon/pyprofd.conf "$conf"; then
		echo "Kept $conf (it was changed)."
	else
		rm -f "$conf"
		rmdir "$(dirname "$conf")" 2>/dev/null || true
	fi
}

# The files are those of the system that runs, not of a package's tree.
live() {
	[ -z "$DESTDIR" ] && [ -d /run/systemd/system ]
}

# What the files ask of systemd: the user that the unit names, and that it reads the unit.
activate() {
	if live; then
		systemd-sysusers "$PREFIX/lib/sysusers.d/pyprof.conf"
		systemctl daemon-reload
		echo "Start it: systemctl enable --now pyprofd"
	elif [ -z "$DESTDIR" ]; then
		echo "No systemd runs here. Start it as root: $PREFIX/sbin/pyprofd"
	fi
}

deactivate() {
	! live || systemctl --quiet disable --now pyprofd 2>/dev/null || true
}

case ${1-} in
install)
	generate
	files | while read -r mode from to; do
		install -D -m "$mode" "$from" "$DESTDIR$to"
	done
	install_conf
	activate
	;;
uninstall)
	deactivate
	files | while read -r mode from to; do
		rm -f "$DESTDIR$to"
	done
	uninstall_conf
	! live || systemctl daemon-reload
	;;
*)
	echo "usage: tests/install.sh install|uninstall" >&2
	exit 64
	;;
esac
