# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`pyprofctl top` in a real terminal (tmux) against a server with canned documents.

Every test has its own socket, its own tmux server and its own terminal size. To look at a screen
yourself: `python3 tests/e2e/test_top_tmux.py SOCKET SCENARIO` serves until killed.
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
        pid = int(query.get("pid", [0])[0])
        match = re.fullmatch(r"/v1/processes/(\d+)/stacks", url.path)
        if match:
            self.answer(stacks(int(match[1])))
        elif url.path == "/v1/top":
            self.answer(top(server.processes, int(query.get("window", [5])[0])))
        elif url.path == "/v1/status":
            self.answer(server.status())
        elif url.path == "/v1/functions" and pid == server.gone:
            self.answer({"error": {"code": "no_such_pid", "message": "no process with pid %d" % pid,
                                   "remedy": "see: pyprofctl ps"}}, 404)
        elif url.path == "/v1/functions":
            self.answer(functions(pid))
        elif url.path == "/v1/lines":
            self.answer(lines(pid))
        else:
            self.answer({"error": {"code": "not_found", "message": "no such page: " + url.path,
                                   "remedy": "see README.md, The JSON"}}, 404)

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
        self.begun, self.uptime = time.monotonic(), 3600
        self.start()

    def status(self):
        passed = time.monotonic() - self.begun
        return {**STATUS, "uptime_seconds": self.uptime + passed, "cpu_seconds": 9 + 0.004 * passed,
                "events": int(STATUS["events"] + 198 * passed)}

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
                  "env -u NO_COLOR sh -c '%s'" % line)
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
            self.tmux("send-keys", key)
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


pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


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


def batch(daemon, *args, env=None, stdin=subprocess.DEVNULL):
    return subprocess.run([str(CTL), "top", "--socket", daemon.path, *args], stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=30, env={**os.environ, **(env or {})})


def row(lines, start):
    """The words of the row of this pid."""
    found = [line.split() for line in lines if line.split()[:1] == [str(start)]]
    assert len(found) == 1, "\n".join(lines)
    return found[0]


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (160, 50)])
def test_processes_at_each_size(serve, screen, size):
    shown = screen(size, serve().path)
    lines = shown.wait("4242", "lost 0.0%")
    assert len(lines) == size[1], "the key bar is on the last row"
    assert lines[0].startswith("pyprof  ") and "5 processes" in lines[0]
    assert re.match(r"CPU \[\|+ +\]  python 31.0%  other 14.2%  idle 54.8%$", lines[1])
    assert lines[2].startswith("99 Hz  last 5 s  pyprofd 0.")
    assert [line.split()[0] for line in lines[4:9]] == ["5120", "4242", "6001", "812", "7007"]  # by CPU
    assert row(lines, 5120)[1:4] == ["batch", "3.12", "98.8"] and "61" in row(lines, 5120)
    assert row(lines, 6001)[2] == "3.13t" and "n/a" in row(lines, 6001)
    assert "Python 2.7 is not" in lines[8]
    assert "q Quit" in lines[-1] and "? Help" in lines[-1]
    if size[0] >= 80:
        assert lines[3].split()[:10] == "PID UNIT PY CPU%▼ py nat sys GIL% THR RSS".split()
        assert row(lines, 5120)[4:10] == ["12", "80", "6", "13", "17", "1.4G"]
    if size[0] >= 160:
        assert "/srv/api/orm/query.py:88" in lines[5] and "python3 /srv/api.py --serve" in lines[5]
        assert "9f1c2b3a4d5e" in lines[6]


def test_resizes(serve, screen):
    shown = screen((160, 50), serve("many").path)
    shown.wait("worker-0", "COMMAND")
    for columns, rows in ((80, 24), (60, 15), (100, 10), (30, 6), (160, 50)):
        shown.resize(columns, rows)
        lines = shown.wait("10000", without=["COMMAND"] if columns < 160 else [])
        end = time.monotonic() + 5
        while len(lines) != rows or "q Quit" not in lines[-1]:
            assert time.monotonic() < end, "\n".join(lines)
            lines = shown.lines()
    shown.keys("q")
    assert shown.wait_left() == 0


