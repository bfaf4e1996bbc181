# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Parks threads in known stacks and tells them as the interpreter itself sees them.

Prints one line of JSON: {"threads": [{ident, tid, name, state, cause, frames: [[function, file, line]...]}]}, leaf
first, then waits for the end of stdin. Runs on 3.6 and later. The first thread is the main thread, whose
leaf is park(), entered after the line was printed.
"""
import asyncio
import ctypes
import dis
import functools
import json
import os
import socket
import sys
import threading
import time

forever = threading.Event()
lock = threading.Lock()
lock.acquire()
near, far = socket.socketpair()
pipe_read, pipe_write = os.pipe()
tids = {}  # ident: thread id
keep = []


def tid():
    if hasattr(threading, "get_native_id"):  # 3.8+
        return threading.get_native_id()
    return ctypes.CDLL(None).syscall(186)  # gettid


def by_event():
    forever.wait()


def by_lock():
    lock.acquire()


def by_sleep():
    time.sleep(10000)


def by_socket():
    near.recv(1)


def by_pipe():
    os.read(pipe_read, 1)


def inner_generator():
    yield 1
    forever.wait()
    yield 2


def outer_generator():
    yield from inner_generator()


def by_generator():
    for _ in outer_generator():
        pass


def deep(n):
    if n:
        return deep(n - 1)
    return forever.wait()


def by_recursion():
    deep(1000)


def by_comprehension():
    return [forever.wait() for _ in range(2)]


def by_nested_comprehension():
    return {k: [forever.wait() for _ in (v,)] for k, v in {1: 2}.items()}


class Outer(object):
    class Inner(object):
        def method(self):
            return self.static()

        @staticmethod
        def static():
            return Outer.Inner.by_class()

        @classmethod
        def by_class(cls):
            return cls().prop

        @property
        def prop(self):
            forever.wait()


def by_method():
    Outer.Inner().method()


class Made(object):
    def __init__(self, wait):
        self.wait = wait
        if wait:
            forever.wait()


def make(wait):
    return Made(wait)


def by_constructor():
    for _ in range(1000):  # long enough for the specialised call of 3.12+
        make(False)
    make(True)


async def coroutine_leaf():
    forever.wait()


async def coroutine():
    await coroutine_leaf()


def by_coroutine():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(coroutine())


def key(value):
    forever.wait()
    return value


def by_callback():
    sorted([3, 1, 2], key=key)


def by_partial():
    functools.partial(list, map(lambda x: forever.wait(), [1]))()


def by_poll():
    loop = asyncio.new_event_loop()
    loop.run_forever()


def by_child():
    child = os.fork()
    if not child:
        os.close(pipe_write)
        os.read(pipe_read, 1)  # until the parent's end is gone
        os._exit(0)
    keep.append(child)
    os.waitpid(child, 0)


def decorated(fn):
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)
    return wrapper


@decorated
def by_decorator():
    try:
        raise ValueError("x")
    except ValueError:
        with lock:
            pass


def by_locals(number=-(1 << 70), text=u"a'b\n\u65e5", blob=b"\x00\xffz", ratio=0.1, **more):
    yes, no, nothing, small, zero = True, False, None, 7, 0
    items, pair, table, empty = list(range(12)), (1, (2, (3, (4,)))), {"k": [1], 2: {}}, []
    infinite, long_text, maker, cell = float("inf"), "x" * 300, Made, [1]

    def inner():
        forever.wait()
        return cell, number
    unbound = 1
    del unbound
    inner()


# What this source's own names do not show: characters of Latin-1, of two and of four bytes, and control characters.
UNUSUAL = (u"def gr\xf6\xdfe():\n    return \u65e5\u672c()\ndef \u65e5\u672c():\n    return \U0001d4cd()\n"
           u"def \U0001d4cd():\n    forever.wait()\n")
exec(compile(UNUSUAL, u"/tmp/\xfcn\xfcsual \u202e \u65e5\u672c \U0001d4cd \n\x1b[31m.py", "exec"), globals())

WAITS = [
    (by_event, u"event", "lock"), (by_lock, u"lock", "lock"), (by_sleep, u"sleep", "sleep"),
    (by_socket, u"socket", "network"), (by_pipe, u"pipe", "pipe"), (by_generator, u"generator", "lock"),
    (by_recursion, u"recursion", "lock"), (by_comprehension, u"comprehension", "lock"),
    (by_nested_comprehension, u"nested", "lock"), (by_method, u"method", "lock"),
    (by_constructor, u"constructor", "lock"), (by_coroutine, u"coroutine", "lock"),
    (by_callback, u"callback", "lock"), (by_partial, u"partial", "lock"), (by_poll, u"poll", "poll"),
    (by_child, u"child", "child"), (by_decorator, u"decorator", "lock"),
    (by_locals, u"locals", "lock"),
    (globals()[u"gr\xf6\xdfe"], u"gr\xf6\xdfe \u65e5\u672c \U0001d4cd \x1b[31m", "lock"),
]


def run(fn):
    tids[threading.current_thread().ident] = tid()
    fn()


def frames_of(frame):
    """As the reader names them: qualified where the version can."""
    frames = []
    while frame:
        code = frame.f_code
        frames.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return frames


def snapshot():
    return {ident: frames_of(frame) for ident, frame in sys._current_frames().items()
            if ident != threading.current_thread().ident}


def settled():
    """The stacks, once none changes any more."""
    before = None
    while True:
        time.sleep(0.2)
        now = snapshot()
        if now == before and len(now) == len(WAITS):
            return now
        before = now


def park():
    sys.stdin.read()


def main():
    sys.setrecursionlimit(3000)
    tids[threading.current_thread().ident] = tid()
    causes = {}
    for fn, name, cause in WAITS:
        thread = threading.Thread(target=run, args=(fn,), name=name)
        thread.daemon = True
        thread.start()
        causes[thread.ident] = (name, cause)
    told = [{"ident": ident, "tid": tids[ident], "name": causes[ident][0], "cause": causes[ident][1], "frames": stack}
            for ident, stack in settled().items()]
    me = threading.current_thread()
    here = frames_of(sys._getframe())
    here[0][2] = max(line for _, line in dis.findlinestarts(main.__code__) if line)  # park() below
    told.insert(0, {"ident": me.ident, "tid": tids[me.ident], "name": me.name, "cause": "pipe",
                    "frames": [["park", park.__code__.co_filename, park.__code__.co_firstlineno + 1]] + here})
    print(json.dumps({"version": list(sys.version_info[:3]), "threads": told}), flush=True)
    park()


if __name__ == "__main__":
    main()
