# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""CPU % of `top` is the kernel's own figure over the window that `top` says, long ones too."""
import os
import time

import pytest

TICKS = os.sysconf("SC_CLK_TCK")
WINDOW = 14
SCRIPT = ("import time\nend = time.process_time() + 4\nprint(flush=True)\n"
          "while time.process_time() < end: pass\nprint(flush=True)\ntime.sleep(60)")


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.mark.hz(99)
def test_cpu_percent_covers_the_window(daemon, spawn):
    worker = spawn(["/usr/bin/python3", "-c", SCRIPT])
    worker.stdout.readline()
    daemon.json("top", "-w", WINDOW)  # counters are read every second from now on
    began, before = time.monotonic(), cpu_seconds(worker.pid)
    worker.stdout.readline()
    time.sleep(max(0, WINDOW - 1 - (time.monotonic() - began)))
    document = daemon.json("top", "-w", WINDOW, "-p", worker.pid)
    passed, used = time.monotonic() - began, cpu_seconds(worker.pid) - before
    percent = document["processes"][0]["cpu_percent"]
    assert passed < WINDOW + 0.5, "this machine is too slow for the figures to be compared"
    assert used > 1.5, "it worked, %.2f s" % used
    assert abs(percent - 100 * used / passed) < 2, (percent, used, passed)
