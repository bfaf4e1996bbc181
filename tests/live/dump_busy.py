# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that never stop calling: dump_busy.py THREADS

Thread 3's functions are named t3_, t3_a, t3_ab, t3_abc…: each name is its caller's and one letter more, so a
stack that never existed is seen by its names. All callees of a function are called from the same instruction
and lie at the same addresses, so that nothing but the proof can tell an old frame from a new one. Every other
function is a generator. Prints "ready", ends with stdin.
"""
import random
import sys
import threading

DEPTH = 4
CALLEES = "abc"

LEAF = """
def {name}(rounds):
    n = 0
    for i in range(rounds):
        n += i * i
    return n
"""
CALLER = """
def {name}(rounds):
    n = 0
    for callee in {callees}:
        n += callee(rounds)
    return n
"""
GENERATOR = """
def {name}(rounds):
    return sum({name}_(rounds))
def {name}_(rounds):
    for callee in {callees}:
        yield callee(rounds)
"""
ROOT = """
def {name}():
    while True:
        for callee in {callees}:
            callee(int(random() * 40))
"""


def define(scope, name, depth):
    """Defines the function and all that it may call; returns its name."""
    callees = [define(scope, name + c, depth + 1) for c in CALLEES] if depth < DEPTH else []
    template = LEAF if not callees else ROOT if depth == 0 else (CALLER, GENERATOR)[depth % 2]
    code = template.format(name=name, callees="(%s,)" % ", ".join(callees))
    exec(compile(code, "<%s>" % name, "exec"), scope)
    return name


def main():
    scope = {"random": random.random, "__name__": "busy"}
    for i in range(int(sys.argv[1])):
        root = scope[define(scope, "t%d_" % i, 0)]
        threading.Thread(target=root, name="busy-%d" % i, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
