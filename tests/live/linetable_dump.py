# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs inside the interpreter under test: compiles its whole standard library and writes, for every
code object, the line table and the lines that this interpreter itself gives (linetable_check.c has
the format). Counts go to stderr as JSON. Python 3.6 syntax only."""
import dis
import json
import os
import struct
import sys
import sysconfig
import types
import warnings


def sources():
    # The packages of others are no part of the interpreter.
    for folder, subfolders, files in os.walk(sysconfig.get_paths()["stdlib"]):
        subfolders[:] = sorted(s for s in subfolders if s not in ("site-packages", "dist-packages"))
        for name in sorted(files):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def ranges(code, size):
    """(start, end, line) of the interpreter's own view; line 0 = none."""
    if sys.version_info >= (3, 10):
        return [(start, end, line or 0) for start, end, line in code.co_lines()]
    starts = list(dis.findlinestarts(code))
    ends = [start for start, _ in starts[1:]] + [size]
    return [(start, end, line) for (start, line), end in zip(starts, ends)]


def encode(code, out):
    size = len(code.co_code)
    table = code.co_linetable if sys.version_info >= (3, 10) else code.co_lnotab
    lines = ranges(code, size)
    out.append(struct.pack("<iIII", code.co_firstlineno, len(table), size, len(lines)))
    out.append(table)
    out.extend(struct.pack("<IIi", *line) for line in lines)
    count = 1
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            count += encode(const, out)
    return count


def main():
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10000)
    stream = sys.stdout.buffer
    stream.write(struct.pack("<I", sys.hexversion))
    counts = {"files": 0, "skipped": 0, "codes": 0}
    for path in sources():
        out = []
        try:
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # test data meant to fail
            counts["skipped"] += 1
            continue
        counts["files"] += 1
        counts["codes"] += encode(code, out)
        stream.write(b"".join(out))
    stream.flush()
    json.dump(counts, sys.stderr)


main()
