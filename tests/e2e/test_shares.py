# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Sampled shares of CPU time equal what the program measured of itself, within 4 sigma of the sample count."""
import json
import os
import subprocess
import sys
import time

import pytest
from conftest import PYPROFCTL, WORKLOADS, own_weights, sigma_bound


def run_split(daemon, spawn, shares, seconds=4):
    target = spawn([sys.executable, os.path.join(WORKLOADS, "split.py"), str(seconds), *map(str, shares)])
    assert target.stdout.readline() == b"ready\n"
    time.sleep(0.2)
    record = subprocess.Popen([PYPROFCTL, "record", "--socket", daemon.socket, "-p", str(target.pid), "-f", "json",
                               "-o", "-"], stdout=subprocess.PIPE)
    time.sleep(0.5)
    target.stdin.write(b"go\n")
    target.stdin.flush()
    truth = json.loads(target.stdout.readline().decode())
    record.send_signal(2)
    document = json.loads(record.communicate(timeout=20)[0].decode())
    assert record.returncode == 0
    return truth, document


@pytest.mark.parametrize("shares", [(70, 30), (90, 9, 1)], ids=str)
def test_shares(daemon, spawn, shares):
    truth, document = run_split(daemon, spawn, shares)
    weights = {name: w for name, w in own_weights(document).items() if name and name.startswith("share_")}
    total, true_total = sum(weights.values()), sum(truth.values())
    samples = total * document["hz"] / 1e9
    assert samples > 1000
    # The functions' time itself, against the program's clock: a tick is a Bernoulli trial each.
    assert abs(total / 1e9 - true_total) < 4 * (samples ** 0.5) / document["hz"] + 0.05 * true_total
    for name, seconds in truth.items():
        share = seconds / true_total
        assert abs(weights.get(name, 0) / total - share) < sigma_bound(share, samples) + 0.002, (name, truth, weights)
