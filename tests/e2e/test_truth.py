# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""In the kernel, on every interpreter found: each sample of a thread that spins in a known stack names the functions,
files and lines that the target itself names. 0 wrong in 1,000."""
import json
import os
import subprocess
import time

import pytest
from conftest import PYPROFCTL, WORKLOADS, stacks_of
from interpreters import interpreters

SOURCE = open(os.path.join(WORKLOADS, "spinning.py"), encoding="utf-8").read()


def record_run(daemon, target):
    """Records the target from its start signal until it printed what it did."""
    record = subprocess.Popen([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "-f", "json",
                               "-o", "-"], stdout=subprocess.PIPE)
    time.sleep(0.4)
    target.stdin.write(b"go\n")
    target.stdin.flush()
    told = json.loads(target.stdout.readline().decode())
    time.sleep(0.15)
    record.send_signal(2)
    document = json.loads(record.communicate(timeout=20)[0].decode())
    assert record.returncode == 0
    return told, document


def frame_key(frame):
    return (frame["function"], frame["file"], frame["line"])


def wrong_of(told, document, pid, version):
    """(samples in spin(), those whose stack is none of the target's)."""
    qualified = version >= (3, 11)
    real = {tuple((q if qualified else n, f, line) for n, q, f, line in stack) for stack in told["stacks"]}
    first, last = told["spin"]
    seen, wrong = 0, []
    for _, samples, frames, stack in stacks_of(document, pid):
        leaf_first = [frame_key(f) for f in reversed(frames)]
        if not leaf_first or leaf_first[0][0] != "spin":
            continue
        seen += samples
        # The moment of entry, RESUME, belongs to the def line.
        if not first <= leaf_first[0][2] <= last or tuple(leaf_first[1:]) not in real or stack["truncated"]:
            wrong.append((samples, leaf_first, stack["truncated"]))
    return seen, wrong


@pytest.mark.parametrize("python", [p for p in interpreters() if p.supported], ids=str)
def test_samples_equal_the_targets(daemon, spawn, python):
    target = spawn(python.argv + ["-c", SOURCE, "0.06"])
    assert target.stdout.readline() == b"ready\n"
    told, document = record_run(daemon, target)
    seen, wrong = wrong_of(told, document, target.pid, python.version)
    assert len(told["stacks"]) == 20
    assert not wrong, (seen, len(wrong), wrong[:3])
    assert seen >= 1000
    target.stdin.close()