def test_moves(serve, screen):
    shown = screen((80, 24), serve("many").path)
    shown.wait("10000")
    shown.keys("G")
    shown.wait("10079", without=["10050"])
    shown.keys("PPage", "PPage", "PPage", "PPage")
    shown.wait("10010", without=["10079"])
    shown.keys("g")
    shown.wait("10000")
    shown.keys("/")
    shown.wait("Find:")
    shown.keys("work_66", "Enter")
    shown.wait("10066", "q Quit")
    shown.keys("Enter")
    shown.wait("10066 worker-66", "[1 Functions]")


def test_functions_callers_lines_threads_dump(serve, screen):
    daemon = serve()
    shown = screen((80, 24), daemon.path)
    shown.wait("4242")
    shown.keys("Down", "Enter")
    lines = shown.wait("4242 api ▸ [1 Functions]  2 Lines   3 Threads", "Session.fetch")
    assert lines[4].split() == "SELF%▼TOTAL% SELF TOTAL FUNCTION FILE:LINE".split()
    assert lines[5].split() == ["22.1", "38.0", "13.3s", "22.8s", "Session.fetch", "/srv/api/orm/query.py:80"]
    shown.keys("s")
    assert "Server.serve" in shown.wait("TOTAL%▼")[5]
    shown.keys("S", "g", "Enter")
    lines = shown.wait("Callers of Session.fetch", "Called by")
    assert [line.split()[0] for line in lines[5:11]] == ["Called", "100.0", "In", "58.2", "Calls", "30.0"]
    shown.keys("G", "Enter")
    shown.wait("Callers of JSONDecoder.raw_decode", "Calls nothing seen")
    shown.keys("Escape")
    shown.wait("[1 Functions]")
    shown.keys("Tab")
    lines = shown.wait("[2 Lines]", "cur = self.conn.cursor()", "! changed since the process started")
    assert "/srv/api/orm/query.py  22.4%" in lines[5], "the hottest file first"
    assert lines[7].split()[:5] == ["!88", "10.1", "5.2", "2.6", "██████"]
    shown.keys("3")
    lines = shown.wait("[3 Threads]", "MainThread")
    assert lines[5].split()[:5] == ["4242", "MainThread", "running", "held", "Session.fetch"]
    assert lines[6].split()[:5] == ["4243", "asyncio_0", "waiting", "released", "futex"]
    shown.keys("Down", "Enter")
    lines = shown.wait("Dump of thread 4243", "more frames than are kept", without=["4242 \"MainThread"])
    shown.keys("Escape", "d")
    lines = shown.wait("▸ Dump at ", 'Thread 4242 "MainThread"  running, GIL held', "Lock.acquire /srv/api/pool.py:40")
    shown.keys("Escape", "Escape")
    shown.wait("HOTTEST FUNCTION")
    assert any(path.startswith("/v1/lines?pid=4242") for path in daemon.paths)


def test_sort_filter_user_pause_reset(serve, screen):
    daemon = serve()
    shown = screen((80, 24), daemon.path)
    shown.wait("4242")
    shown.keys("r")
    assert shown.wait("CPU%▲")[4].split()[0] == "812"
    shown.keys("<", "<", "<")
    assert [line.split()[0] for line in shown.wait("PID▲")[4:9]] == ["812", "4242", "5120", "6001", "7007"]
    shown.keys("\\")
    shown.wait("Show rows with:")
    shown.keys("matmul", "Enter")
    shown.wait("filter matmul", "5120", without=["4242"])
    shown.keys("c")
    shown.wait("4242", without=["filter"])
    shown.keys("u")
    shown.wait("of user")
    shown.keys("data", "Enter")
    shown.wait("user data", "5120", without=["4242"])
    shown.keys("c")
    shown.wait("4242")
    shown.keys("p")
    shown.wait("PAUSED")
    time.sleep(0.3)
    asked = len(daemon.paths)
    time.sleep(1.5)
    assert len(daemon.paths) == asked, "a paused screen asks nothing"
    shown.keys("p", "R")
    shown.wait("from reset", "last 2 s", without=["PAUSED"])
    assert "/v1/top?window=2" in daemon.paths
    shown.keys("c")
    shown.wait("last 5 s", without=["from reset"])


