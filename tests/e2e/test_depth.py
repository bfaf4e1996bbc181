# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Deep stacks are whole up to 1,024 frames, deeper ones marked and counted; each of fifty threads has its name."""
import textwrap

import pytest
from conftest import stacks_of
from interpreters import interpreters

DEEP = textwrap.dedent("""
    import sys, threading
    sys.setrecursionlimit(10000)
    threading.stack_size(512 << 20)
    def spin():
        print("ready", flush=True)
        x = 0
        while True: x += 1
    def recurse(n):
        if n: recurse(n - 1)
        else: spin()
    def first(): recurse(int(sys.argv[1]) - 3)
    t = threading.Thread(target=first)
    t.daemon = True
    t.start()
    t.join()
    """)

NAMED = textwrap.dedent("""
    import sys, threading, time
    def work(n):
        x = 0
        while True:
            for _ in range(2000): x += 1
            time.sleep(0.002)
    for n in range(50):
        t = threading.Thread(target=work, args=(n,), name="wörker-%d" % n)
        t.daemon = True
        t.start()
    print("ready", flush=True)
    sys.stdin.read()
    """)

DEPTH_BUILDS = [p for p in interpreters() if p.name.startswith(("pyenv-3.8", "pyenv-3.11", "pyenv-3.13", "sid-3.15-jit",
                                                                "sid-3.14", "host", "free-threaded"))]


def deep_stacks(daemon, spawn, python, depth, check=True):
    target = spawn(python.argv + ["-c", DEEP, str(depth)])
    assert target.stdout.readline() == b"ready\n"
    document = daemon.record("-p", target.pid, seconds=1.0, check=check)
    stacks = [(n, frames, s) for _, n, frames, s in stacks_of(document, target.pid)
              if frames and frames[-1]["function"] == "spin"]
    assert sum(n for n, _, _ in stacks) > 100
    return target, document, stacks


@pytest.mark.parametrize("python", DEPTH_BUILDS, ids=str)
def test_a_thousand_frames_are_whole(daemon, spawn, python):
    _, _, stacks = deep_stacks(daemon, spawn, python, 1000)
    for _, frames, stack in stacks:
        names = [f["function"] for f in frames]
        assert not stack["truncated"]
        assert names.count("recurse") == 998 and "first" in names
        assert names[-2:] == ["recurse", "spin"]


@pytest.mark.parametrize("python", DEPTH_BUILDS[:3], ids=str)
def test_deeper_is_marked_and_counted(daemon, spawn, python):
    # Over 5 % of incomplete stacks: the file is whole, and `record` says so with exit code 2.
    _, document, stacks = deep_stacks(daemon, spawn, python, 3000, check=False)
    for _, frames, stack in stacks:
        assert stack["truncated"] and len(frames) == 1024
        assert frames[-1]["function"] == "spin"
    # The kernel's counters and the samples are read some milliseconds apart at both ends.
    assert document["lost"]["truncated-by-limit"] >= sum(n for n, _, _ in stacks) - 0.02 * document["hz"]
    assert daemon.json("status")["lost"]["truncated-by-limit"] > 0


def test_fifty_threads_by_name(daemon, spawn):
    python = next(p for p in interpreters() if p.name.startswith("host"))
    target = spawn(python.argv + ["-c", NAMED])
    assert target.stdout.readline() == b"ready\n"
    document = daemon.record("-p", target.pid, seconds=4)
    wanted = {"wörker-%d" % n for n in range(50)}
    assert wanted <= {s["thread"] for s in document["stacks"]}
    dump = daemon.json("dump", "-p", target.pid)["processes"][0]
    assert wanted <= {t["python_name"] for t in dump["threads"]}
    assert "MainThread" in {t["python_name"] for t in dump["threads"]}
