#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# make check: what a machine can see of the style. Each check prints one line, its findings only when
# it fails; the last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build} CC=${CC:-cc}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

sources() { find bpf daemon cli tests -name '*.[ch]' | sort; }
texts() {
	find . -path ./.git -prune -o -path './build*' -prune -o -path ./shared -prune -o -name __pycache__ -prune -o \
		-name .pytest_cache -prune -o -type f -print | sed 's|^\./||' | sort
}

check() { # name, function: findings on its output, status tells
	if "check_$2" >"$log" 2>&1; then
		passed=$((passed + 1))
		printf '  %-8s %s\n' CHECK "$1"
	elif [ $? = 77 ]; then
		skipped=$((skipped + 1))
		printf '  %-8s %s: %s\n' SKIPPED "$1" "$(cat "$log")"
	else
		failed=$((failed + 1))
		printf '  %-8s %s\n' FAILED "$1"
		head -n 60 "$log"
	fi
}

skip() { echo "$1"; exit 77; }
none() { ! grep .; } # fails, and shows them, when there are lines

# Other versions break the same style differently: this one alone is the law.
check_format() (
	command -v clang-format-14 >/dev/null || skip "clang-format-14 is not in this Debian release"
	sources | xargs clang-format-14 --dry-run -Werror
)

# A header that needs another one before it hides what it depends on. bpf/ headers that use BPF
# helpers are compiled as BPF, the others as everybody's C.
check_headers() (
	status=0
	triple=$($CC -print-multiarch)
	for header in $(sources | grep '\.h$'); do
		if grep -qE 'bpf_helpers|bpf_core_read|preserve_access_index|"bpf/(kernel|maps)\.h"' "$header"; then
			compile="clang -target bpf -std=gnu11 -O2 -g -idirafter /usr/include/$triple -Wno-gnu-variable-sized-type-not-at-end"
		else
			compile="$CC -std=gnu11 -D_GNU_SOURCE"
		fi
		# -w: that an inline function is not called, or is defined by who includes, is no finding.
		echo "#include \"$header\"" | $compile -w -I. -I"$B" -x c -fsyntax-only - || status=1
	done
	exit $status
)

includes() { # folder → "file:line:path" of its quoted includes
	grep -rnHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$1" --include='*.[ch]' |
		sed -E 's/^([^:]*:[0-9]*):[^"]*"([^"]*)".*/\1:\2/'
}

# Data flows up, includes point down.
check_includes() (
	{
		includes bpf | grep -vE ':bpf/[a-z0-9_]+(\.bpf)?\.h$'
		includes daemon | grep -vE ':(daemon/.*|bpf/(config|record|checksum)\.h)$' |
			grep -vE '^daemon/probe/.*:pyprof\.skel\.h$'
		includes cli | grep -vE ':(cli/.*|daemon/api\.h|daemon/(base|target)/.*|daemon/symbol/linetable\.h)$'
	} | none
)

# Kernel style: a body begins with { and ends with } in the first column.
check_sizes() (
	{
		sources | xargs awk '
			/^\{/ { start = FNR }
			/^\}/ && start { if (FNR - start - 1 > 80)
				printf "%s:%d: a function of %d lines (80)\n", FILENAME, start, FNR - start - 1
				start = 0 }
			FNR == 1 { start = 0 }'
		# pylayout_*: rows of measured offsets, one block a CPython version; they are looked up, not read.
		sources | grep -E '^(bpf|daemon|cli)/' | grep -vE '/pylayout_(table|objects)\.c$' | xargs wc -l | awk '$2 != "total" && $1 > 500 { printf "%s: %d lines (500)\n", $2, $1 }'
	} | none
)

check_licences() (
	for file in $(texts); do
		case $file in
		.gitignore | .editorconfig | .clang-format | *.json | *.png | *.txt | LICENSE) continue ;;
		esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' || echo "$file"
	done | none
)

check_vmlinux() (
	{ texts | grep -E '(^|/)vmlinux.*\.h$'; grep -rnE '#[[:space:]]*include.*vmlinux' bpf daemon cli; } | none
)

check_top_level() (
	find . -mindepth 1 -maxdepth 1 ! -name '.*' ! -name 'build*' ! -name bpf ! -name daemon ! -name cli ! -name tests \
		! -name Makefile ! -name README.md ! -name LICENSE ! -name shared | none
)

check_comments() ( # `//` marks scratch
	sources | xargs grep -nE '(^|[;{}[:space:]])//([[:space:]]|$)' | grep -v '"[^"]*//[^"]*"' | none
)

check_cppcheck() (
	command -v cppcheck >/dev/null || skip "cppcheck is not installed"
	# It knows no cleanup attribute (the sanitizers find leaks) and no system headers.
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability,performance \
		--suppress=memleak --suppress=resourceLeak --suppress=preprocessorErrorDirective \
		--suppress=missingIncludeSystem --suppress=unknownMacro -D_GNU_SOURCE -I. -j"$(nproc)" daemon cli
)

check_shell() (
	command -v shellcheck >/dev/null || skip "shellcheck is not installed"
	# SC2154, SC1091: variables that a sourced file sets. SC1010: "echo done".
	{ grep -rlE '^#!/bin/(ba)?sh' tests; echo .ci/run; } | xargs shellcheck -S warning -e SC2154,SC1091,SC1010
)

check_manuals() (
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	mandoc -T lint -W warning daemon/pyprofd.8 cli/pyprofctl.1
)

check "format (clang-format 14)" format
check "every header compiles alone" headers
check "includes point one way" includes
check "functions ≤ 80 lines, files ≤ 500" sizes
check "licence line in each file" licences
check "no vmlinux.h" vmlinux
check "nothing else at the top level" top_level
check "comments are /* */" comments
check "cppcheck" cppcheck
check "shellcheck" shell
check "manuals" manuals
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
