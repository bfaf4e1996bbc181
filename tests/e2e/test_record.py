# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`pyprofctl record` against the real daemon: what it writes, when it ends, whom it samples, and under whom functions
appear that native code called."""
import json
import os
import re
import shutil
import signal
import subprocess
import textwrap
import time

import pytest
from conftest import PYPROFCTL, stacks_of
from interpreters import one_per_minor

HOST = "/usr/bin/python3"
CALLS = """
import sys
def inner():
    while True:
        for _ in range(100): pass
def outer():
    inner()
"""
BUSY = CALLS + "print('ready', flush=True)\nouter()\n"


def start(spawn, code, *args, **kwargs):
    target = spawn([HOST, "-c", textwrap.dedent(code), *map(str, args)], **kwargs)
    assert target.stdout.readline() == b"ready\n"
    return target


def begin(daemon, *args, **kwargs):
    """A record that runs."""
    kwargs.setdefault("stdout", subprocess.PIPE)
    process = subprocess.Popen([PYPROFCTL, "record", "--socket", daemon.socket, *map(str, args)],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **kwargs)
    time.sleep(0.4)
    return process


def folded_of(text):
    """[([frame, …], samples)]"""
    lines = [re.fullmatch(r"(.+) (\d+)", line) for line in text.splitlines()]
    assert lines and all(lines), text[:200]
    return [(line.group(1).split(";"), int(line.group(2))) for line in lines]


def speedscope_check(document):
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = document["shared"]["frames"]
    assert document["profiles"]
    for profile in document["profiles"]:
        assert profile["type"] == "sampled" and len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= i < len(frames) for stack in profile["samples"] for i in stack)
        assert sum(profile["weights"]) == pytest.approx(profile["endValue"] - profile["startValue"])
    return frames


def test_formats_by_suffix(daemon, spawn, tmp_path):
    target = start(spawn, BUSY)
    for name in ("a.folded", "a.txt", "a.speedscope.json", "a.json"):
        path = tmp_path / name
        run = daemon.ctl("record", "-p", target.pid, "-d", 0.5, "-o", path)
        assert run.stdout == b"" and str(path).encode() in run.stderr, run.stderr
        text = path.read_text()
        if name == "a.json":
            document = json.loads(text)
            assert document["schema"] == "pyprof/1" and document["unit"] == "ns" and document["hz"] == 999
            assert document["samples"] == sum(s["samples"] for s in document["stacks"]) > 100
            assert sum(s["weight"] for s in document["stacks"]) == document["samples"] * (10 ** 9 // 999)
        elif name == "a.speedscope.json":
            assert {"inner", "outer"} <= {f["name"] for f in speedscope_check(json.loads(text))}
        else:
            stacks = folded_of(text)
            assert sum(n for _, n in stacks) > 100
            for frames, _ in stacks:
                assert [f.split()[0] for f in frames] in (["<module>", "outer", "inner"], ["<module>", "outer"])
                assert all(re.search(r"\(<string>:\d+\)$", f) for f in frames)


def test_format_option_beats_suffix(daemon, spawn, tmp_path):
    target = start(spawn, BUSY)
    path = tmp_path / "a.json"
    daemon.ctl("record", "-p", target.pid, "-d", 0.3, "-f", "folded", "-o", path)
    assert folded_of(path.read_text())


def test_standard_output(daemon, spawn):
    target = start(spawn, BUSY)
    run = daemon.ctl("record", "-p", target.pid, "-d", 0.3, "-o", "-")
    assert folded_of(run.stdout.decode())
    run = daemon.ctl("record", "-p", target.pid, "-d", 0.3, "-f", "speedscope", "-o", "-")
    speedscope_check(json.loads(run.stdout.decode()))


def test_made_up_name(daemon, spawn, tmp_path):
    """Without -o a file is named and the name said."""
    target = start(spawn, BUSY)
    run = daemon.ctl("record", "-p", target.pid, "-d", 0.3, cwd=str(tmp_path))
    made = os.listdir(str(tmp_path))
    assert len(made) == 1 and made[0] in run.stderr.decode(), (made, run.stderr)
    assert (tmp_path / made[0]).stat().st_size > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_interrupt_leaves_a_whole_file(daemon, spawn, tmp_path, number):
    target = start(spawn, BUSY)
    path = tmp_path / "a.json"
    record = begin(daemon, "-p", target.pid, "-o", path)
    time.sleep(0.6)
    record.send_signal(number)
    assert record.wait(20) == 0, record.stderr.read()
    assert json.loads(path.read_text())["samples"] > 100
    assert target.poll() is None
    assert os.listdir(str(tmp_path)) == ["a.json"]


def test_ends_with_the_target(daemon, spawn, tmp_path):
    target = start(spawn, BUSY)
    path = tmp_path / "a.json"
    record = begin(daemon, "-p", target.pid, "-o", path)
    time.sleep(0.6)
    target.kill()
    target.wait()
    ended = time.monotonic()
    assert record.wait(20) == 0, record.stderr.read()
    assert time.monotonic() - ended < 2
    document = json.loads(path.read_text())
    assert document["samples"] > 100
    assert document["processes"][0]["pid"] == target.pid and document["processes"][0]["ended_time_ns"]


def test_duration(daemon, spawn):
    target = start(spawn, BUSY)
    before = time.monotonic()
    document = daemon.record("-p", target.pid, seconds=1)
    assert 1 <= time.monotonic() - before < 2.5
    assert 0.95 <= document["seconds"] < 1.5


COMMAND = CALLS.replace("while True:", "for _ in range(int(sys.argv[2])):") + "outer()\nsys.exit(int(sys.argv[1]))\n"


@pytest.mark.parametrize("status", [0, 7])
def test_command(daemon, tmp_path, status):
    """Its exit status and its output are the command's; it is sampled from its first line."""
    path = tmp_path / "a.json"
    run = daemon.ctl("record", "-o", path, "--", HOST, "-c", "print('out', flush=True)\n" + COMMAND, status, 150000,
                     check=False)
    assert run.returncode == status, run.stderr
    assert run.stdout == b"out\n"
    document = json.loads(path.read_text())
    names = {f["function"] for _, _, frames, _ in stacks_of(document) for f in frames}
    assert {"inner", "outer"} <= names
    assert document["samples"] > 50


