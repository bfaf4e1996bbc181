# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a process does cannot keep the daemon from answering: a thousand threads, a memory or a file that hangs."""
import contextlib
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import sys
import time

import pytest
from silent_fs import SilentFs

HOST = os.path.realpath("/usr/bin/python3")

# A thousand threads sleep in deep stacks, and some always run: the reader waits for their turns.
CROWD = """
import sys, threading
def deep(n):
    if n: return deep(n - 1)
    threading.Event().wait()
def busy():
    while True: sum(range(100))
sys.setrecursionlimit(2000)
threading.stack_size(1 << 20)
for target, args, n in ((deep, (100,), 1000), (busy, (), 20)):
    for _ in range(n): threading.Thread(target=target, args=args, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""
ANSWER_SECONDS = 0.05


class Connection(http.client.HTTPConnection):
    def __init__(self, daemon):
        super().__init__("x", timeout=60)
        self.path = daemon.socket

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def get(self, path):
        """(HTTP status, body, seconds)"""
        start = time.monotonic()
        self.request("GET", path)
        answer = self.getresponse()
        body = answer.read()
        return answer.status, body, time.monotonic() - start


def ask(daemon, stop, out):
    """Asks for the status until stop is set; writes how long each answer took."""
    os.nice(-10)
    connection, took = Connection(daemon), []
    while not took or not stop.is_set():
        status, _, seconds = connection.get("/v1/status")
        took.append(seconds if status == 200 else 1000.0)
        stop.wait(0.002)
    out.put(took)


@contextlib.contextmanager
def answers(daemon):
    """A list that gets how long each /v1/status took meanwhile, as a process of its own saw it. Both sides come before
    whatever else the machine does: it is no part of the answer."""
    Connection(daemon).get("/v1/status")  # it has begun: its socket is there before its first look at all processes ends
    os.setpriority(os.PRIO_PROCESS, daemon.pid, -10)
    stop, out, took = multiprocessing.Event(), multiprocessing.SimpleQueue(), []
    asking = multiprocessing.Process(target=ask, args=(daemon, stop, out), daemon=True)
    asking.start()
    try:
        yield took
    finally:
        stop.set()
    took.extend(out.get())
    asking.join(10)
    print("%d answers, the longest %s ms" % (len(took), ["%d: %.1f" % (took.index(t), 1000 * t) for t in sorted(took)[-5:]]))


def late(took):
    """A loaded machine may take the CPU from either side for a moment, not again and again."""
    return sorted(took)[-1 - len(took) // 50]


@pytest.mark.hz(99)
def test_status_answers_while_a_thousand_threads_are_read(daemon, spawn):
    target = spawn([sys.executable, "-c", CROWD])
    assert target.stdout.readline() == b"ready\n"
    time.sleep(0.5)
    with answers(daemon) as took:
        connection = Connection(daemon)
        dumps = [connection.get("/v1/processes/%d/stacks" % target.pid) for _ in range(3)]
        connection.close()
    _, body, seconds = dumps[-1]
    document = json.loads(body.decode())
    print("dumps took %s ms" % ["%.0f" % (1000 * s) for _, _, s in dumps])
    assert [status for status, _, _ in dumps] == [200] * 3
    assert sum(len(t["frames"]) > 100 for t in document["processes"][0]["threads"]) == 1000
    assert seconds > ANSWER_SECONDS and len(took) > 10
    assert late(took) < ANSWER_SECONDS


@pytest.fixture
def silent(daemon, tmp_path):
    """A file system that does not answer the daemon."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no /dev/fuse")
    fs = SilentFs(tmp_path, HOST, daemon.pid)
    yield fs
    fs.close()


def known(daemon, pid):
    return [p for p in daemon.json("ps")["processes"] if p["pid"] == pid]


def wait_known(daemon, pid, seconds):
    end = time.monotonic() + seconds
    while not known(daemon, pid):
        assert time.monotonic() < end, "process %d did not show" % pid
        time.sleep(0.1)


PARKED = "print('ready', flush=True)\ninput()"


@pytest.mark.hz(99)
def test_a_program_on_a_file_system_that_does_not_answer(daemon, spawn, silent, tmp_path_factory):
    """It holds up itself alone, and is profiled once the file system answers."""
    copy = shutil.copy(HOST, tmp_path_factory.mktemp("copy"))  # a file that the daemon has not seen
    with answers(daemon) as took:
        targets = [spawn([silent.path("program"), "-c", PARKED], env=dict(os.environ, PYTHONHOME="/usr")) for _ in range(5)]
        other = spawn([copy, "-c", PARKED])
        assert {target.stdout.readline() for target in targets + [other]} == {b"ready\n"}
        wait_known(daemon, other.pid, 10)
        time.sleep(4)
    assert late(took) < ANSWER_SECONDS
    status, body, seconds = Connection(daemon).get("/v1/processes/%d/stacks" % targets[0].pid)
    assert (status, json.loads(body.decode())["error"]["code"]) == (503, "busy"), body
    assert seconds < 4
    assert not any(known(daemon, target.pid) for target in targets)
    assert silent.kept()
    silent.resume()
    for target in targets:
        wait_known(daemon, target.pid, 20)
    assert known(daemon, targets[0].pid)[0]["cmdline"][2] == PARKED


# The function's name lies in a page of a file: what reads it waits for that file system.
MAPPED = """
import ctypes, os, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
name = "n" * 1000000
def busy():
    while True: sum(range(100))
names = {"co_name": name, "co_qualname": name} if sys.version_info >= (3, 11) else {"co_name": name}
busy.__code__ = busy.__code__.replace(**names)
kept = busy.__code__.co_name
page = id(kept) & ~4095
assert libc.mmap(page, 4096, 3, 0x12, os.open(sys.argv[1], os.O_RDONLY), 0) == page  # MAP_PRIVATE | MAP_FIXED
threading.Thread(target=busy, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.hz(999)
def test_memory_on_a_file_system_that_does_not_answer(daemon, spawn, silent):
    target = spawn([HOST, "-c", MAPPED, silent.path("page")])
    other = spawn([HOST, "-c", PARKED])
    assert target.stdout.readline() == other.stdout.readline() == b"ready\n"
    with answers(daemon) as took:
        time.sleep(0.5)
        connection = Connection(daemon)
        dumps = [connection.get("/v1/processes/%d/stacks" % t.pid) for t in (target, target, other)]
    assert silent.kept()
    assert late(took) < ANSWER_SECONDS
    assert [status for status, _, _ in dumps] == [503, 503, 200]
    assert all(seconds < 4 for _, _, seconds in dumps)
    silent.resume()
    time.sleep(0.5)
    assert Connection(daemon).get("/v1/processes/%d/stacks" % target.pid)[0] == 200