def test_help_lists_no_key_without_data(serve, screen):
    shown = screen((100, 50), serve().path)
    shown.wait("4242")
    shown.keys("?")
    text = "\n".join(shown.wait("one screen", "record the process for 10 seconds"))
    for absent in ("memory", "flame", "history", "kill"):
        assert absent not in text
    shown.keys("h")
    shown.wait("HOTTEST FUNCTION")
    shown.keys("m", "i", "f", "b", "K", "k", "9")
    shown.wait("HOTTEST FUNCTION", "4242")


def test_hostile_names(serve, screen):
    shown = screen((160, 20), serve("hostile").path)
    lines = shown.wait("\ufffd[31mil\ufffd]0;owned", "漢字関数名", "e\u0301" * 9)
    assert shown.tmux("display-message", "-p", "#{pane_title}").strip() != "owned"
    raw = shown.tmux("capture-pane", "-p", "-e")
    assert "\u202e" not in raw and "\u200f" not in raw and "\x9b" not in raw
    assert len(lines) == 20 and "q Quit" in lines[-1], "nothing scrolled or cleared"
    # every row's CPU% ends in the column of its title, wide characters or not
    end = wcwidth_of(lines[3][:lines[3].index("▼")])
    for line, cpu in zip(lines[4:8], ("50.0", "40.0", "30.0", "20.0")):
        assert wcwidth_of(line[:line.index(cpu) + 4]) == end, line
    shown.resize(80, 24)
    shown.wait("漢字", without=["zzzzzzzzzz"])


