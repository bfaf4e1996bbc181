# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every reason for which a tick gives no complete stack is provoked, and its counter seen to rise, under that name and
where users look for it; without the cause it stands still."""
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from conftest import PYPROFCTL, ROOT, Daemon, stacks_of
from interpreters import interpreters

INTERPRETERS = interpreters(unsupported=True)
TAILS = pytest.mark.parametrize("env", [{}, {"PYPROF_FORCE_TAIL": "1"}], ids=["loop", "tail"])


def limit(name):
    with open(os.path.join(ROOT, "bpf", "config.h")) as f:
        return int(re.search(r"#define %s\s+(?:\\\s+)?(\d+)" % name, f.read()).group(1))


def newest(minor, kinds=("debian", "pyenv")):
    found = [p for p in INTERPRETERS if p.minor == minor and p.kind in kinds and not p.jit]
    if not found:
        pytest.skip("no CPython %d.%d found" % minor)
    return found[-1]


def start(spawn, code, *args, python=None, **kwargs):
    target = spawn((python or [sys.executable]) + ["-c", textwrap.dedent(code), *map(str, args)], **kwargs)
    assert target.stdout.readline() == b"ready\n"
    return target


def lost_of(daemon, pid, reason):
    for p in daemon.json("status")["per_process"]:
        if p["pid"] == pid:
            return p["lost"].get(reason, 0)
    return 0


def lost_on_cpus(daemon, reason):
    return sum(c["lost"].get(reason, 0) for c in daemon.json("status")["cpus"])


@pytest.fixture
def daemon_with():
    """daemon_with(hz=…, env=…): as the fixture `daemon`."""
    made = []

    def make(**kwargs):
        made.append(Daemon(**kwargs).wait_ready())
        return made[-1]
    yield make
    for d in made:
        code = d.stop()
        print(d.log_text())
        assert code == 0


def test_every_reason_has_a_test():
    """A reason that none of these tests provokes does not belong in the table."""
    with open(os.path.join(ROOT, "bpf", "config.h")) as f:
        reasons = set(re.findall(r'X\(\d+, [A-Z_]+, "([a-z-]+)"', f.read())) - {"none"}
    assert len(reasons) >= 9
    tests = {name for name in globals() if name.startswith("test_")}
    assert {"test_" + reason.replace("-", "_") for reason in reasons} <= tests


DEEP = """
import sys, threading
def deep(n):
    if n: return deep(n - 1)
    while True: pass
def run():
    print("ready", flush=True)
    deep(int(sys.argv[1]))
sys.setrecursionlimit(10000)
threading.stack_size(256 << 20)
t = threading.Thread(target=run)
t.start()
"""


@TAILS
def test_truncated_by_limit(daemon_with, spawn, env):
    """1,500 deep: the leaf-most frames are kept up to the limit, said to be cut, and counted; 900 deep are whole."""
    d = daemon_with(hz=499, env=env)
    whole = start(spawn, DEEP, 900)
    cut = start(spawn, DEEP, 1500)
    document = d.record("-p", cut.pid, "-p", whole.pid, seconds=1.5, check=False)
    deep = [(samples, frames, stack) for _, samples, frames, stack in stacks_of(document, cut.pid)
            if frames and frames[-1]["function"] == "deep"]
    assert sum(samples for samples, _, _ in deep) > 50
    for _, frames, stack in deep:
        assert stack["truncated"] and len(frames) == limit("FRAMES_MAX")
        assert {f["function"] for f in frames} == {"deep"}
    assert document["lost"]["truncated-by-limit"] >= sum(s[0] for s in deep)
    assert lost_of(d, cut.pid, "truncated-by-limit") > 50
    assert lost_of(d, whole.pid, "truncated-by-limit") == 0
    for _, samples, frames, stack in stacks_of(document, whole.pid):
        assert not stack["truncated"] and len(frames) < limit("FRAMES_MAX")


def test_unsupported(daemon, spawn):
    """Python 2.7 is seen and said to be unsupported; its ticks are no other process's."""
    old = [p for p in INTERPRETERS if not p.supported]
    if not old:
        pytest.skip("no CPython older than 3.6 found")
    target = start(spawn, """
        import sys
        sys.stdout.write("ready\\n")
        sys.stdout.flush()
        while True: pass
        """, python=[old[0].launcher])
    before = lost_of(daemon, target.pid, "unsupported"), lost_on_cpus(daemon, "unsupported")
    time.sleep(1)
    assert lost_of(daemon, target.pid, "unsupported") - before[0] > 50
    assert lost_on_cpus(daemon, "unsupported") - before[1] > 50
    row = next(p for p in daemon.json("ps", "-p", target.pid)["processes"])
    assert not row["supported"] and row["reason"]


