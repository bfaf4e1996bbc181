#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh [SECONDS [NAME…]]: each harness for SECONDS (60), all or those named: fuzz_NAME.c. With clang's
# libFuzzer where it is installed (a corpus grows under $B/fuzz), else gcc and seeded random input.
# What a harness needs beside itself stands in its first comment, after "links:". Exit 1 when one found something.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${B:-build}/fuzz
seconds=${1:-60}
shift || true
flags="-std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -fno-sanitize-recover=undefined -I. -I${B:-build}"
mkdir -p "$out"

engine=plain
echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n); int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return !d && n; }' |
	${CLANG:-clang} -fsanitize=fuzzer,address -x c - -o "$out/probe" 2>/dev/null && engine=libfuzzer

build() { # name → program
	local links
	links=$(awk '/ links: / { on = 1 } on { print } on && /\*\// { exit }' "tests/fuzz/fuzz_$1.c" | grep -o '[a-z0-9_/]*\.c')
	if [ $engine = libfuzzer ]; then
		${CLANG:-clang} $flags -fsanitize=fuzzer,address,undefined "tests/fuzz/fuzz_$1.c" $links -o "$out/$1"
	else
		${CC:-gcc} $flags -fsanitize=address,undefined "tests/fuzz/fuzz_$1.c" tests/fuzz/plain.c $links -o "$out/$1"
	fi
}

feed() { # name
	if [ $engine = libfuzzer ]; then
		mkdir -p "$out/corpus_$1"
		"$out/$1" -max_total_time="$seconds" -max_len=4096 -artifact_prefix="$out/$1-" -verbosity=1 "$out/corpus_$1"
	else
		"$out/$1" "$seconds" "${FUZZ_SEED:-$RANDOM}"
	fi
}

mapfile -t names < <(printf '%s\n' tests/fuzz/fuzz_*.c | sed 's/.*fuzz_//; s/\.c$//')
[ $# -eq 0 ] || names=("$@")
failed=0
for name in "${names[@]}"; do
	log=$out/$name.log
	if build "$name" >"$log" 2>&1 && feed "$name" >>"$log" 2>&1; then
		printf '  %-8s %s: %s (%s)\n' FUZZ "$name" "$(grep -Eo '[0-9]+ runs' "$log" | tail -1)" $engine
	else
		printf '  %-8s %s: see %s\n' FAIL "$name" "$log"
		failed=1
	fi
done
exit $failed
