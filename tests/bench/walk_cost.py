# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What one sample costs in the kernel, by stack depth and version: the kernel's own bpf_stats (run_time_ns ÷ run_cnt) of
the events of a recording, which only the target's samples run. Beside it what one more frame costs: up to 3.10 that is
one read of user memory and one look-up, so about the price of a read on this machine; and the slow-down that follows
at 99 Hz, time × rate."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.path.insert(0, os.path.dirname(HERE))
from conftest import PYPROFCTL, Daemon  # noqa: E402
from interpreters import interpreters  # noqa: E402

DEEP = """
import sys, threading
sys.setrecursionlimit(5000); threading.stack_size(256 << 20)
def recurse(n):
    if n: return recurse(n - 1)
    print("ready", flush=True)
    x = 0
    while True: x += 1
t = threading.Thread(target=recurse, args=(%d,)); t.daemon = True; t.start()
sys.stdin.read()
"""


def session_programs():
    """(run_time_ns, run_cnt) of the programs that only a recording's events run: the target's samples and no others."""
    out = subprocess.run(["bpftool", "prog", "show", "-j"], stdout=subprocess.PIPE, check=True).stdout
    mine = [p for p in json.loads(out) if p.get("name", "").startswith("session_")]
    return sum(p.get("run_time_ns", 0) for p in mine), sum(p.get("run_cnt", 0) for p in mine)


def cost_of(python, depth, seconds=3):
    """(ns per sample, samples) of a target at this depth, by events on its threads alone."""
    target = subprocess.Popen([*python.argv, "-c", DEEP % depth], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    target.stdout.readline()
    daemon = Daemon(hz=1).wait_ready()
    record = subprocess.Popen([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "-r", "999",
                               "-d", str(seconds + 1.5), "-f", "folded", "-o", "/dev/null"], stderr=subprocess.DEVNULL)
    time.sleep(1.0)  # names travel once
    ns, runs = session_programs()
    time.sleep(seconds)
    ns_end, runs_end = session_programs()
    record.wait()
    daemon.stop()
    target.kill()
    target.wait()
    return (ns_end - ns) / max(runs_end - runs, 1), runs_end - runs


def main():
    chosen = sys.argv[1:] or ["pyenv-3.8.18", "pyenv-3.11.7", "pyenv-3.13.0"]
    old = open("/proc/sys/kernel/bpf_stats_enabled").read()
    open("/proc/sys/kernel/bpf_stats_enabled", "w").write("1")
    try:
        for python in interpreters():
            if python.name in chosen:
                costs = [(depth, *cost_of(python, depth)) for depth in (8, 48, 998)]
                frame = (costs[2][1] - costs[1][1]) / (costs[2][0] - costs[1][0])
                print("%-16s" % python.name, "  ".join("%4d frames %6.2f µs (%d samples)" % (d + 2, ns / 1000, n)
                                                       for d, ns, n in costs))
                print("%-16s one more frame %.0f ns; slow-down at 99 Hz, time x rate: %s" % (
                    "", frame, " / ".join("%.5f" % (1 + ns * 99 / 1e9) for _, ns, _ in costs)), flush=True)
    finally:
        open("/proc/sys/kernel/bpf_stats_enabled", "w").write(old)


if __name__ == "__main__":
    main()
