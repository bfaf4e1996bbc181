# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Recordings of other resources than CPU time: each weight is at the line that used it, and their sum is what the program
did. A sum that has not passed its threshold when the program ends is not in the profile: the bounds leave room for one."""
import json
import os
import signal
import subprocess
import textwrap
import time

import pytest
from conftest import PYPROFCTL, own_weights, stacks_of

HOST = "/usr/bin/python3"
READS, WRITES, FAILS, BLOCKS = 3000, 3000, 200000, 200
MIB = 1 << 20

# Does its work at a word on stdin.
WORK = f"""
import os, sys
zero, null = os.open("/dev/zero", os.O_RDONLY), os.open("/dev/null", os.O_WRONLY)
kept = []
def read_them():
    for _ in range({READS}):
        os.read(zero, 65536)
def write_them():
    for _ in range({WRITES}):
        os.write(null, b"x" * 10000)
def fail_them():
    for _ in range({FAILS}):
        try:
            os.stat("/nonexistent")
        except OSError:
            pass
def grow_them():
    for _ in range({BLOCKS}):
        kept.append(bytearray({MIB}))
print("ready", flush=True)
sys.stdin.readline()
read_them(); write_them(); fail_them(); grow_them()
print("done", flush=True)
sys.stdin.readline()
"""


def say(target, word):
    target.stdin.write(word + b"\n")
    target.stdin.flush()


def attached(daemon):
    return {s["name"] for s in daemon.get("/v1/status")["sources"] if s["attached"]}


def until(condition, what):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def record(daemon, spawn, resource, source):
    """The profile of one round of work, and that its programs ran for as long as it did."""
    target = spawn([HOST, "-c", textwrap.dedent(WORK)])
    assert target.stdout.readline() == b"ready\n"
    assert source not in attached(daemon)
    recorder = spawn([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "--resource", resource,
                      "-f", "json", "-o", "-"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: source in attached(daemon), "no recording runs")
    say(target, b"go")
    assert target.stdout.readline() == b"done\n"
    say(target, b"end")
    out, err = recorder.communicate(timeout=30)
    assert recorder.returncode == 0, err
    assert source not in attached(daemon)
    document = json.loads(out)
    assert document["resource"] == resource
    assert document["events"] == document["samples"] + sum(document["lost"].values())
    return document


def lines_of(document, function):
    return {frames[-1]["line"] for _, _, frames, _ in stacks_of(document) if frames[-1]["function"] == function}


def line_with(text):
    return next(i for i, line in enumerate(textwrap.dedent(WORK).split("\n"), 1) if text in line)


def test_memory(daemon, spawn):
    document = record(daemon, spawn, "memory", "memory")
    own = own_weights(document)
    assert document["unit"] == "bytes"
    assert own["grow_them"] == pytest.approx(BLOCKS * MIB, rel=0.03), own
    assert lines_of(document, "grow_them") == {line_with("kept.append")}
    assert sum(own.values()) <= BLOCKS * MIB * 1.05


def test_io(daemon, spawn):
    document = record(daemon, spawn, "io", "syscalls")
    own = own_weights(document)
    # A sample is due after half to one and a half MiB, so that much may be missing at the end of each.
    assert {s["detail"] for s in document["stacks"]} <= {"read other", "write other", "read pipe", "write pipe", "read file"}
    assert {s["detail"] for s in document["stacks"]} >= {"read other", "write other"}  # devices
    assert own["read_them"] == pytest.approx(READS * 65536, abs=3 * MIB)
    assert own["write_them"] == pytest.approx(WRITES * 10000, abs=3 * MIB)
    assert lines_of(document, "read_them") == {line_with("os.read(zero")}


def test_syscalls(daemon, spawn):
    document = record(daemon, spawn, "syscall", "syscalls")
    own = own_weights(document)
    samples = sum(s["samples"] for s in document["stacks"])
    total = READS + WRITES + FAILS
    assert document["unit"] == "count" and samples > 10
    # What waits for its threshold at the end is less than one and a half times what a sample stands for, and that is less
    # than the double of the heaviest mean. A little comes on top: growing and speaking to this test.
    most = max(s["weight"] / s["samples"] for s in document["stacks"])
    assert total - 3 * most <= sum(own.values()) <= total * 1.01
    assert max(own, key=own.get) == "fail_them"
    calls = {stack["detail"] for _, _, frames, stack in stacks_of(document) if frames[-1]["function"] == "fail_them"}
    assert calls & {"stat", "newfstatat"}, calls


def test_folded_is_in_bytes(daemon, spawn, tmp_path):
    target = spawn([HOST, "-c", textwrap.dedent(WORK)])
    assert target.stdout.readline() == b"ready\n"
    out = tmp_path / "io.folded"
    recorder = spawn([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "--resource", "io",
                      "-o", str(out)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: "syscalls" in attached(daemon), "no recording runs")
    say(target, b"go")
    assert target.stdout.readline() == b"done\n"
    say(target, b"end")
    assert recorder.wait(timeout=30) == 0
    sums = [int(line.rsplit(" ", 1)[1]) for line in out.read_text().splitlines() if "read_them" in line]
    assert sum(sums) == pytest.approx(READS * 65536, abs=3 * MIB)


def test_looking_back_is_refused(daemon, spawn):
    """Only CPU time is sampled all the time; an empty answer would look like nothing was used."""
    target = spawn([HOST, "-c", "import time; time.sleep(60)"])
    until(lambda: any(p["pid"] == target.pid for p in daemon.get("/v1/processes")["processes"]), "not seen")
    error = daemon.get(f"/v1/profile?pid={target.pid}&window=5&resource=memory")["error"]
    assert error["code"] == "usage" and "seconds=" in error["message"]


def test_others_may_not(daemon, spawn):
    """Each system call of the host pays: that is not for anybody to decide."""
    target = spawn([HOST, "-c", "import time; time.sleep(60)"], user=65534, group=65534)
    until(lambda: any(p["pid"] == target.pid for p in daemon.get("/v1/processes")["processes"]), "not seen")
    run = subprocess.run([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "--resource", "syscall",
                          "-d", "1", "-f", "folded", "-o", os.devnull], user=65534, group=65534, extra_groups=[], capture_output=True,
                         timeout=20)
    assert run.returncode == 77, run.stderr
    assert "syscalls" not in attached(daemon)


def test_growth_between_recordings_is_nobodys(daemon, spawn):
    """The second recording begins where it begins, not where the first one ended."""
    code = (f"import sys\nkept = []\ndef grow(n):\n    kept.append(bytearray(n * {MIB}))\nprint('ready', flush=True)\n"
            "for line in sys.stdin:\n    grow(int(line))\n    print('done', flush=True)\n")
    target = spawn([HOST, "-c", code])
    assert target.stdout.readline() == b"ready\n"
    sums = []
    for within, behind in ((20, 100), (10, 0)):
        recorder = spawn([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "--resource", "memory",
                          "-f", "json", "-o", "-"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until(lambda: "memory" in attached(daemon), "no recording runs")
        say(target, b"1")  # the first growth that is seen tells where it begins
        assert target.stdout.readline() == b"done\n"
        say(target, b"%d" % within)
        assert target.stdout.readline() == b"done\n"
        recorder.send_signal(signal.SIGINT)
        out, err = recorder.communicate(timeout=30)
        assert recorder.returncode == 0, err
        sums.append(sum(own_weights(json.loads(out)).values()))
        say(target, b"%d" % behind)
        assert target.stdout.readline() == b"done\n"
    assert sums == [pytest.approx(20 * MIB, abs=2 * MIB), pytest.approx(10 * MIB, abs=2 * MIB)]
