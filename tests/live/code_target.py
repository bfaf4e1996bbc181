# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs in the interpreter under test with -c: describes code objects that it keeps alive, one a line
# (code_check.c has the format), and waits for the end of its stdin. Python 3.6 syntax only.
import dis
import os
import sys
import types


def steps(code):
    if sys.version_info >= (3, 10):
        return ["%d:%d" % (start, line or 0) for start, end, line in code.co_lines() if end > start]
    return ["%d:%d" % step for step in dis.findlinestarts(code)]


def describe(code):
    name = code.co_qualname if sys.version_info >= (3, 11) else code.co_name
    texts = [text.encode("utf-32-le", "surrogatepass").decode("utf-32-le", "replace").encode("utf-8").hex() or "-"
             for text in (name, code.co_filename)]
    print(id(code), code.co_firstlineno, texts[0], texts[1], " ".join(steps(code)), len(code.co_code))
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            describe(const)


SOURCES = [
    ("class C:\n def f(self):\n  return [x for x in (1, 2)]\n\n async def g(self):\n  await self\n", "/app/plain.py"),
    ("def caf\xe9():\n pass\n", "/app/caf\xe9.py"),  # Latin-1
    ("def \u03b1\u03b2():\n lambda: 1\n", "/app/\u20ac.py"),  # two bytes
    ("def \U00020000():\n pass\n", "/app/\U0001f40d.py"),  # four bytes
    ("def f():\n pass\n", "/app/odd\udcff\udc80.py"),  # surrogateescape
    ("def " + "long" * 500 + "():\n pass\n", "/" + "p" * 3000),  # more than travels with a record
    ("\n".join("a = f(b)[c]" + "\n" * (i % 300) for i in range(1500)), "<a table of many KiB>"),
]
kept = [compile(source, file, "exec") for source, file in SOURCES] + [compile("1 +\\\n f()", "", "eval")]
kept.append(compile(open(os.__file__, "rb").read(), os.__file__, "exec"))
for code in kept:
    describe(code)
print("end", os.getpid())
sys.stdout.flush()
sys.stdin.read()
