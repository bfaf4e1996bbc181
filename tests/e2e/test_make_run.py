# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`make run`, `make stop`, `make demo`: started once, found again, ended safely. Own socket and folder."""
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PYPROF_BUILD", os.path.join(ROOT, "build"))
SCRIPT = os.path.join(ROOT, "tests/daemon.sh")
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


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


def session(leader):
    """The processes of a session that still run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as stat:
                state, _, _, of = stat.read().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if of == leader and state != "Z":
            found.append(pid)
    return found


def test_stop_ends_the_demo_and_its_helper(host):
    host("demo")
    leader = (host.pid_file.parent / "demo.pid").read_text().strip()
    end = time.monotonic() + 10
    while len(session(leader)) < 2:
        assert time.monotonic() < end, "the demo has no helper"
        time.sleep(0.02)
    assert "The demo ended" in host("stop").stdout
    while session(leader):
        assert time.monotonic() < end, "left behind: %s" % session(leader)
        time.sleep(0.02)


@pytest.fixture
def checkout():
    """The scripts alone, where every user may enter; pytest's own folders are root's."""
    folder = tempfile.mkdtemp(prefix="pyprof-checkout-")
    os.chmod(folder, 0o755)
    os.mkdir(os.path.join(folder, "tests"))
    for name in ("daemon.sh", "owner.sh"):
        shutil.copy(os.path.join(ROOT, "tests", name), os.path.join(folder, "tests"))
    yield folder
    shutil.rmtree(folder)


def as_nobody(checkout, what, environment):
    return subprocess.run([*NOBODY, os.path.join(checkout, "tests/daemon.sh"), what], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=60)


def test_stop_without_rights_says_so(host, checkout):
    """It told that the daemon of root had ended."""
    assert host("run").returncode == 0
    run = os.path.join(checkout, "run")
    shutil.copytree(str(host.pid_file.parent), run)
    result = as_nobody(checkout, "stop", dict(host.environment, PYPROF_RUN=run))
    assert result.returncode == 1 and "sudo make stop" in result.stdout and "ended" not in result.stdout, result.stdout
    assert alive(host.pid_file.read_text().strip())
    assert os.path.exists(os.path.join(run, "pyprofd.pid"))


def test_rights_are_asked_for_first(host, checkout):
    """Before anything is installed or built, and before a demo that nobody could stop."""
    may = as_nobody(checkout, "may", host.environment)
    assert may.returncode == 1 and "sudo make run" in may.stdout, may.stdout
    run = os.path.join(checkout, "run")
    demo = as_nobody(checkout, "demo", dict(host.environment, PYPROF_RUN=run))
    assert demo.returncode == 1 and "sudo make demo" in demo.stdout and "runs as" not in demo.stdout, demo.stdout


def test_what_root_builds_is_the_owners(checkout, tmp_path):
    build, outside = os.path.join(checkout, "build"), tmp_path / "outside"
    os.makedirs(os.path.join(build, "daemon"))
    outside.write_text("")
    os.symlink(str(outside), os.path.join(build, "daemon/link"))
    os.chown(checkout, 65534, 65534)
    subprocess.run([os.path.join(checkout, "tests/owner.sh")], check=True, timeout=60)
    for path in (build, build + "/daemon", build + "/daemon/link"):
        assert os.lstat(path).st_uid == 65534, path
    assert outside.stat().st_uid == 0


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
