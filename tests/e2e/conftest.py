# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the end-to-end tests share: the real daemon on a socket of its own, the CLI, workloads that end with the test."""
import atexit
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("B", "build"))
PYPROFD = os.path.join(BUILD, "pyprofd")
PYPROFCTL = os.path.join(BUILD, "pyprofctl")
WORKLOADS = os.path.join(ROOT, "tests", "workloads")
sys.path.insert(0, os.path.join(ROOT, "tests"))


class Daemon:
    """pyprofd in the foreground; its log is shown when a test fails."""

    def __init__(self, hz=99, env=None, args=()):
        self.folder = tempfile.mkdtemp(prefix="pyprof-")
        os.chmod(self.folder, 0o755)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)  # its log outlives it
        self.socket = os.path.join(self.folder, "d.sock")
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [PYPROFD, "--foreground", "--socket", self.socket, "--hz", str(hz), "--config", "/dev/null", *args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, **(env or {})))
        self.pid = self.process.pid
        atexit.register(self.stop)  # also where a test failed before it came to that

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError("pyprofd ended with %d: %s" % (self.process.returncode, self.log_text()))
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                return self
            time.sleep(0.02)
        raise AssertionError("pyprofd does not answer: " + self.log_text())

    def log_text(self):
        with open(self.log) as f:
            return f.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def ctl(self, *args, check=True, timeout=60, **kwargs):
        """Runs pyprofctl; its CompletedProcess."""
        run = subprocess.run([PYPROFCTL, args[0], "--socket", self.socket, *map(str, args[1:])],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                             timeout=timeout, **kwargs)
        if check:
            assert run.returncode == 0, (args, run.returncode, run.stderr.decode())
        return run

    def json(self, *args, **kwargs):
        return json.loads(self.ctl(*args, "--json", **kwargs).stdout.decode())

    def get(self, path):
        """The document of a route that no verb asks for."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        with contextlib.closing(connection):
            connection.sock.connect(self.socket)
            connection.request("GET", path)
            return json.loads(connection.getresponse().read().decode())

    def record(self, *args, seconds=None, check=True, **kwargs):
        """The `record` document."""
        more = [] if seconds is None else ["-d", str(seconds)]
        run = self.ctl("record", *args, *more, "-f", "json", "-o", "-", check=check, **kwargs)
        return json.loads(run.stdout.decode())


@pytest.fixture
def daemon(request):
    """A daemon at 999 Hz; @pytest.mark.hz(N) chooses another rate."""
    mark = request.node.get_closest_marker("hz")
    d = Daemon(hz=mark.args[0] if mark else 999).wait_ready()
    yield d
    code = d.stop()
    print(d.log_text())
    assert code == 0, "pyprofd ended with %d" % code


@pytest.fixture
def spawn():
    """Starts processes that end with the test: spawn(argv, …) → Popen with a pipe on stdin and stdout."""
    started = []

    def start(argv, **kwargs):
        kwargs.setdefault("stdin", subprocess.PIPE)
        kwargs.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen(argv, **kwargs)
        started.append(process)
        return process
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()


def pytest_configure(config):
    config.addinivalue_line("markers", "hz(rate): rate of the daemon of this test")


def stacks_of(document, pid=None):
    """[(weight_ns, samples, [frame, …] root first, stack)] of a record document."""
    frames = document["frames"]
    return [(s["weight"], s["samples"], [frames[i] for i in reversed(s["frames"])], s)
            for s in document["stacks"] if pid is None or s["pid"] == pid]


def own_weights(document, pid=None):
    """{function: weight_ns} by leaf Python function."""
    out = {}
    for weight, _, frames, _ in stacks_of(document, pid):
        name = frames[-1]["function"] if frames else None
        out[name] = out.get(name, 0) + weight
    return out


def sigma_bound(share, samples, sigmas=4):
    """How far a share may lie from the truth by chance: sigmas × √(p(1-p)/n)."""
    return sigmas * (share * (1 - share) / max(samples, 1)) ** 0.5
