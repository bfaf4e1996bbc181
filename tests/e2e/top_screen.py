# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What tests of `pyprofctl top` share: a server with canned documents, and a real terminal (tmux).

Every test has its own socket, its own tmux server and its own terminal size. To look at a screen
yourself: `python3 tests/e2e/top_screen.py SOCKET SCENARIO` serves until killed.
"""

import copy
import http.server
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
CTL = ROOT / os.environ.get("B", "build") / "pyprofctl"
HOSTILE = "ev\x1b[31mil\x1b]0;owned\x07\u202egnp\u200f.\u05d0\u05d1\n\t\x9b2J"
WIDE = "漢字関数名前長い名前です"


def process(pid, comm, cpu, split, gil, hot, **more):
    python, native, system = split
    return {
        "pid": pid, "ns_pid": pid, "ppid": 1, "start_time_ns": 1, "ended_time_ns": None,
        "comm": comm, "cmdline": ["python3", "/srv/%s.py" % comm, "--serve"], "uid": 1000,
        "user": "web", "unit": comm + ".service", "container": None,
        "python": {"version": "3.12.1", "build": "gil", "executable": "/usr/bin/python3",
                   "library": None},
        "supported": True, "reason": None, "threads": 9, "cpu_percent": cpu,
        "rss_bytes": 612 << 20, "samples": 1000, "python_percent": python,
        "native_percent": native, "system_percent": system, "gil_percent": gil,
        "hot": hot and dict(zip(("function", "file", "line", "percent"), hot)), **more}


PROCESSES = [
    process(4242, "api", 71.3, (44.2, 21.1, 6.0), 51.0,
            ("Session.fetch", "/srv/api/orm/query.py", 88, 22.4)),
    process(5120, "batch", 98.8, (12.4, 79.9, 6.5), 13.2,
            ("Matrix.multiply", "/srv/batch/linear/matmul.py", 61, 61.0), threads=17,
            rss_bytes=1400 << 20, user="data"),
    process(6001, "celery", 15.8, (10.1, 4.0, 1.7), None,
            ("Template.render", "/srv/celery/site-packages/tpl/render.py", 31, 4.0), threads=12,
            unit=None, container="9f1c2b3a4d5e6f708192a3b4c5d6e7f8",
            python={"version": "3.13.0", "build": "free-threaded", "executable": "/usr/bin/python3.13t",
                    "library": None}),
    process(7007, "python2", None, (None, None, None), None, None, unit="session-3.scope",
            supported=False, reason="Python 2.7 is not supported (3.6 to 3.15 are)", threads=1,
            rss_bytes=20 << 20, user="root",
            python={"version": "2.7.18", "build": "gil", "executable": "/usr/bin/python2", "library": None}),
    process(812, "idle", 0.0, (0.0, 0.0, 0.0), 0.0, None, threads=1, rss_bytes=9 << 20),
]


def top(processes, window=5):
    return {"schema": "pyprof/1", "window_seconds": window, "processes": processes,
            "host": {"cores": 2, "python_percent": 62.0, "other_percent": 28.4, "idle_percent": 109.6}}


def frame(function, file, line):
    return {"function": function, "module": None, "file": file, "line": line, "kind": "python"}


def functions(pid):
    def place(name, file, line):
        return {"function": name, "file": file, "line": line}
    fetch = place("Session.fetch", "/srv/api/orm/query.py", 80)
    serve = place("Server.serve", "/srv/api/server.py", 12)
    decode = place("JSONDecoder.raw_decode", "/usr/lib/python3.12/json/decoder.py", 343)
    rows = [
        {**serve, "own_ns": 0, "total_ns": 41_000_000_000, "own_percent": 0.0, "total_percent": 68.3,
         "callers": [], "callees": [{**fetch, "total_ns": 22_800_000_000}]},
        {**fetch, "own_ns": 13_260_000_000, "total_ns": 22_800_000_000, "own_percent": 22.1,
         "total_percent": 38.0, "callers": [{**serve, "total_ns": 22_800_000_000}],
         "callees": [{**decode, "total_ns": 6_840_000_000}]},
        {**decode, "own_ns": 6_840_000_000, "total_ns": 6_840_000_000, "own_percent": 11.4,
         "total_percent": 11.4, "callers": [{**fetch, "total_ns": 6_840_000_000}], "callees": []},
    ]
    for i in range(40):
        rows.append({**place("helper_%d" % i, "/srv/api/helpers.py", 10 * i + 1), "own_ns": 50_000_000 - i,
                     "total_ns": 60_000_000, "own_percent": 0.1, "total_percent": 0.1,
                     "callers": [], "callees": []})
    for row in rows:
        row.update(calls=None, primitive_calls=None, samples=row["own_ns"] // 10101010, fidelity="S")
    return {"schema": "pyprof/1", "processes": [{"pid": pid, "functions": rows}]}


def lines(pid):
    def line(number, source, python, native=0.0, system=0.0):
        return {"line": number, "source": source, "python_percent": python, "native_percent": native,
                "system_percent": system}
    return {"schema": "pyprof/1", "processes": [{"pid": pid, "files": [
        {"file": "/usr/lib/python3.12/json/decoder.py", "newer_than_process": False,
         "lines": [line(353, "            obj, end = self.scan_once(s, idx)", 1.2, 7.7)]},
        {"file": "/srv/api/orm/query.py", "newer_than_process": True,
         "lines": [line(87, "\tcur = self.conn.cursor()", 0.4),
                   line(88, "\trows = cur.fetchall()  # " + WIDE, 10.1, 5.2, 2.6),
                   line(91, "\treturn [dict(zip(names, row)) for row in rows]", 4.0),
                   line(92, None, 0.1)]},
    ]}]}


def stacks(pid):
    main = [frame("Session.fetch", "/srv/api/orm/query.py", 88), frame("Server.serve", "/srv/api/server.py", 14),
            frame("<module>", "/srv/api/__main__.py", 3)]
    threads = [
        {"tid": pid, "name": "python3", "python_name": "MainThread", "state": "running", "syscall": None,
         "wait_cause": None, "gil": "held", "frames": main, "truncated": False, "error": None},
        {"tid": pid + 1, "name": "asyncio_0", "python_name": "asyncio_0", "state": "waiting",
         "syscall": "futex", "wait_cause": "lock", "gil": "released",
         "frames": [frame("Lock.acquire", "/srv/api/pool.py", 40)], "truncated": True, "error": None},
        {"tid": pid + 2, "name": "jemalloc_bg", "python_name": None, "state": "waiting", "syscall": "futex",
         "wait_cause": None, "gil": None, "frames": [], "truncated": False, "error": None},
        {"tid": pid + 3, "name": "worker", "python_name": "worker", "state": "running", "syscall": None,
         "wait_cause": None, "gil": "wanted", "frames": [], "truncated": False,
         "error": "the stack changed while it was read"},
    ]
    return {"schema": "pyprof/1", "processes": [{"pid": pid, "python": {"version": "3.12.1"}, "threads": threads}]}


STATUS = {"schema": "pyprof/1", "version": "0.1.0", "uptime_seconds": 3600, "hz": 99, "events": 712800,
          "samples": 50000, "lost": {"unreadable": 71, "nested": 1}, "cpu_seconds": 9.0,
          "private_bytes": 6_400_000, "rss_bytes": 9_000_000}

HOSTILES = [
    process(100, HOSTILE, 50.0, (50, 0, 0), 50, (HOSTILE, "/tmp/" + HOSTILE + ".py", 3, 50.0), unit=None),
    process(101, WIDE, 40.0, (40, 0, 0), 40, (WIDE * 3, "/srv/" + WIDE + ".py", 88, 40.0), unit=WIDE + ".service"),
    process(102, "e\u0301" * 9, 30.0, (30, 0, 0), 30, ("a" + "\u0301" * 500, "/srv/\u202ex.py", 1, 30.0), unit=None),
    process(103, "x" * 15, 20.0, (20, 0, 0), 20, ("a.very.long.qualified.name.<locals>." + "y" * 200, "/" + "z" * 300, 99999, 20.0),
            unit="u" * 200 + ".service"),
]
SCENARIOS = {"usual": PROCESSES, "empty": [], "hostile": HOSTILES,
             "many": [process(10000 + i, "worker-%d" % i, 99.0 - i, (50, 20, 10), 40,
                              ("work_%d" % i, "/srv/work.py", i + 1, 50.0)) for i in range(80)]}


def merged(documents):
    return {"schema": "pyprof/1", "processes": [process for d in documents for process in d["processes"]]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        server = self.server.owner
        server.paths.append(self.path)
        time.sleep(server.delay)
        asked = [int(pid) for pid in query.get("pid", [0])]
        pid = asked[0]
        match = re.fullmatch(r"/v1/processes/(\d+)/stacks", url.path)
        if match:
            self.answer(stacks(int(match[1])))
        elif url.path == "/v1/top":
            self.answer(top(server.processes, int(query.get("window", [server.window])[0])))
        elif url.path == "/v1/status":
            self.answer(server.status())
        elif url.path == "/v1/functions" and server.gone in asked:
            self.answer({"error": {"code": "no_such_pid", "message": "no process with pid %d" % server.gone,
                                   "remedy": "see: pyprofctl ps"}}, 404)
        elif url.path == "/v1/functions":
            self.answer(merged(functions(pid) for pid in asked))
        elif url.path == "/v1/lines":
            self.answer(merged(lines(pid) for pid in asked))
        else:
            self.answer({"error": {"code": "not_found", "message": "no such page: " + url.path,
                                   "remedy": "see README.md, The JSON"}}, 404)

    def do_POST(self):
        time.sleep(self.server.owner.delay)
        self.answer({"error": {"code": "busy", "message": "no recordings here", "remedy": "try again"}}, 503)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    allow_reuse_address = True


class Daemon:
    """A daemon with canned answers."""

    def __init__(self, path, scenario="usual"):
        self.path, self.processes = str(path), copy.deepcopy(SCENARIOS[scenario])
        self.paths, self.delay, self.gone, self.server = [], 0, None, None
        self.window, self.lost = 5, dict(STATUS["lost"])
        self.begun, self.uptime = time.monotonic(), 3600
        self.start()

    def status(self):
        passed = time.monotonic() - self.begun
        return {**STATUS, "uptime_seconds": self.uptime + passed, "cpu_seconds": 9 + 0.004 * passed,
                "events": int(STATUS["events"] + 198 * passed), "lost": dict(self.lost)}

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server = UnixServer(self.path, Handler)
        self.server.owner = self
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Screen:
    """`pyprofctl top` in a tmux of its own."""

    def __init__(self, folder, size, socket, command="top", env=""):
        self.tmux_socket = str(folder / "tmux")
        self.columns, self.rows = size
        self.left = folder / "left"
        line = "trap : INT; %s %s --socket %s %s; echo code $? > %s; exec sleep 60" % (env, CTL, socket, command, self.left)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]),
                  "env -u NO_COLOR -u LINES -u COLUMNS sh -c '%s'" % line)
        self.tmux("set-option", "-g", "status", "off")
        self.resize(*size)

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.tmux_socket, *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True).stdout.decode()

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", "--", key)
            time.sleep(0.08)

    def lines(self, *args):
        return self.tmux("capture-pane", "-p", *args).rstrip("\n").split("\n")

    def text(self):
        return "\n".join(self.lines())

    def wait(self, *wanted, without=(), seconds=10):
        """Waits until every text is on the screen; the lines."""
        end = time.monotonic() + seconds
        while True:
            text = self.text()
            if all(w in text for w in wanted) and not any(w in text for w in without):
                return text.split("\n")
            assert time.monotonic() < end, "no %r without %r in:\n%s" % (wanted, without, text)
            time.sleep(0.05)

    def wait_left(self, seconds=10):
        end = time.monotonic() + seconds
        while not self.left.exists() or not self.left.read_text().endswith("\n"):
            assert time.monotonic() < end, self.text()
            time.sleep(0.05)
        return int(self.left.read_text().split()[1])

    def close(self):
        subprocess.run(["tmux", "-S", self.tmux_socket, "kill-server"], stderr=subprocess.DEVNULL)


needs_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


@pytest.fixture
def serve():
    """serve(scenario) → a daemon with canned answers that ends with the test."""
    folder = tempfile.mkdtemp(prefix="pyprof-")
    started = []

    def start(scenario="usual"):
        started.append(Daemon(os.path.join(folder, "d%d.sock" % len(started)), scenario))
        return started[-1]
    yield start
    for daemon in started:
        daemon.stop()
    shutil.rmtree(folder)


@pytest.fixture
def screen(request):
    """screen(size, socket, …) → a Screen that ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="pyprof-"))
    started = []

    def start(size, socket, **kwargs):
        assert not started
        started.append(Screen(folder, size, socket, **kwargs))
        return started[-1]
    yield start
    for one in started:
        one.close()
    shutil.rmtree(folder)


def row(lines, start):
    """The words of the row of this pid."""
    found = [line.split() for line in lines if line.split()[:1] == [str(start)]]
    assert len(found) == 1, "\n".join(lines)
    return found[0]


def wcwidth_of(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


if __name__ == "__main__":
    Daemon(sys.argv[1], sys.argv[2])
    threading.Event().wait()