def test_command_killed(daemon, tmp_path):
    run = daemon.ctl("record", "-o", tmp_path / "a.json", "--", HOST, "-c",
                     "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", check=False)
    assert run.returncode == 128 + signal.SIGKILL
    run = daemon.ctl("record", "-o", tmp_path / "b.json", "--", "no-such-command-here", check=False)
    assert run.returncode == 127 and len(run.stderr.splitlines()) == 1


def test_command_as_the_caller(daemon, tmp_path):
    code = "import os; print(os.getuid(), os.getcwd(), os.environ['MARK'])"
    run = daemon.ctl("record", "-o", tmp_path / "a.json", "--", HOST, "-c", code, cwd=str(tmp_path),
                     env=dict(os.environ, MARK="here"))
    assert run.stdout.decode().split() == [str(os.getuid()), str(tmp_path), "here"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1], ids=["int", "term", "usr1"])
def test_command_gets_the_signals(daemon, tmp_path, number):
    """A signal for `record` is the command's to answer; the file is written when it ended."""
    code = CALLS.replace("import sys", "import os, signal, sys") + textwrap.dedent("""
        signal.signal(%d, lambda *_: os._exit(33))
        print("ready", flush=True)
        outer()
        """ % number)
    path = tmp_path / "a.json"
    record = begin(daemon, "-o", path, "--", HOST, "-c", code)
    assert record.stdout.readline() == b"ready\n"
    time.sleep(0.5)
    record.send_signal(number)
    assert record.wait(20) == 33, record.stderr.read()
    assert json.loads(path.read_text())["samples"] > 50


