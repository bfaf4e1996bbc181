# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that stand still in known stacks, for readers from outside. Python 3.6 and later.

Prints one JSON line when all of them stand: {"pid", "threads": {ident: {"name", "tid", "frames": [[function, qualname,
file, line], …]}}}, frames leaf first and as sys._current_frames() gives them. Ends when stdin closes.
"""
import asyncio
import functools
import json
import os
import select
import socket
import sys
import threading
import time

FOREVER = 3600
ready = threading.Semaphore(0)
event = threading.Event()
lock = threading.Lock()
lock.acquire()


def park():
    ready.release()
    event.wait(FOREVER)


def recurse(n):
    return park() if n == 0 else recurse(n - 1)


def generate():
    yield park()


def through_generator():
    return list(generate())


def through_comprehension():
    return [park() for _ in range(1)]


def through_lambda():
    return (lambda: park())()


def through_sort():
    return sorted([2, 1], key=lambda x: park())


def through_reduce():
    return functools.reduce(lambda a, b: park(), [1, 2])


class Thing:
    def __init__(self):
        park()

    def method(self):
        class Inner:
            @staticmethod
            def static():
                park()
        return Inner.static()

    @property
    def value(self):
        return park()

    def __getattr__(self, name):
        return park()


class Warm:
    """__init__ that was called often enough to be specialised (3.13+ pushes a cleanup shim)."""

    def __init__(self, wait):
        if wait:
            park()


def specialised():
    for i in range(100):
        Warm(False)
    Warm(True)


def through_exec():
    exec(compile("def inner():\n\n    park()\ninner()\n", "<made up>", "exec"), {"park": park})


def grüße_öffnen():
    park()


def 漢字():
    return grüße_öffnen()


async def deepest():
    park()


async def middle():
    return await deepest()


def through_coroutine():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(middle())


def in_lock():
    ready.release()
    lock.acquire()


def in_sleep():
    ready.release()
    time.sleep(FOREVER)


def in_recv():
    a, b = socket.socketpair()
    ready.release()
    a.recv(1)


def in_pipe():
    r, w = os.pipe()
    ready.release()
    os.read(r, 1)


def in_select():
    ready.release()
    select.select([], [], [], FOREVER)


def deep():
    recurse(900)


STACKS = [park, through_generator, through_comprehension, through_lambda, through_sort, through_reduce, Thing,
          lambda: Thing().method(), lambda: Thing().anything, specialised, through_exec, 漢字, through_coroutine,
          in_lock, in_sleep, in_recv, in_pipe, in_select, deep]


def qualname(code):
    return getattr(code, "co_qualname", code.co_name)


def frames_of(frame):
    out = []
    while frame:
        code = frame.f_code
        out.append([code.co_name, qualname(code), code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return out


def main():
    sys.setrecursionlimit(5000)
    threading.stack_size(64 << 20)
    for i, stack in enumerate(STACKS):
        thread = threading.Thread(target=stack, name="parked-%d" % i)
        thread.daemon = True
        thread.start()
    for _ in STACKS:
        ready.acquire()
    time.sleep(0.3)  # from `ready` into the wait itself
    names = {t.ident: t for t in threading.enumerate()}
    frames = sys._current_frames()
    frames.pop(threading.get_ident())
    threads = {ident: {"name": names[ident].name, "tid": getattr(names[ident], "native_id", None),
                       "frames": frames_of(frame)} for ident, frame in frames.items()}
    print(json.dumps({"pid": os.getpid(), "threads": threads}), flush=True)
    sys.stdin.read()
    os._exit(0)


main()
