# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Burns CPU in known stacks, one after the other: spinning.py SECONDS_EACH, Python 3.6 and later.

Each stack ends in spin(), whose caller chain stands still meanwhile. Prints one JSON line: {"spin": [first, last line
of its loop], "clock": names of what spin() may call, "stacks": [[[name, qualname, file, line], …], …]}: frames of the
callers of spin(), leaf first, as sys._getframe() gives them. Waits for a line on stdin before, and for another after.
"""
import asyncio
import functools
import json
import sys
import time

stacks = []
seconds = float(sys.argv[1])
clock = time.process_time


def frames_of(frame):
    out = []
    while frame:
        code = frame.f_code
        out.append([code.co_name, getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return out


def spin():
    stacks.append(frames_of(sys._getframe(1)))
    end = clock() + seconds
    x = 0
    while x >= 0:
        x += 1
        if not x % 64 and clock() > end: break
    return 1


def generate():
    yield spin()


def through_generator():
    return list(generate())


def through_comprehension():
    return [spin() for _ in range(1)]


def through_set_comprehension():
    return {spin() for _ in range(1)}


def through_lambda():
    return (lambda: spin())()


def through_sort():
    return sorted([2], key=lambda x: spin())


def through_reduce():
    return functools.reduce(lambda a, b: spin(), [1, 2])


class Thing:
    def __init__(self):
        spin()

    def method(self):
        class Inner:
            @staticmethod
            def static():
                spin()
        return Inner.static()

    def __getattr__(self, name):
        return spin()


class Warm:
    """__init__ called often enough to be specialised."""

    def __init__(self, wait):
        if wait:
            spin()


def specialised():
    for _ in range(200):
        Warm(False)
    Warm(True)


def through_exec():
    exec(compile("def inner():\n\n    spin()\ninner()\n", "<made up>", "exec"), {"spin": spin})


async def deepest():
    spin()


async def middle():
    return await deepest()


def through_coroutine():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(middle())
    loop.close()


def recurse(n):
    return spin() if n == 0 else recurse(n - 1)


def deep():
    recurse(100)


def äußerst():
    spin()


def 漢字():
    äußerst()


def reused():
    """Code objects that come and go at the same addresses."""
    for i in range(3):
        scope = {"spin": spin}
        exec(compile("def made_%d():\n%s    spin()\n" % (i, "\n" * i), "<made %d>" % i, "exec"), scope)
        scope["made_%d" % i]()
        del scope


WAYS = [spin, through_generator, through_comprehension, through_set_comprehension, through_lambda, through_sort,
        through_reduce, Thing, lambda: Thing().method(), lambda: Thing().anything, specialised, through_exec,
        through_coroutine, deep, 漢字, reused]


def main():
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for way in WAYS:
        way()
    first = spin.__code__.co_firstlineno
    print(json.dumps({"spin": [first, first + 7], "stacks": stacks}), flush=True)
    sys.stdin.readline()


main()