@TAILS
def test_ring_full(daemon_with, spawn, env):
    """A daemon that stands still loses what its ring cannot hold, knows how much, and goes on after."""
    d = daemon_with(hz=999, env=env)
    target = start(spawn, DEEP, 900)
    time.sleep(0.5)
    assert lost_of(d, target.pid, "ring-full") == 0
    d.process.send_signal(signal.SIGSTOP)
    time.sleep(3)  # × 999 Hz × 14 KiB is several times its 4 MiB
    d.process.send_signal(signal.SIGCONT)
    time.sleep(0.3)
    lost = lost_of(d, target.pid, "ring-full")
    assert lost > 100 and lost_on_cpus(d, "ring-full") >= lost
    document = d.record("-p", target.pid, seconds=0.5)
    assert document["samples"] > 50
    assert lost_of(d, target.pid, "ring-full") == lost


class BpfMap:
    """A map of the daemon by its name, through bpf(2)."""
    GET_FD, LOOKUP, UPDATE = 14, 1, 2
    SYS_BPF = 321  # x86-64

    def __init__(self, pid, name):
        told = subprocess.run(["bpftool", "map", "show", "-j"], stdout=subprocess.PIPE, check=True).stdout
        held = set()
        for fd in os.listdir("/proc/%d/fdinfo" % pid):
            with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
                held |= {int(line.split()[1]) for line in f if line.startswith("map_id:")}
        found = [m for m in json.loads(told.decode()) if m.get("name") == name and m["id"] in held]
        assert len(found) == 1, found
        self.size, self.entries = found[0]["bytes_value"], found[0]["max_entries"]
        self.fd = self.call(self.GET_FD, (ctypes.c_uint32 * 4)(found[0]["id"]))

    def call(self, command, attributes):
        libc = ctypes.CDLL(None, use_errno=True)
        r = libc.syscall(self.SYS_BPF, command, ctypes.byref(attributes), ctypes.sizeof(attributes))
        if r < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return r

    def element(self, command, index, value):
        key = ctypes.c_uint32(index)
        words = (ctypes.c_uint64 * 4)(self.fd, ctypes.addressof(key), ctypes.addressof(value), 0)
        self.call(command, words)

    def get(self, index):
        value = ctypes.create_string_buffer(self.size)
        self.element(self.LOOKUP, index, value)
        return value

    def close(self):
        os.close(self.fd)


@TAILS
def test_nested(daemon_with, spawn, env):
    """Working memory that is in use is left alone. Nested events are too rare to wait for: this sets the flag that
    the outer one would have set (the first word of each CPU's area)."""
    d = daemon_with(hz=999, env=env)
    target = start(spawn, DEEP, 5)
    cpus = range(os.cpu_count())
    areas = BpfMap(d.pid, "scratches")
    assert areas.entries >= len(cpus)
    assert lost_of(d, target.pid, "nested") == 0
    for cpu in cpus:
        value = ctypes.create_string_buffer(areas.size)
        value[0] = 1
        areas.element(areas.UPDATE, cpu, value)
    time.sleep(0.5)
    document = d.json("status")
    for cpu in cpus:
        areas.element(areas.UPDATE, cpu, ctypes.create_string_buffer(areas.size))
    areas.close()
    lost = next(p for p in document["per_process"] if p["pid"] == target.pid)["lost"].get("nested", 0)
    assert lost > 50
    assert lost_on_cpus(d, "nested") >= lost
    stood = lost_of(d, target.pid, "nested")
    time.sleep(0.5)
    assert lost_of(d, target.pid, "nested") == stood
    assert d.record("-p", target.pid, seconds=0.5)["samples"] > 50


@pytest.mark.hz(9999)
def test_starting(daemon):
    """Ticks before the interpreter is set up, of processes that the kernel knew from their exec on."""
    python = ["/usr/bin/python3", "-S", "-E", "-c", "pass"]
    subprocess.run(python, check=True)
    time.sleep(0.3)
    before = lost_on_cpus(daemon, "starting")
    for _ in range(40):
        subprocess.run(python, check=True)
    assert lost_on_cpus(daemon, "starting") > before


@pytest.mark.hz(9999)
def test_skipped(daemon, spawn):
    """A walk that takes longer than the period: the kernel leaves the next tick out, and the event's clock tells."""
    old = [p for p in INTERPRETERS if p.minor in ((3, 6), (3, 7), (3, 8)) and p.kind == "pyenv"]
    if not old:
        pytest.skip("no CPython 3.6 to 3.8, whose frames cost a read each, found")
    with open("/proc/self/stat") as f:
        cpu = int(f.read().rsplit(")", 1)[1].split()[36])

    def skipped():
        row = next(c for c in daemon.json("status")["cpus"] if c["cpu"] == cpu)
        return row["lost"].get("skipped", 0), row["idle"]
    start(spawn, DEEP, 1000, python=["taskset", "-c", str(cpu), old[0].launcher])
    before, idle = skipped()
    time.sleep(6)
    after, idle_after = skipped()
    assert after - before > 100, (before, after)
    assert idle_after - idle < 200  # the CPU was busy: no hypervisor had parked it


MANY_THREADS = """
import sys, threading
threading.stack_size(64 << 10)
go = threading.Event()
ready = threading.Semaphore(0)
def wait():
    ready.release()
    go.wait()
count = int(sys.argv[1])
for _ in range(count): threading.Thread(target=wait, daemon=True).start()
for _ in range(count): ready.acquire()
print("ready", flush=True)
def main():
    while True: pass
main()
"""


