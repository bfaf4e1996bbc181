# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who may see what: root and the group pyprof all, others their own processes. The group is made for the test where it
is not there."""
import grp
import json
import os
import shutil
import subprocess
import time

import pytest
from conftest import PYPROFCTL

HOST = "/usr/bin/python3"
GROUP = "pyprof"
BUSY = "print('ready', flush=True)\nwhile True: pass"
OWNER_MAX_HZ = 999


@pytest.fixture
def group():
    """Comes before the daemon: that keeps for a minute whether there is such a group."""
    try:
        grp.getgrnam(GROUP)
        made = False
    except KeyError:
        run = subprocess.run(["groupadd", "--system", GROUP], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode:
            pytest.skip("no group %s, and none can be made: %s" % (GROUP, run.stdout.decode().strip()))
        made = True
    yield GROUP
    if made:
        subprocess.run(["groupdel", GROUP], check=True)


def credentials(groups=None):
    """Of nobody, in a group beside, or in none."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=" + groups if groups else "--clear-groups",
            "env", "HOME=/"]


@pytest.fixture
def processes(group, daemon, spawn):
    """(nobody's, root's), both known to the daemon."""
    started = [spawn(argv + [HOST, "-c", BUSY]) for argv in (credentials(), [])]
    for target in started:
        assert target.stdout.readline() == b"ready\n"
    end = time.monotonic() + 5
    while not {t.pid for t in started} <= {p["pid"] for p in daemon.json("ps")["processes"]}:
        assert time.monotonic() < end
        time.sleep(0.05)
    return [t.pid for t in started]


def ctl(daemon, groups, *args):
    # A checkout in /root may not be entered by others: the program goes where the daemon's socket is.
    program = os.path.join(daemon.folder, "pyprofctl")
    if not os.path.exists(program):
        shutil.copy(PYPROFCTL, program)
    return subprocess.run(credentials(groups) + [program, args[0], "--socket", daemon.socket, *map(str, args[1:])],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def pids(run):
    assert run.returncode == 0, run
    return {p["pid"] for p in json.loads(run.stdout.decode())["processes"]}


def test_the_group_sees_all(group, daemon, processes):
    mine, roots = processes
    for verb in (["ps"], ["top", "-n", "1"], ["functions", "--all"]):
        assert pids(ctl(daemon, group, *verb, "--json")) >= {mine, roots}, verb
    assert {p["pid"] for p in daemon.json("ps")["processes"]} >= {mine, roots}  # as root does
    run = ctl(daemon, group, "record", "--all", "-d", "0.4", "-f", "json", "-o", "-")
    assert {s["pid"] for s in json.loads(run.stdout.decode())["stacks"]} >= {mine, roots}
    dump = ctl(daemon, group, "dump", "-p", roots, "--json")
    assert pids(dump) == {roots}
    # Variables are their owner's and root's.
    run = ctl(daemon, group, "dump", "-p", roots, "--locals")
    assert run.returncode == 77 and run.stdout == b"", run
    run = ctl(daemon, group, "dump", "-p", mine, "--locals")
    assert run.returncode == 0, run


def test_another_group_sees_its_own(group, daemon, processes):
    mine, roots = processes
    other = next(g.gr_name for g in grp.getgrall() if g.gr_name not in (group, "root", "nogroup"))
    for groups in (None, other):
        assert pids(ctl(daemon, groups, "ps", "--json")) == {mine}, groups
        for verb in (["dump"], ["record", "-d", "0.3", "-f", "json", "-o", "-"]):
            run = ctl(daemon, groups, verb[0], "-p", roots, *verb[1:])
            assert run.returncode == 77 and run.stderr.count(b"\n") == 1 and run.stdout == b"", (groups, run)


@pytest.mark.hz(99)
def test_rates_above_an_owners(group, daemon, processes):
    """Each tick costs the whole host: an owner gets up to 999 Hz, the group and root more."""
    mine, roots = processes
    record = ["record", "-d", "0.3", "-f", "json", "-o", "-", "-p"]
    run = ctl(daemon, None, *record, mine, "-r", OWNER_MAX_HZ)
    assert run.returncode == 0 and json.loads(run.stdout.decode())["hz"] == OWNER_MAX_HZ, run
    run = ctl(daemon, None, *record, mine, "-r", OWNER_MAX_HZ + 1)
    assert run.returncode == 64 and str(OWNER_MAX_HZ) in run.stderr.decode() and run.stdout == b"", run
    for pid in (mine, roots):
        run = ctl(daemon, group, *record, pid, "-r", OWNER_MAX_HZ + 1)
        document = json.loads(run.stdout.decode())
        assert run.returncode == 0 and document["hz"] == OWNER_MAX_HZ + 1 and document["samples"] > 0, run
    assert daemon.record("-p", roots, "-r", OWNER_MAX_HZ + 1, seconds=0.3)["hz"] == OWNER_MAX_HZ + 1
