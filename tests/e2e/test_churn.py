# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Processes that come and go by the hundred: what is left of them, where, and under which name."""
import contextlib
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from interpreters import interpreters

HOST = "/usr/bin/python3"  # Debian's: static
PYENV = next((p for p in interpreters() if p.name.startswith("pyenv-3.12")), None)  # shared

DEPTH = 30
# Samples with a few dozen names in each, then the pipe says when to go.
SHORT = """
import os, time
def burn(n):
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
for i in range(%d):
    exec("def burn_%%d(n, next=burn): next(n)\\nburn = burn_%%d" %% (i, i))
burn(0)
os.read(0, 1)
""" % DEPTH

# Four children that go on at once to another program, and one that stays.
FORKS = """
import os, sys
def stays():
    os._exit(0)
children = []
for i in range(5):
    pid = os.fork()
    if pid == 0 and i == 4:
        stays()
    if pid == 0:
        os.execv(sys.argv[1], ["worker-%d" % i, "-S", "-c", "pass", "became"])
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
print(*children, flush=True)
"""

# Each becomes the next as soon as it runs.
CHAIN = """
import os, sys
left = int(sys.argv[1])
if left:
    os.execv(sys.argv[2], ["link-%d" % (left - 1), "-S", "-c", sys.argv[4], str(left - 1), sys.argv[3], sys.argv[2], sys.argv[4]])
"""


def map_entries(daemon, name):
    """Keys of the daemon's BPF map of that name, as tuples of bytes."""
    ids = []
    for path in glob.glob("/proc/%d/fdinfo/*" % daemon.pid):
        with contextlib.suppress(FileNotFoundError), open(path) as f:  # it opens and closes files meanwhile
            ids += re.findall(r"^map_id:\s+(\d+)$", f.read(), re.M)
    for map_id in set(ids):
        shown = json.loads(bpftool("map", "show", "id", map_id))
        if shown.get("name") == name:
            return {tuple(entry["key"]) for entry in json.loads(bpftool("map", "dump", "id", map_id))}
    raise AssertionError("no map %s among %s" % (name, ids))


def bpftool(*args):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return subprocess.run(["bpftool", "-j", *args], check=True, stdout=subprocess.PIPE, env=dict(os.environ, PATH=path),
                          ).stdout.decode()


def pids_in_kernel(daemon):
    return {int.from_bytes(bytes(int(byte, 16) for byte in key), "little") for key in map_entries(daemon, "processes")}


def wave(argv, count):
    """So many processes that live at the same time and end when told; call the result for that."""
    alive = [subprocess.Popen(argv, stdin=subprocess.PIPE) for _ in range(count)]

    def finish():
        for process in alive:
            process.stdin.close()
        for process in alive:
            assert process.wait() == 0
        return {process.pid for process in alive}
    return finish


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    assert condition()


def meet(daemon, programs):
    """The first process of an image is looked at beside the event loop; from the next on it is known at once."""
    for program in programs:
        subprocess.run([program, "-S", "-c", "import time; time.sleep(0.5)"], check=True)
    until(lambda: set(programs) <= {p["cmdline"][0] for p in daemon.json("ps", "--exited")["processes"] if p["cmdline"]})


@pytest.mark.hz(999)
def test_dead_processes_leave(daemon):
    """Of three hundred nothing is left among the living nor in the kernel; each is listed as ended, with samples."""
    meet(daemon, [sys.executable])
    dead, before = set(), map_entries(daemon, "gate")
    for _ in range(8):
        finish = wave([sys.executable, "-S", "-c", SHORT], 40)
        time.sleep(1)
        held = map_entries(daemon, "gate") - before
        dead |= finish()
    # Each of the last forty has its own code objects there.
    assert len(held) >= 40 * DEPTH
    # Names are kept for two seconds after the end: samples may be on their way. Those of this test's process stay.
    until(lambda: len(held & map_entries(daemon, "gate")) < len(held) / 4)
    assert not dead & pids_in_kernel(daemon)
    for verb in ("ps", "top"):
        shown = daemon.json(verb)["processes"]
        assert shown and not dead & {p["pid"] for p in shown}
        assert all(p["ended_time_ns"] is None for p in shown)
    ended = {p["pid"]: p for p in daemon.json("ps", "--exited")["processes"]}
    assert dead <= set(ended)
    assert all(ended[pid]["ended_time_ns"] and ended[pid]["python"]["version"] for pid in dead)
    # 20 ms of CPU are twenty ticks of it. One whose records were lost on a crowded host may lack the rest.
    whole = [pid for pid in dead if ended[pid]["samples"] > 0 and ended[pid]["cmdline"][-1:] == [SHORT]]
    assert len(whole) > 0.95 * len(dead)


