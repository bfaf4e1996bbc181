# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The daemon's own life: what it leaves behind however it ends, how it starts, and that CPUs may come and go."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import PYPROFD, Daemon, stacks_of

CPU1 = "/sys/devices/system/cpu/cpu1/online"
BUSY = "print('ready', flush=True)\ndef busy():\n    while True: pass\nbusy()\n"


def busy(spawn, *wrap):
    target = spawn([*wrap, sys.executable, "-c", BUSY])
    assert target.stdout.readline() == b"ready\n"
    return target


def of_kernel(what, pid):
    """ids of the BPF programs, maps or links that this process holds (bpftool's own list of holders needs a kernel
    with BPF iterators)."""
    found = set()
    for name in os.listdir("/proc/%d/fdinfo" % pid):
        with open("/proc/%d/fdinfo/%s" % (pid, name)) as f:
            found |= {int(line.split()[1]) for line in f if line.startswith(what + "_id:")}
    return found


def ids_of_kernel(what):
    told = subprocess.run(["bpftool", what, "show", "-j"], stdout=subprocess.PIPE, check=True).stdout
    return {o["id"] for o in json.loads(told.decode() or "[]")}


def gone(what, ids, seconds=10):
    """The kernel frees programs some time after their last holder."""
    end = time.monotonic() + seconds
    while ids & ids_of_kernel(what) and time.monotonic() < end:
        time.sleep(0.1)
    return not ids & ids_of_kernel(what)