def wcwidth_of(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def test_nothing_runs(serve, screen):
    shown = screen((80, 24), serve("empty").path)
    shown.wait("No Python process runs on this host", "make demo")
    shown.keys("Enter", "d", "w", "H", "Down", "q")
    assert shown.wait_left() == 0


def test_daemon_dies_and_returns(serve, screen):
    daemon = serve()
    shown = screen((80, 24), daemon.path)
    shown.wait("4242", "99 Hz")
    daemon.stop()
    lines = shown.wait("s old, trying again: pyprofd does not answer on")
    assert "4242" in lines[5], "the last figures stay"
    shown.keys("Down", "Down")
    daemon.start()
    shown.wait("99 Hz", "4242", without=["does not answer"])
    daemon.delay = 30
    shown.keys("?")
    shown.wait("one screen", seconds=2)  # a daemon that hangs does not hold up the keys
    shown.keys("q")
    assert shown.wait_left(3) == 0


def test_no_daemon(screen, serve):
    daemon = serve()
    daemon.stop()
    shown = screen((80, 24), daemon.path)
    shown.wait("pyprofd does not answer on", "start it: systemctl start pyprofd, or: make run")
    shown.keys("C-c")
    assert shown.wait_left() == 0


def test_process_ends_while_looked_at(serve, screen):
    daemon = serve()
    shown = screen((80, 24), daemon.path)
    shown.wait("4242")
    shown.keys("Down", "Enter")
    shown.wait("Session.fetch")
    daemon.gone = 4242
    lines = shown.wait("no process with pid 4242")
    assert any("Session.fetch" in line for line in lines), "what was seen last stays"
    shown.keys("Escape")
    shown.wait("HOTTEST FUNCTION")


def test_unsupported_process_says_why(serve, screen):
    shown = screen((80, 24), serve().path)
    shown.wait("7007")
    shown.keys("G", "Enter")
    shown.wait("Process 7007 cannot be profiled: Python 2.7 is not supported (3.6 to 3.15 are)")


def test_colours(serve, screen):
    shown = screen((80, 24), serve().path)
    shown.wait("4242", "98.8")
    colours = set(re.findall(r"\x1b\[(?:\d+;)*((?:3|4|9|10)\d)(?:;\d+)*m", "\n".join(shown.lines("-e"))))
    assert colours and colours <= {str(c) for c in (30, 31, 32, 33, 34, 36, 39, 42, 46, 49)}, "the first eight colours only"


def test_no_color(serve, screen):
    shown = screen((80, 24), serve().path, env="NO_COLOR=1")
    shown.wait("4242", "98.8")
    assert not re.search(r"\x1b\[(\d+;)*[34][0-7]", "\n".join(shown.lines("-e")))


def test_note_on_leaving(serve, screen):
    shown = screen((80, 24), serve().path, env="PYPROF_TOP_NOTE=\"runs on in the background\"")
    shown.wait("4242")
    shown.keys("q")
    assert shown.wait_left() == 0
    shown.wait("runs on in the background", without=["HOTTEST"])


def test_record_says_why_not(serve, screen):
    """The canned daemon knows no recordings: the child's reason reaches the screen."""
    shown = screen((80, 24), serve().path)
    shown.wait("4242")
    shown.keys("w")
    shown.wait("Recording failed: pyprofctl:")


def test_batch(serve):
    daemon = serve()
    run = batch(daemon)
    assert run.returncode == 0 and not run.stderr
    text = run.stdout.decode()
    assert "\x1b" not in text
    lines = text.split("\n")
    assert lines[0].startswith("pyprof  ") and "5 processes" in lines[0]
    assert lines[4].split()[:12] == "PID UNIT PY CPU% py nat sys GIL% THR RSS HOT% HOTTEST".split()
    assert "Session.fetch /srv/api/orm/query.py:88" in text and text.count("CPU%") == 1
    assert batch(daemon, "-n", "2", "--interval", "0.1").stdout.decode().count("CPU%") == 2
    by_memory = batch(daemon, "--batch", "-n", "1", "--sort", "rss", "--limit", "1").stdout.decode()
    assert "5120" in by_memory and "4242" not in by_memory
    bad = batch(daemon, "--sort", "colour")
    assert bad.returncode == 64 and b"colour" in bad.stderr


def test_batch_json(serve):
    run = batch(serve(), "--json")
    document = json.loads(run.stdout.decode())
    assert document["schema"] == "pyprof/1" and len(document["processes"]) == 5


def test_batch_hostile(serve):
    text = batch(serve("hostile")).stdout.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200e\u200f]", text)
    assert max(map(wcwidth_of, text.split("\n"))) < 400


def test_batch_without_processes(serve):
    run = batch(serve("empty"), env={"PYPROF_TOP_NOTE": "runs on"})
    assert run.returncode == 0 and b"make demo" in run.stdout and b"runs on" in run.stderr


def test_batch_waits_for_the_first_second(serve):
    daemon = serve()
    daemon.uptime, daemon.begun = 0.2, time.monotonic()
    began = time.monotonic()
    assert batch(daemon).returncode == 0
    assert 0.45 < time.monotonic() - began < 2.4  # 0.2 s are over of the 0.7 that it waits for
    assert daemon.paths[-1].startswith("/v1/top")
    daemon.uptime, daemon.begun = 0, time.monotonic() + 3600  # a clock that stands does not hold it up
    began = time.monotonic()
    assert batch(daemon).returncode == 0
    assert time.monotonic() - began < 4


def test_batch_without_daemon(serve):
    daemon = serve()
    daemon.stop()
    run = batch(daemon)
    assert run.returncode == 69 and not run.stdout
    assert run.stderr.decode().count("\n") == 1 and "does not answer" in run.stderr.decode()


if __name__ == "__main__":
    Daemon(sys.argv[1], sys.argv[2])
    threading.Event().wait()
