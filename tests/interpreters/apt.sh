# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# A private apt per Debian suite: own sources, lists and archives under the cache, the machine's own
# mirror and keyring. Sourced by ../interpreters.sh, ../debian13.sh and ../vm/run.sh; changes nothing
# of the machine's own apt. The mirror is read from the machine at run time, so no host name stands here.

# The cache lies outside the checkout; under sudo it is the caller's, as their ~/.pyenv is.
pyprof_home=${HOME:-/root}
if [ -n "${SUDO_USER:-}" ] && [ "$(id -u)" = 0 ]; then
	pyprof_home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
	PYPROF_CACHE=${PYPROF_CACHE:-$pyprof_home/.cache/pyprof}
fi
PYPROF_CACHE=${PYPROF_CACHE:-${XDG_CACHE_HOME:-$pyprof_home/.cache}/pyprof}
export PYPROF_CACHE

say() {
	printf '  %-8s %s\n' "$1" "$2"
}

# retry COMMAND…: three tries, as a registry may fail once. After one that failed all three there is
# most likely no network, and the rest of the run asks once.
retry() {
	local try
	for try in 1 2 3; do
		"$@" && return 0
		[ -z "${retry_failed:-}" ] || return 1
		[ "$try" = 3 ] || sleep $((try * 3))
	done
	retry_failed=1
	return 1
}

# cache_lock: one filler at a time; a second one waits for the first.
cache_lock() {
	mkdir -p "$PYPROF_CACHE"
	exec 9>"$PYPROF_CACHE/lock"
	flock 9
}

# apt_mirror [-security]: the URI that this machine uses for its own release.
apt_mirror() {
	local codename
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v want="$codename${1:-}" -v also="stable${1:-}" \
			'$1 == want || $1 == also { print $2; exit }'
}

apt_keyring() {
	local key
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ -e "$key" ] && echo "$key" && return
	done
	return 1
}

# apt_sources SUITE: its sources list on stdout; -security where the suite has one.
apt_sources() {
	local suite=$1 key mirror security
	key=$(apt_keyring) && mirror=$(apt_mirror) && [ -n "$mirror" ] || return 1
	security=$(apt_mirror -security)
	echo "deb [arch=amd64 signed-by=$key] $mirror $suite main"
	[ "$suite" != trixie ] || echo "deb-src [signed-by=$key] $mirror $suite main"
	case $suite in
	bullseye | bookworm | trixie)
		[ -z "$security" ] || echo "deb [arch=amd64 signed-by=$key] $security $suite-security main"
		;;
	esac
}

apt_dir() {
	echo "$PYPROF_CACHE/apt/$1"
}

# apt_conf SUITE: writes the private configuration of a suite.
apt_conf() {
	local dir
	dir=$(apt_dir "$1")
	mkdir -p "$dir/state/lists/partial" "$dir/archives/partial" || return 1
	apt_sources "$1" >"$dir/sources.list" || return 1
	: >"$dir/status"
	cat >"$dir/apt.conf" <<-END
		Dir::Etc::SourceList "$dir/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$dir/state";
		Dir::State::Lists "$dir/state/lists";
		Dir::State::Status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::Archives "$dir/archives";
		Dir::Log "$dir";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		APT::Update::Post-Invoke-Success "";
		DPkg::Post-Invoke "";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::Retries "2";
		Acquire::http::Timeout "60";
		Debug::NoLocking "true";
	END
}

# suite_apt SUITE TOOL ARGUMENTS…: apt-get or apt-cache of that suite. LC_ALL: its words are parsed.
suite_apt() {
	local suite=$1
	shift
	LC_ALL=C APT_CONFIG=$(apt_dir "$suite")/apt.conf "$@"
}

# suite_update SUITE: fetches its index, at most once a run.
suite_update() {
	local suite=$1 dir
	dir=$(apt_dir "$suite")
	case " ${suites_updated:-} " in *" $suite "*) return 0 ;; esac
	case " ${suites_silent:-} " in *" $suite "*) return 1 ;; esac
	apt_conf "$suite" || return 1
	say INDEX "$suite"
	retry suite_apt "$suite" apt-get -qq update >"$dir/update.log" 2>&1 ||
		{ suites_silent="${suites_silent:-} $suite"; return 1; }
	suites_updated="${suites_updated:-} $suite"
}

# suite_has SUITE PACKAGE
suite_has() {
	suite_apt "$1" apt-cache show "$2" >/dev/null 2>&1
}

# suite_installable SUITE PACKAGE…: can the index satisfy them (a suite in motion may not, for a day)?
suite_installable() {
	local suite=$1 dir
	dir=$(apt_dir "$suite")
	shift
	suite_apt "$suite" apt-get -qq -s install "$@" >"$dir/resolve.log" 2>&1
}

# suite_fetch SUITE PACKAGE…: the packages and all that they depend on, as .deb files in archives/.
suite_fetch() {
	local suite=$1 dir
	dir=$(apt_dir "$suite")
	shift
	rm -f "$dir"/archives/*.deb
	retry suite_apt "$suite" apt-get -qq -y --download-only install "$@" >"$dir/fetch.log" 2>&1
}

# suite_unpack SUITE ROOT: unpacks what was fetched. /usr-merged by hand, as old packages still
# name /lib and new ones expect to find the loader there.
suite_unpack() {
	local suite=$1 root=$2 dir deb link
	dir=$(apt_dir "$suite")
	rm -rf "$root"
	mkdir -p "$root/tmp" "$root/dev" "$root/proc"
	for link in bin sbin lib lib64; do
		mkdir -p "$root/usr/$link"
		ln -s "usr/$link" "$root/$link"
	done
	for deb in "$dir"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root" || return 1
	done
	rm -f "$dir"/archives/*.deb
}

suite_version() {
	suite_apt "$1" apt-cache show --no-all-versions "$2" | sed -n 's/^Version: //p'
}

# suite_error SUITE [LOG]: the first error of its log, for a reason that fits a line.
suite_error() {
	grep -m 1 '^E:' "$(apt_dir "$1")/${2:-fetch}.log" | cut -c 1-150
}