def answers(path):
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        return True
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["kill", "term", "int"])
def test_nothing_is_left_behind(how, spawn):
    d = Daemon(hz=99).wait_ready()
    target = busy(spawn)
    record = subprocess.Popen([os.path.join(os.path.dirname(PYPROFD), "pyprofctl"), "record", "--socket", d.socket, "-p",
                               str(target.pid), "-r", "999", "-f", "json", "-o", "-"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
    time.sleep(0.5)
    held = {what: of_kernel(what, d.pid) for what in ("prog", "map", "link")}
    assert len(held["prog"]) >= 4 and len(held["map"]) >= 8 and len(held["link"]) >= 3, held
    d.process.send_signal(how)
    assert d.process.wait(20) == (-9 if how == signal.SIGKILL else 0), d.log_text()
    assert os.path.exists(d.socket) == (how == signal.SIGKILL)
    for what, ids in held.items():
        assert gone(what, ids), (what, ids & ids_of_kernel(what))
    assert record.wait(20) != 0
    message = record.stderr.read().decode()
    assert len(message.splitlines()) == 1, message
    # Over the socket that a killed one has left, too.
    again = Daemon.__new__(Daemon)
    again.folder, again.socket, again.log = d.folder, d.socket, d.log + "2"
    with open(again.log, "w") as log:
        again.process = subprocess.Popen([PYPROFD, "--foreground", "--socket", d.socket, "--config", "/dev/null"],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    again.wait_ready()
    assert again.record("-p", target.pid, seconds=0.5)["samples"] > 0
    assert again.stop() == 0


def test_second_daemon_refuses(daemon):
    run = subprocess.run([PYPROFD, "--foreground", "--socket", daemon.socket, "--config", "/dev/null"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    assert run.returncode == 75
    lines = run.stdout.decode().splitlines()
    assert len(lines) == 1 and "another pyprofd" in lines[0] and daemon.socket in lines[0], lines
    assert daemon.json("status")["hz"] == 999  # the first goes on


def test_detached(tmp_path):
    """Without --foreground the caller goes on when the daemon answers; a refusal is the caller's exit code."""
    path = str(tmp_path / "d.sock")
    argv = [PYPROFD, "--socket", path, "--config", "/dev/null"]
    with open(str(tmp_path / "log"), "w") as log:
        run = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, timeout=30)
    with open(str(tmp_path / "log")) as f:
        assert run.returncode == 0, f.read()
    assert answers(path)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        pid = int.from_bytes(s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder)
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        assert int(fields[3]) == pid  # a session of its own: no terminal's signal reaches it
        assert os.readlink("/proc/%d/fd/0" % pid) == os.readlink("/proc/%d/fd/1" % pid) == "/dev/null"
        second = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=30)
        assert second.returncode == 75 and len(second.stderr.splitlines()) == 1, second.stderr
    finally:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 15
    while os.path.exists("/proc/%d" % pid) and time.monotonic() < end:
        with open("/proc/%d/stat" % pid) as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                break
        time.sleep(0.05)
    assert not os.path.exists(path)


def test_hang_up_reads_again(tmp_path):
    """SIGHUP takes the new log level and says what needs a restart; a bad file changes nothing and ends nothing."""
    config = tmp_path / "pyprofd.conf"
    config.write_text("[daemon]\nlog_level = error\n")
    d = Daemon(hz=99, args=["--config", str(config)]).wait_ready()
    assert "samples" not in d.log_text()  # an info line, not shown at this level
    config.write_text("[daemon]\nlog_level = info\n")
    d.process.send_signal(signal.SIGHUP)
    wait_log(d, "read the settings again")
    config.write_text("[sampling]\nhz = many\n")
    d.process.send_signal(signal.SIGHUP)
    wait_log(d, "many")
    assert d.json("status")["hz"] == 99
    assert d.stop() == 0


def wait_log(d, text):
    end = time.monotonic() + 10
    while text not in d.log_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert text in d.log_text()


def online(value):
    with open(CPU1, "w") as f:
        f.write(value)


@pytest.fixture
def cpu1():
    """CPU 1, that can be taken offline here; it is back when the test ends."""
    if not os.path.exists(CPU1):
        pytest.skip("CPU 1 cannot go offline here (no %s)" % CPU1)
    try:
        online("0")
        online("1")
    except OSError as e:
        pytest.skip("CPU 1 cannot go offline here: %s" % e)
    yield
    online("1")


def test_cpu_that_returns(cpu1, daemon, spawn):
    """Its event dies with it, silently; it is opened again, and what was counted before is not lost."""
    def row():
        return next(c for c in daemon.json("status")["cpus"] if c["cpu"] == 1)
    target = busy(spawn)
    os.sched_setaffinity(target.pid, [1])
    time.sleep(1)
    before = row()
    assert before["python"] > 0
    online("0")
    time.sleep(3)
    online("1")
    os.sched_setaffinity(target.pid, [1])
    wait_log(daemon, "sampling CPU 1 again")
    back = row()
    assert all(back[k] >= before[k] for k in ("due", "python", "other", "kernel", "idle"))
    document = daemon.record("-p", target.pid, seconds=1.5)
    assert document["samples"] > 300
    assert row()["python"] - back["python"] > 300
    named = [f["function"] for _, _, frames, _ in stacks_of(document, target.pid) for f in frames]
    assert "busy" in named
    for cpu in daemon.json("status")["cpus"]:
        assert cpu["due"] == sum(v for k, v in cpu.items() if k not in ("cpu", "due", "lost")) + sum(
            cpu["lost"].values()), cpu


def test_tail_calls(spawn):
    """The programs for kernels before 5.17, on this one."""
    d = Daemon(hz=999, env={"PYPROF_FORCE_TAIL": "1"}).wait_ready()
    target = busy(spawn)
    features = d.json("version")["features"]
    assert features["tail_calls"] and not features["bpf_loop"]
    document = d.record("-p", target.pid, seconds=1)
    above = d.record("-p", target.pid, "-r", 2000, seconds=1)
    for one in (document, above):
        assert one["samples"] > 100
        for _, _, frames, stack in stacks_of(one, target.pid):
            assert [f["function"] for f in frames] in (["<module>", "busy"], ["<module>"])
    assert d.stop() == 0


def test_status_tells_its_own_cost(daemon):
    """CPU time and memory are those that the kernel tells of the process."""
    def stat():
        with open("/proc/%d/stat" % daemon.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    low = stat()
    document = daemon.json("status")
    high = stat()
    assert low - 0.02 <= document["cpu_seconds"] <= high + 0.02
    rollup = {}
    with open("/proc/%d/smaps_rollup" % daemon.pid) as f:
        for line in f:
            if line.endswith("kB\n"):
                rollup[line.split(":")[0]] = int(line.split()[1]) * 1024
    private = rollup["Private_Clean"] + rollup["Private_Dirty"]
    assert abs(document["private_bytes"] - private) < 1 << 20
    assert abs(document["rss_bytes"] - rollup["Rss"]) < 1 << 20
    assert document["map_bytes"] > 4 << 20  # one ring alone
    text = daemon.ctl("status").stdout.decode()
    shown = float(re.search(r"own CPU +([\d.]+) s", text).group(1))
    assert document["cpu_seconds"] - 0.01 <= shown <= stat() + 0.03 and "M private" in text, text
