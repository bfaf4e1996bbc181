# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A server on a Unix socket that answers as pyprofd does, with canned documents: what pyprofctl
prints can then be compared letter by letter. Run by hand: `python3 fake_server.py SOCKET`."""
import copy
import http.server
import json
import socketserver
import sys
import threading
from urllib.parse import parse_qs, urlsplit

HOSTILE = "ev\x1b[31mil\x1b]0;owned\x07\u202egnp;x\n\t\x9b2J"
WIDE = "漢字関数"
START_NS = 1_700_000_000_000_000_000


def process(pid, comm, **more):
    document = {
        "pid": pid, "ns_pid": pid, "ppid": 1, "start_time_ns": START_NS + pid,
        "ended_time_ns": None, "comm": comm, "cmdline": ["python3", "/srv/%s.py" % comm],
        "uid": 1000, "user": "web", "unit": comm + ".service", "container": None,
        "python": {"version": "3.11.2", "build": "gil", "executable": "/usr/bin/python3.11",
                   "library": None},
        "supported": True, "reason": None, "threads": 2, "cpu_percent": 71.34,
        "rss_bytes": 612 << 20, "samples": 1000}
    document.update(more)
    return document


API = process(4242, "api")
BATCH = process(5120, "batch", unit=None, container="9f1c" * 16, user=None, uid=1001,
                python={"version": "3.13.0t", "build": "free-threaded",
                        "executable": "/usr/bin/python3.13t", "library": None})
OLD = process(7007, "python2", supported=False, cpu_percent=None,
              reason="Python 2.7 is not supported",
              python={"version": "2.7.18", "build": "gil", "executable": "/usr/bin/python2",
                      "library": None})
EVIL = process(666, "evil", cmdline=["python3", HOSTILE], unit=HOSTILE, user=HOSTILE)
ENDED = process(99, "short", ended_time_ns=START_NS + 99 + 50_000_000, samples=4, threads=None,
                cpu_percent=None, rss_bytes=None)


def frame(function, file, line, kind="python"):
    return {"function": function, "module": None, "file": file, "line": line, "kind": kind}


def stack(pid, tid, frames, weight, samples, **more):
    document = {"pid": pid, "start_time_ns": START_NS + pid, "tid": tid, "thread": "MainThread",
                "task": None, "weight": weight, "samples": samples, "gil": "held",
                "truncated": False, "frames": frames}
    document.update(more)
    return document


def record(processes, lost=None):
    """Three threads; frames 0 and 1 are one function at two lines."""
    first = processes[0]["pid"]
    stacks = [
        stack(first, first, [0, 2, 3], 30_000_000, 3),
        stack(first, first, [1, 2, 3], 10_000_000, 1, gil="released"),
        stack(first, first + 1, [4, 3], 20_000_000, 2, thread="wörker;1"),
        stack(first, first + 1, [5], 10_000_000, 1, thread="wörker;1", truncated=True,
              gil=None),
    ]
    if len(processes) > 1:
        stacks.append(stack(processes[1]["pid"], 7, [0], 10_000_000, 1, gil=None))
    samples = sum(s["samples"] for s in stacks)
    lost = lost or {}
    return {"schema": "pyprof/1", "resource": "cpu", "unit": "ns", "hz": 99,
            "started_time_ns": START_NS, "seconds": 1.0,
            "events": samples + sum(lost.values()), "samples": samples, "lost": lost,
            "processes": processes,
            "frames": [frame("fib", "/usr/lib/python3.11/site-packages/orm/query.py", 7),
                       frame("fib", "/usr/lib/python3.11/site-packages/orm/query.py", 9),
                       frame("main", "/srv/app.py", 20), frame("<module>", "/srv/app.py", 30),
                       frame(HOSTILE, "/srv/%s.py" % WIDE, 1), frame("deep", None, None)],
            "stacks": stacks}


def functions(processes):
    rows = [
        {"function": "fib", "file": "/srv/app.py", "line": 7, "calls": None,
         "primitive_calls": None, "own_ns": 40_000_000, "total_ns": 41_000_000,
         "own_percent": 40.04, "total_percent": 41.0, "samples": 4, "fidelity": "S",
         "callers": [{"function": "main", "file": "/srv/app.py", "line": 20,
                      "total_ns": 41_000_000}],
         "callees": []},
        {"function": "main", "file": "/srv/app.py", "line": 20, "calls": None,
         "primitive_calls": None, "own_ns": 0, "total_ns": 61_000_000, "own_percent": 0.0,
         "total_percent": 61.0, "samples": 6, "fidelity": "S", "callers": [],
         "callees": [{"function": "fib", "file": "/srv/app.py", "line": 7,
                      "total_ns": 41_000_000}]},
        {"function": HOSTILE, "file": "/srv/%s.py" % WIDE, "line": 1, "calls": None,
         "primitive_calls": None, "own_ns": 20_000_000, "total_ns": 20_000_000,
         "own_percent": 20.0, "total_percent": 20.0, "samples": 2, "fidelity": "S",
         "callers": [], "callees": []}]
    return {"schema": "pyprof/1", "seconds": 1.0,
            "processes": [dict(p, functions=copy.deepcopy(rows)) for p in processes]}


def dump(process_):
    pid = process_["pid"]
    return {"schema": "pyprof/1", "processes": [{
        "pid": pid, "python": process_["python"], "threads": [
            {"tid": pid, "name": "python3", "python_name": "MainThread", "state": "running",
             "syscall": None, "wait_cause": None, "gil": "held", "truncated": False,
             "error": None,
             "frames": [dict(frame("inner", "/srv/app.py", 5),
                             locals={"secret": HOSTILE, "n": "3"}),
                        frame("<module>", "/srv/app.py", 9)]},
            {"tid": pid + 1, "name": HOSTILE[:15], "python_name": None, "state": "waiting",
             "syscall": "futex", "wait_cause": "lock", "gil": "released", "truncated": True,
             "error": None, "frames": [frame(HOSTILE, "/srv/%s.py" % WIDE, 1)]},
            {"tid": pid + 2, "name": "busy", "python_name": None, "state": "running",
             "syscall": None, "wait_cause": None, "gil": None, "truncated": False,
             "error": "the thread ran while it was read, 5 times", "frames": []}]}]}


STATUS = {
    "schema": "pyprof/1", "version": "0.1.0", "uptime_seconds": 7380.5, "hz": 99,
    "kernel": "6.1.0", "events": 20000, "samples": 1500, "lost": {"starting": 10, "nested": 1},
    "cpus": [{"cpu": 0, "due": 100, "python": 10, "native": 5, "other": 20, "kernel": 4,
              "idle": 60, "self": 1, "lost": {}},
             {"cpu": 1, "due": 100, "python": 10, "native": 5, "other": 20, "kernel": 4,
              "idle": 51, "self": 1, "lost": {"skipped": 9}}],
    "per_process": [{"pid": 4242, "events": 16, "samples": 10, "native": 5,
                     "lost": {"starting": 1}}],
    "sources": [{"name": "cpu", "attached": True, "reason": None, "mode": "on", "price_ns": 2300.0,
                 "per_second": 198.0, "cost_percent": 0.0228},
                {"name": "syscalls", "attached": False, "reason": "nobody asked", "mode": "demand",
                 "price_ns": None, "per_second": 0.0, "cost_percent": None}],
    "cost_percent": 0.0228, "budget_percent": 0.5, "cpu_seconds": 2.5, "private_bytes": 9 << 20,
    "rss_bytes": 14 << 20, "map_bytes": 8 << 20, "limits": {"frames": 1024}}

VERSION = {"schema": "pyprof/1", "version": "0.1.0", "abi": 1, "api": 1, "kernel": "6.1.0",
           "features": {"bpf_loop": True, "btf": True, "jit": False}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def address_string(self):
        return "socket"

    def answer(self, document, status=200):
        body = (json.dumps(document, ensure_ascii=False) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 7):
                part = body[at:at + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        if self.server.drop:
            self.close_connection = True

    def error(self, code, message, remedy, status):
        self.answer({"schema": "pyprof/1",
                     "error": {"code": code, "message": message, "remedy": remedy}}, status)

    def chosen(self, query):
        server = self.server
        pids = [int(pid) for pid in query.get("pid", [])]
        for pid in pids:
            if pid not in [p["pid"] for p in server.processes] + server.adopted:
                return self.error("no_such_pid", "no process with pid %d" % pid,
                                  "see: pyprofctl ps", 404)
        return [p for p in server.processes
                if (not pids or p["pid"] in pids)
                and query.get("comm", [p["comm"]])[0] == p["comm"]]

    def route(self, method):
        server, url = self.server, urlsplit(self.path)
        query = parse_qs(url.query)
        server.requests.append((method, url.path, query))
        parts = url.path.strip("/").split("/")[1:]
        if parts == ["version"]:
            return self.answer(VERSION)
        if parts == ["status"]:
            return self.answer(STATUS)
        if parts[0] == "recordings":
            return self.recordings(method, parts[1:], query)
        if parts[0] == "processes" and len(parts) > 1:
            chosen = self.chosen({"pid": [parts[1]]})
            return chosen and self.answer(dump(chosen[0]))
        chosen = self.chosen(query)
        if chosen is None:
            return None
        if parts == ["processes"]:
            return self.answer({"schema": "pyprof/1", "processes": chosen
                                + (server.ended if "exited" in query else [])})
        if parts == ["functions"]:
            return self.answer(functions(chosen))
        return self.error("not_found", "no such page: " + url.path, "see README.md", 404)

    def recordings(self, method, rest, query):
        server = self.server
        if method == "POST":
            if "children" in query:
                server.adopted += [int(pid) for pid in query["pid"]]
            server.recorded = self.chosen(query)
            server.polls = 0
            return server.recorded is not None and self.answer({"schema": "pyprof/1", "id": 7})
        if rest != ["7"]:
            return self.error("not_found", "no recording " + rest[0], "", 404)
        if method == "GET":
            server.polls += 1
            return self.answer({"id": 7, "running": server.polls < server.polls_max,
                                "seconds": server.polls / 5, "samples": server.polls,
                                "events": server.polls, "lost": {}})
        return self.answer(server.record or record(server.recorded or [API], server.lost))

    def do_GET(self):
        self.route("GET")

    def do_POST(self):
        self.route("POST")

    def do_DELETE(self):
        self.route("DELETE")


class FakeServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        super().__init__(str(path), Handler)
        self.path = str(path)
        self.processes, self.ended, self.adopted = [API], [ENDED], []
        self.requests = []              # (method, path, query) of each
        self.chunked = self.drop = False  # drop: close behind each answer, without saying so
        self.record = self.lost = self.recorded = None
        self.polls, self.polls_max = 0, 2  # a recording ends at this GET

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    FakeServer(sys.argv[1]).serve_forever()
