# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where did the ticks go? Every one that was due is in exactly one counter of its CPU and of its process, at any moment
that anybody asks."""
import json
import os
import sys
import time

import pytest
from conftest import Daemon, stacks_of

KINDS = ("python", "native", "other", "kernel", "idle", "self")

BUSY = """
import sys
def deep(n):
    if n: return deep(n - 1)
    while True: pass
sys.setrecursionlimit(5000)
print("ready", flush=True)
deep(%d)
"""

# A thread of a Python process that has no Python frames: created by C alone.
NATIVE = """
import ctypes, mmap, time
libc = ctypes.CDLL(None)
handle = ctypes.c_ulong()
libc.pthread_create.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
# jmp -2: burns without ever touching the interpreter.
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\\xeb\\xfe")
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
assert libc.pthread_create(ctypes.byref(handle), None, address, None) == 0
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.fixture(params=[(99, False), (999, False), (99, True), (999, True)],
                ids=["99", "999", "99-tail", "999-tail"])
def any_daemon(request):
    hz, tail = request.param
    d = Daemon(hz=hz, env={"PYPROF_FORCE_TAIL": "1"} if tail else None).wait_ready()
    d.hz, d.tail = hz, tail
    yield d
    code = d.stop()
    print(d.log_text())
    assert code == 0


def start(spawn, code, *args):
    target = spawn([sys.executable, "-c", code, *args])
    assert target.stdout.readline() == b"ready\n"
    return target


def spent(cpu):
    return sum(cpu[kind] for kind in KINDS) + sum(cpu["lost"].values())


def wrong_cpus(document):
    return [(cpu, spent(cpu)) for cpu in document["cpus"] if spent(cpu) != cpu["due"]]


def wrong_processes(document):
    return [p for p in document["per_process"] if p["events"] != p["samples"] + p["native"] + sum(p["lost"].values())]


def test_every_tick_is_in_one_counter(any_daemon, spawn):
    d = any_daemon
    start(spawn, BUSY % 3)
    native = start(spawn, NATIVE)
    spawn(["sh", "-c", "while :; do :; done"])
    moments = []
    for _ in range(8):
        time.sleep(0.3)
        before = time.monotonic()
        document = d.json("status")
        moments.append((before, time.monotonic(), document))
        assert not wrong_cpus(document)
        assert not wrong_processes(document)
    features = d.json("version")["features"]
    assert (features["tail_calls"], features["bpf_loop"]) == (d.tail, not d.tail), features
    last = moments[-1][2]
    for kind in ("python", "other", "native"):
        assert sum(cpu[kind] for cpu in last["cpus"]) > 0, kind
    one = next(p for p in last["per_process"] if p["pid"] == native.pid)
    assert one["native"] > 10
    check_due(d, moments)


def check_due(d, moments):
    """due is rate × time: between two answers no less than the shortest time that can lie between them, nor more."""
    (before_0, after_0, first), (before_1, after_1, last) = moments[0], moments[-1]
    assert len(first["cpus"]) == os.cpu_count()
    for old, new in zip(first["cpus"], last["cpus"]):
        due = new["due"] - old["due"]
        assert (before_1 - after_0) * d.hz - 2 <= due <= (after_1 - before_0) * d.hz + 2, (old["cpu"], due)
    assert last["events"] == sum(cpu["due"] for cpu in last["cpus"])


def test_counters_never_fall(any_daemon, spawn):
    start(spawn, BUSY % 3)
    old = any_daemon.json("status")
    for _ in range(15):
        time.sleep(0.05)
        new = any_daemon.json("status")
        for a, b in zip(old["cpus"], new["cpus"]):
            assert a["cpu"] == b["cpu"]
            for name in KINDS + ("due",):
                assert b[name] >= a[name], (name, a, b)
        old = new


@pytest.mark.hz(9999)
def test_sum_holds_amid_a_tick(daemon, spawn):
    """A walk of 1,000 frames takes a good part of a period: many answers are given while one is under way."""
    for _ in range(os.cpu_count()):
        start(spawn, BUSY % 950)
    wrong = []
    for _ in range(60):
        document = daemon.json("status")
        wrong += wrong_cpus(document) + wrong_processes(document)
    assert not wrong, (len(wrong), wrong[:2])


def check_recording(document):
    """events = samples + lost, and what is in the stacks is what was counted."""
    assert document["events"] == document["samples"] + sum(document["lost"].values()), document["lost"]
    whole = cut = nameless = 0
    for _, samples, frames, stack in stacks_of(document):
        if stack["truncated"]:
            cut += samples
        elif any(f["function"] == "[unknown]" for f in frames):
            nameless += samples
        else:
            whole += samples
    assert nameless == document["lost"].get("stale", 0)
    # Each record is there; a cut and a whole one may change places at the edges.
    kept = [document["lost"].get(reason, 0) for reason in ("truncated-by-limit", "unreadable")]
    assert whole + cut >= document["samples"] and cut <= sum(kept) + 2
    return whole - document["samples"]


@pytest.mark.hz(999)
@pytest.mark.parametrize("hz", [999, 2000, 9999])
def test_recordings_add_up(daemon, spawn, hz):
    """To the event, while the processes run on: of whole stacks, of cut ones, of both at once."""
    targets = [start(spawn, BUSY % depth) for depth in (3, 40, 1500)]
    chosen = [["-p", targets[0].pid], ["-p", targets[1].pid], ["-p", targets[2].pid],
              [word for t in targets for word in ("-p", t.pid)]]
    total = 0
    for selector in chosen * 3:
        document = daemon.record(*selector, "-r", hz, seconds=0.15, check=False)
        total += document["events"]
        if len(selector) == 2:
            assert check_recording(document) == 0
        else:
            assert abs(check_recording(document)) <= 2
    assert check_recording(daemon.record("-p", targets[0].pid, seconds=0.15, check=False)) == 0
    assert total > 200


def test_a_whole_life_is_recorded(daemon):
    """From the first instruction to the last: what the recording holds is what the kernel counted of the process."""
    for loops in (1, 10 ** 5, 10 ** 6, 3 * 10 ** 6):
        run = daemon.ctl("record", "-f", "json", "-o", "-", "--", sys.executable, "-c",
                         "import json, decimal\nfor _ in range(%d): pass" % loops, check=False)
        document = json.loads(run.stdout.decode())
        check_recording(document)
        process, = document["processes"]
        native = sum(s["samples"] for s in document["stacks"] if not s["frames"])
        assert document["samples"] == process["samples"] + native, (document["lost"], native)


def test_process_of_the_status_is_its_share(daemon, spawn):
    """A process's events are the CPU time that the kernel says it used, in ticks, within 4 sigma and what was skipped."""
    target = start(spawn, BUSY % 3)

    def cpu_seconds():
        with open("/proc/%d/stat" % target.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def events():
        return next(p["events"] for p in daemon.json("status")["per_process"] if p["pid"] == target.pid)
    skipped = sum(c["lost"].get("skipped", 0) for c in daemon.json("status")["cpus"])
    seconds, count = cpu_seconds(), events()
    time.sleep(3)
    count, seconds = events() - count, cpu_seconds() - seconds
    skipped = sum(c["lost"].get("skipped", 0) for c in daemon.json("status")["cpus"]) - skipped
    want = seconds * 999
    bound = 4 * want ** 0.5 + 0.04 * 999 + 5
    assert count > 500
    assert want - skipped - bound <= count <= want + bound, (count, want, skipped)
