# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The daemon's memory: small beside 10 and 100 Python processes, flat while processes come and go.

`make soak` (PYPROF_SOAK=1) runs the churn for ten minutes, with the bound on minutes 2 to 10.
"""
import os
import re
import subprocess
import sys
import time

import pytest

MIB = 1 << 20
SOAK = bool(os.environ.get("PYPROF_SOAK"))

# Busy in a few functions, ten times a second, so that each process has samples and names to keep.
STEADY = """
import time, json
def work(n):
    return json.loads(json.dumps(list(range(n))))
def main():
    print("ready", flush=True)
    while True:
        work(2000)
        time.sleep(0.1)
main()
"""

# 50 ms of CPU in functions that are the same in each process, as a host's cron jobs and workers are.
SHORT = """
import time
def inner(n):
    return sum(i * i for i in range(n))
def outer():
    end = time.process_time() + 0.05
    while time.process_time() < end:
        inner(500)
outer()
"""


def private_bytes(pid):
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        return 1024 * sum(int(kib) for kib in re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", rollup.read(), re.M))


@pytest.mark.hz(99)
@pytest.mark.parametrize("count, limit", [(10, 16 * MIB), (100, 64 * MIB)])
def test_memory_beside_processes(daemon, spawn, count, limit):
    processes = [spawn([sys.executable, "-c", STEADY]) for _ in range(count)]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    time.sleep(10)
    seen = {p["pid"] for p in daemon.json("ps")["processes"]}
    assert {p.pid for p in processes} <= seen
    held = private_bytes(daemon.pid)
    print("%d processes: %.1f MiB private" % (count, held / MIB))
    assert held <= limit


def churn(seconds, at_least=0):
    """Short processes, two at a time, until the time is over and there were so many; how many they were."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end or count < at_least:
        pair = [subprocess.Popen([sys.executable, "-S", "-c", SHORT]) for _ in range(2)]
        for process in pair:
            assert process.wait() == 0
        count += len(pair)
        time.sleep(0.1)
    return count


@pytest.mark.skipif(not SOAK, reason="the bound on churn needs a quiet machine: make soak")
@pytest.mark.hz(99)
def test_memory_is_flat_under_churn(daemon):
    # The window (60 s) and the list of the ended (512) fill first: that is no growth without end.
    before, after = (120, 480) if SOAK else (60, 60)
    churn(before, at_least=600)
    first = private_bytes(daemon.pid)
    count = churn(after)
    last = private_bytes(daemon.pid)
    print("%d processes in %d s: %.2f → %.2f MiB private" % (count, after, first / MIB, last / MIB))
    assert count > 2 * after
    assert last - first <= 1 * MIB