def test_no_thread_state(daemon, spawn):
    """3.15 has no pthread key, so that the list is searched, newest thread first: the oldest lies behind the limit."""
    found = [p for p in INTERPRETERS if p.version >= (3, 15) and not p.jit]
    if not found:
        pytest.skip("no CPython 3.15 found")
    most = limit("THREAD_LIST_MAX")
    few = start(spawn, MANY_THREADS, most - 100, python=[found[-1].launcher])
    many = start(spawn, MANY_THREADS, most + 100, python=[found[-1].launcher])
    time.sleep(1.5)
    assert lost_of(daemon, many.pid, "no-thread-state") > 50
    assert lost_of(daemon, few.pid, "no-thread-state") == 0
    document = daemon.record("-p", few.pid, seconds=0.5)
    assert any(frames and frames[-1]["function"] == "main" for _, _, frames, _ in stacks_of(document, few.pid))


# While caught() spins, its frame says that the caller's lies at an address where nothing is mapped: what the walker
# meets when that page is not in memory. Nothing reads the link until it returns, and by then it is whole again.
UNREADABLE = """
import ctypes, gc, sys, threading
previous = {11: 48, 12: 8}[sys.version_info[1]]  # of _PyInterpreterFrame
gc.disable()
def caught(rounds):
    frame = ctypes.c_uint64.from_address(id(sys._getframe()) + 24).value  # PyFrameObject.f_frame
    link = ctypes.c_uint64.from_address(frame + previous)
    whole = link.value
    assert whole
    link.value = 0x6_0000_0000
    i = 0
    while i < rounds: i += 1
    link.value = whole
def outer(rounds):
    caught(rounds)
    return rounds
print("ready", flush=True)
while True:
    sys.stdin.readline()
    assert outer(int(sys.argv[1])) == int(sys.argv[1])
    print("done", flush=True)
"""


@TAILS
@pytest.mark.parametrize("minor", [(3, 11), (3, 12)], ids=["3.11", "3.12"])
def test_unreadable(daemon_with, spawn, minor, env):
    """Where a frame cannot be read the stack ends, says that it is cut, and holds the frames above."""
    d = daemon_with(hz=999, env=env)
    target = start(spawn, UNREADABLE, 30000000, python=[newest(minor).launcher])
    with open("/proc/%d/maps" % target.pid) as f:
        assert not any(int(a, 16) <= 0x600000000 < int(b, 16)
                       for a, b in (line.split()[0].split("-") for line in f))
    before = lost_of(d, target.pid, "unreadable")
    target.stdin.write(b"\n")
    target.stdin.flush()
    document = d.record("-p", target.pid, seconds=0.5, check=False)
    assert target.stdout.readline() == b"done\n"  # its frames are whole, it returned
    assert document["lost"]["unreadable"] > 20
    assert lost_of(d, target.pid, "unreadable") - before >= document["lost"]["unreadable"]
    stacks = [(frames, stack) for _, _, frames, stack in stacks_of(document, target.pid)
              if frames and frames[-1]["function"] == "caught"]
    assert stacks
    for frames, stack in stacks:
        assert stack["truncated"] == (len(frames) == 1), [f["function"] for f in frames]
    assert any(stack["truncated"] for _, stack in stacks)


# 400 functions, each called by the one before, all new; the last of them ends the process.
STALE = """
import os, time
source = "".join("def made_%d(): return made_%d()\\n" % (i, i + 1) for i in range(400))
scope = {}
exec(source, scope)
def last(clock=time.perf_counter, leave=os._exit):
    end = clock() + 0.003
    while clock() < end: pass
    leave(0)
scope["made_400"] = last
scope["made_0"]()
"""


@TAILS
def test_stale(daemon_with, env):
    """At most 64 code objects are described with one sample: the names of a stack of 400 new ones take seven, and the
    process is gone after three. The stack says which frames have no name, and is counted."""
    d = daemon_with(hz=999, env=env)
    run = [sys.executable, "-S", "-E", "-c", STALE]
    subprocess.run(run, check=True)
    time.sleep(0.4)
    before = d.json("status")["lost"].get("stale", 0)
    record = subprocess.Popen([PYPROFCTL, "record", "--socket", d.socket, "--all", "-f", "json", "-o", "-"],
                              stdout=subprocess.PIPE)
    time.sleep(0.4)
    pids = []
    for _ in range(20):
        process = subprocess.Popen(run)
        pids.append(process.pid)
        assert process.wait() == 0
    time.sleep(0.4)
    record.send_signal(signal.SIGINT)
    document = json.loads(record.communicate(timeout=30)[0].decode())
    assert d.json("status")["lost"].get("stale", 0) - before >= 5
    assert document["lost"]["stale"] >= 5
    cut = [frames for _, _, frames, stack in stacks_of(document) if stack["pid"] in pids
           and len(frames) > 400 and any(f["kind"] == "marker" for f in frames)]
    assert cut
    for frames in cut:
        for f in frames:
            assert (f["kind"] == "marker") == (f["function"] == "[unknown]") == (f["file"] is None)

