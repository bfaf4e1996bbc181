#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# budget.sh check RESULT: RESULT holds `kernel <release>` and `insns <program> <count>` lines, as tests/vm/load
# and init.sh print them; says what exceeds budget.txt or is not in it, one line each. A kernel without any
# line there is not held to a budget.
# budget.sh propose RESULT: the lines that RESULT would have in budget.txt.
set -u
here=$(cd "$(dirname "$0")" && pwd)
result=$2
kernel=$(sed -n 's/^kernel \([0-9]*\.[0-9]*\).*/\1/p' "$result" | head -n 1)

check() {
	awk -v kernel="$kernel" '
		FNR == NR { if ($1 == kernel) { most[$2] = $3; known = 1 } next }
		$1 != "insns" || !known { next }
		!($2 in most) { print kernel ": " $2 " has no budget; it takes " $3 " instructions"; next }
		$3 > most[$2] { print kernel ": " $2 " takes " $3 " instructions, its budget is " most[$2] }
	' "$here/budget.txt" "$result"
}

propose() {
	awk -v kernel="$kernel" '$1 == "insns" && $3 > seen[$2] { seen[$2] = $3 }
		END { for (name in seen) print kernel, name, int(seen[name] * 1.1 + 0.5) }' "$result" | sort
}

case $1 in
check | propose) $1 ;;
*) exit 64 ;;
esac