def lives_of(daemon, pid):
    """The programs that the pid ran, in their order."""
    return sorted((p for p in daemon.json("ps", "--exited")["processes"] if p["pid"] == pid),
                  key=lambda p: p["ended_time_ns"])


@pytest.mark.hz(99)  # so that the ring of samples holds them all
def test_lost_records_leave_nothing(daemon):
    """What the kernel side told of processes whose start and end the daemon missed goes, too."""
    meet(daemon, [sys.executable])
    time.sleep(3)
    before = map_entries(daemon, "gate")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(10):  # 40 records of 1.2 KiB each: the ring of 256 KiB is full half way
            wave([sys.executable, "-S", "-c", SHORT, "x" * 1000], 40)()
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    # Samples have a ring of their own: what they name has been described.
    described = map_entries(daemon, "gate") - before
    assert len(described) >= 40 * DEPTH
    assert "life-cycle events were lost" in daemon.log_text()
    until(lambda: len(described & map_entries(daemon, "gate")) < len(described) / 4)


def rounds(daemon, count, seconds=60):
    """So many rounds in which no record of a start or end was lost, as happens on a crowded host: yields a function
    that takes what to check then."""
    end = time.monotonic() + seconds
    while count:
        assert time.monotonic() < end
        lost, checks = daemon.log_text().count("were lost"), []
        yield checks.append
        time.sleep(1.1)  # losses are looked for once a second
        if daemon.log_text().count("were lost") == lost:
            for check in checks:
                check()
            count -= 1


INTO = [pytest.param(HOST, id="static")] + ([pytest.param(PYENV.launcher, id="shared")] if PYENV else [])


@pytest.mark.hz(99)
@pytest.mark.parametrize("into", INTO)
def test_forked_then_another_program(daemon, into):
    """The life before the exec has the parent's command line, the one after it the new program's."""
    meet(daemon, [HOST, into])

    def check(children):
        for i, pid in enumerate(children):
            lives = lives_of(daemon, pid)
            assert lives[0]["cmdline"] == [HOST, "-S", "-c", FORKS, into], (i, lives)
            assert lives[0]["comm"] == "python3", (i, lives)
            assert len(lives) == (1 if i == 4 else 2)
            if i < 4:
                assert lives[1]["cmdline"] == ["worker-%d" % i, "-S", "-c", "pass", "became"]

    for later in rounds(daemon, 5):
        run = subprocess.run([HOST, "-S", "-c", FORKS, into], check=True, stdout=subprocess.PIPE)
        later(lambda children=run.stdout.split(): check([int(pid) for pid in children]))


@pytest.mark.hz(99)
def test_links_of_an_exec_chain(daemon):
    """Each program of a chain of execs has its own command line, however soon the next one took its place."""
    programs = [HOST, PYENV.launcher if PYENV else HOST]
    meet(daemon, programs)

    def check(pid):
        # The first of its lives is the one as this test's own child.
        lives = [p["cmdline"][0] for p in lives_of(daemon, pid)][1:]
        # A shared libpython is known once the daemon has read of its mapping: a link may be gone by then.
        links = ["link-%d" % i for i in range(6, -1, -1)]
        assert lives == [link for link in links if link in lives] and set(links[::2]) <= set(lives)

    for later in rounds(daemon, 5):
        process = subprocess.Popen(["link-6", "-S", "-c", CHAIN, "6", programs[1], programs[0], CHAIN], executable=HOST)
        assert process.wait() == 0
        later(lambda pid=process.pid: check(pid))