@pytest.mark.hz(99)
def test_rate_is_the_asked_process_alone(daemon, spawn):
    """Twice the rate gives twice the samples, of the same time; a process beside it stays at the daemon's rate."""
    target, other = start(spawn, BUSY), start(spawn, BUSY)
    ratio, seconds = [], 3
    for pid in (target.pid, other.pid):  # a CPU each
        os.sched_setaffinity(pid, [pid % os.cpu_count()])

    def others():
        return next(p["events"] for p in daemon.json("status")["per_process"] if p["pid"] == other.pid)

    def cpu_seconds(pid):
        with open("/proc/%d/schedstat" % pid) as f:
            return int(f.read().split()[0]) / 1e9
    before, cpu_before = others(), cpu_seconds(other.pid)
    for hz in (1000, 2000):
        cpu = cpu_seconds(target.pid)
        document = daemon.record("-p", target.pid, "-r", hz, seconds=seconds)
        cpu = cpu_seconds(target.pid) - cpu
        assert document["hz"] == hz
        assert {s["pid"] for s in document["stacks"]} == {target.pid}
        # Per second of CPU that the target got in that time, begin and end of the recording aside.
        ratio.append((document["samples"] / cpu, document["samples"], cpu))
        assert abs(document["samples"] - hz * cpu) < 4 * (hz * cpu) ** 0.5 + 0.06 * hz * cpu, ratio
    beside, cpu_beside = others() - before, cpu_seconds(other.pid) - cpu_before
    sigma = 2 * (1 / ratio[0][1] + 1 / ratio[1][1]) ** 0.5
    assert abs(ratio[1][0] / ratio[0][0] - 2) < 4 * sigma, ratio
    assert abs(beside - 99 * cpu_beside) < 4 * (99 * cpu_beside) ** 0.5 + 5, (beside, cpu_beside)
    assert daemon.json("status")["hz"] == 99


