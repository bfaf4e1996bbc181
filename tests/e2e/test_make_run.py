# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`make run`, `make stop`, `make demo`: started once, found again, ended safely. Own socket and folder."""
import os
import pty
import select
import subprocess
import sys
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PYPROF_BUILD", os.path.join(ROOT, "build"))
SCRIPT = os.path.join(ROOT, "tests/daemon.sh")


@pytest.fixture
def host(tmp_path):
    """A call of the script; what it started is ended with the test."""
    environment = dict(os.environ, B=BUILD, PYPROF_RUN=str(tmp_path / "run"), PYPROF_SOCKET=str(tmp_path / "s"))

    def call(what, **more):
        return subprocess.run([SCRIPT, what], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, timeout=60, **more)
    call.environment = environment
    call.pid_file = tmp_path / "run/pyprofd.pid"
    yield call
    call("stop")


def alive(pid):
    try:
        with open("/proc/%s/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_run_prints_a_snapshot_and_leaves_the_daemon(host):
    result = host("run")
    assert result.returncode == 0, result.stdout
    assert "PID" in result.stdout and "make stop" in result.stdout
    pid = host.pid_file.read_text().strip()
    assert alive(pid)
    again = host("run")
    assert again.returncode == 0, again.stdout
    assert host.pid_file.read_text().strip() == pid, "a second daemon was started"
    stopped = host("stop")
    assert stopped.returncode == 0 and "pyprofd ended" in stopped.stdout
    assert not alive(pid) and not host.pid_file.exists()
    assert "Nothing to stop" in host("stop").stdout


def test_stop_believes_no_pid_that_another_process_has(host):
    other = subprocess.Popen(["sleep", "60"])
    try:
        host.pid_file.parent.mkdir()
        host.pid_file.write_text("%d\n" % other.pid)
        assert "Nothing to stop" in host("stop").stdout
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_run_says_why_the_daemon_did_not_start(host):
    host.environment["PYPROF_SOCKET"] = "relative"
    result = host("run")
    assert result.returncode == 1
    assert "absolute path" in result.stdout and "pyprofd.log" in result.stdout
    assert not host.pid_file.exists()


def test_demo_is_seen_and_ends(host):
    demo = host("demo")
    assert demo.returncode == 0, demo.stdout
    pid = (host.pid_file.parent / "demo.pid").read_text().strip()
    assert alive(pid) and pid in demo.stdout
    result = host("run")
    assert result.returncode == 0 and pid in result.stdout.split(), result.stdout
    assert "The demo runs already" in host("demo").stdout
    host("stop")
    assert not alive(pid)


def test_demo_ends_by_itself():
    started = time.monotonic()
    subprocess.run([sys.executable, os.path.join(ROOT, "tests/workloads/demo.py"), "1"], check=True, timeout=30)
    assert time.monotonic() - started < 10


def read_until(fd, text, seconds):
    seen, end = b"", time.monotonic() + seconds
    while text not in seen:
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            pytest.fail("no %r within %d s in %r" % (text, seconds, seen[-2000:]))
        try:
            seen += os.read(fd, 65536)
        except OSError:
            pytest.fail("ended without %r: %r" % (text, seen[-2000:]))
    return seen


def test_run_on_a_terminal_opens_top(host):
    pid, fd = pty.fork()
    if pid == 0:
        environment = dict(host.environment, TERM="xterm-256color", COLUMNS="100", LINES="30")
        os.execve(SCRIPT, [SCRIPT, "run"], environment)
    try:
        read_until(fd, b"PID", 30)
        os.write(fd, b"q")
        read_until(fd, b"make stop", 10)
        assert os.waitpid(pid, 0)[1] == 0
        assert alive(host.pid_file.read_text().strip())
    finally:
        os.close(fd)