def test_rate_below_the_daemons(daemon, spawn):
    """What the samples say they stand for is true at every rate."""
    target = start(spawn, BUSY)
    document = daemon.record("-p", target.pid, "-r", 100, seconds=1)
    weights = {s["weight"] // s["samples"] for s in document["stacks"]}
    assert weights == {10 ** 9 // document["hz"]}, (weights, document["hz"])


@pytest.mark.parametrize("python", [one_per_minor()[0], one_per_minor()[-1]], ids=str)
def test_gil(daemon, spawn, python):
    """--gil leaves those that hold it: the busy thread, not the one that hashes."""
    target = spawn(python.argv + ["-c", textwrap.dedent("""
        import os, threading, zlib
        data = os.urandom(1 << 22)
        def hashing():
            while True: zlib.crc32(data)
        def holding():
            while True: pass
        for f in (hashing, holding): threading.Thread(target=f).start()
        print("ready", flush=True)
        """)])
    assert target.stdout.readline() == b"ready\n"
    run = daemon.ctl("record", "-p", target.pid, "-d", 1.5, "-f", "folded", "-o", "-")
    every = leaf_samples(run)
    held = leaf_samples(daemon.ctl("record", "-p", target.pid, "-d", 1.5, "--gil", "-f", "folded", "-o", "-"))
    assert every["hashing"] > 50 and every["holding"] > 50, every
    assert held["holding"] > 50
    assert held.get("hashing", 0) <= 0.1 * every["hashing"], (held, every)


def leaf_samples(run):
    out = {}
    for frames, n in folded_of(run.stdout.decode()):
        name = frames[-1].split()[0]
        out[name] = out.get(name, 0) + n
    return out


THREADS = """
import threading
def one():
    while True: pass
def two():
    while True: pass
threading.Thread(target=one, name="first worker").start()
threading.Thread(target=two, name="zweiter Ärger").start()
print("ready", flush=True)
"""


def test_threads(daemon, spawn):
    """-t: the thread, by Python's name for it, is the root; in speedscope each is a profile."""
    target = start(spawn, THREADS)
    stacks = folded_of(daemon.ctl("record", "-p", target.pid, "-d", 1, "-t", "-f", "folded", "-o", "-").stdout.decode())
    roots = {}
    for frames, _ in stacks:
        match = re.fullmatch(r'thread (\d+) "(.*)"', frames[0])
        assert match, frames
        roots.setdefault(match.group(2), set()).update(f.split()[0] for f in frames[1:])
    assert "one" in roots["first worker"] and "two" not in roots["first worker"], roots
    assert "two" in roots["zweiter Ärger"], roots
    document = json.loads(daemon.ctl("record", "-p", target.pid, "-d", 1, "-t", "-f", "speedscope", "-o",
                                     "-").stdout.decode())
    speedscope_check(document)
    names = [p["name"] for p in document["profiles"]]
    assert len(names) >= 2 and any("first worker" in n for n in names) and any("zweiter" in n for n in names), names


def test_subprocesses(daemon, spawn):
    """-s: children that live and children that come, but no strangers."""
    code = CALLS.replace("import sys", "import os, sys") + textwrap.dedent("""
        import time
        def child():
            if os.fork() == 0: outer()
        child()
        print("ready", flush=True)
        sys.stdin.readline()
        child()
        time.sleep(1000)
        """)
    target = start(spawn, code)
    stranger = start(spawn, BUSY)
    record = begin(daemon, "-p", target.pid, "-s", "-f", "json", "-o", "-", "-d", 2.5)
    target.stdin.write(b"\n")
    target.stdin.flush()
    document = json.loads(record.communicate(timeout=20)[0].decode())
    with open("/proc/%d/task/%d/children" % (target.pid, target.pid)) as f:
        children = {int(p) for p in f.read().split()}
    try:
        sampled = {s["pid"] for s in document["stacks"]}
        assert len(children) == 2 and children <= sampled, (children, sampled)
        assert stranger.pid not in sampled
        alone = daemon.record("-p", target.pid, seconds=0.4)
        assert not {s["pid"] for s in alone["stacks"]} & children
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


LINES = """
def leaf(n):
    while n:
        n -= 1
        n += 0
def caller():
    leaf(100000)
    leaf(100000)
print("ready", flush=True)
while True: caller()
"""


def test_function_and_nolineno(daemon, spawn):
    target = start(spawn, LINES)

    def record(*more):
        run = daemon.ctl("record", "-p", target.pid, "-d", 0.7, "-f", "folded", "-o", "-", *more)
        return folded_of(run.stdout.decode())
    plain = record()
    assert len({frames[-1] for frames, _ in plain if frames[-1].startswith("leaf")}) >= 2  # lines apart
    for option in ("--function", "--nolineno"):
        stacks = record(option)
        assert len(stacks) == len({";".join(frames) for frames, _ in stacks})
        assert not any(re.search(r":\d+\)$", f) for frames, _ in stacks for f in frames)
        assert len([1 for frames, _ in stacks if frames[-1].startswith("leaf ")]) == 1, stacks


CALLBACK = r"""
#include <pthread.h>
static void (*wanted)(void);
static void *thread(void *unused) { (void)unused; for (;;) wanted(); return 0; }
int begin(void (*callback)(void)) { pthread_t t; wanted = callback; return pthread_create(&t, 0, thread, 0); }
"""


def test_native_thread_pool(daemon, spawn, tmp_path):
    """A thread that C made calls back into Python: its functions are there, its own stack, no caller of another."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    (tmp_path / "pool.c").write_text(CALLBACK)
    library = tmp_path / "pool.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-pthread", "-o", str(library), str(tmp_path / "pool.c")], check=True)
    target = start(spawn, """
        import ctypes, sys, time
        def deeper():
            for _ in range(20000): pass
        def called_back(): deeper()
        pool = ctypes.CDLL(sys.argv[1])
        callback = ctypes.CFUNCTYPE(None)(called_back)
        def main():
            assert pool.begin(callback) == 0
            print("ready", flush=True)
            time.sleep(1000)
        main()
        """, library)
    document = daemon.record("-p", target.pid, seconds=1)
    found = 0
    for _, samples, frames, stack in stacks_of(document, target.pid):
        names = [f["function"] for f in frames]
        if not names:
            continue
        assert not stack["truncated"]
        if names[0] == "<module>":  # the main thread, on its way to sleep
            continue
        assert stack["tid"] != target.pid
        assert names in (["called_back", "deeper"], ["called_back"]), names
        found += samples if names[-1] == "deeper" else 0
    told = [(s["samples"], s["leaf"] if "leaf" in s else s["gil"], [f["function"] for f in frames]) for _, _, frames, s in stacks_of(document)]
    assert found > 100, (told, document["samples"], daemon.json("status")["per_process"])


def test_callers_of_what_suspends(daemon, spawn):
    """A generator in a comprehension, awaited by a coroutine, in asyncio: one stack, callers above callees."""
    target = start(spawn, """
        import asyncio
        def work():
            for _ in range(1000): pass
            return 1
        def generate():
            while True: yield work()
        def consume(): return [x for x, _ in zip(generate(), range(1000))]
        async def inner(): return consume()
        async def outer():
            print("ready", flush=True)
            while True: await inner()
        asyncio.run(outer())
        """)
    document = daemon.record("-p", target.pid, seconds=1)
    total = right = 0
    for _, samples, frames, _ in stacks_of(document, target.pid):
        names = [f["function"] for f in frames]
        if names[-1:] != ["work"]:
            continue
        total += samples
        tail = [n for n in names if n in ("outer", "inner", "consume", "generate", "work")]
        assert tail == ["outer", "inner", "consume", "generate", "work"], names
        assert names[0] == "<module>" and "run" in " ".join(names)
        right += samples
    assert right == total > 100
