# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Processes that fork, exec, live for 50 ms, or hide: every one is seen, named, and keeps its name after its end."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import textwrap
import time

import pytest
from conftest import PYPROFCTL, stacks_of
from interpreters import interpreters

HOST = "/usr/bin/python3"  # Debian's: static
PYENV = next((p for p in interpreters() if p.name.startswith("pyenv-3.12")), None)  # shared

BURN = """
import time
def inner_burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        for _ in range(100): pass
def outer_burn(seconds):
    inner_burn(seconds)
"""

FAMILIES = [pytest.param([HOST], id="static")] + (
    [pytest.param([PYENV.launcher], id="shared")] if PYENV else [])


def script(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(BURN + textwrap.dedent(text))
    tmp_path.chmod(0o755)
    return str(path)


def functions_of(document, pid):
    return {f["function"] for _, _, frames, _ in stacks_of(document, pid) for f in frames}


def ended(daemon):
    return {p["pid"]: p for p in daemon.json("ps", "--exited")["processes"]}


@pytest.mark.hz(99)
@pytest.mark.parametrize("python", FAMILIES)
def test_short_processes(daemon, tmp_path, python):
    """Of two hundred 50 ms processes at least 95 % are named, with lines; command line and names outlive them."""
    path = script(tmp_path, "short_lived.py", "outer_burn(0.035)\n")
    subprocess.run(python + [path], check=True)  # the first of its image
    time.sleep(0.3)
    finish = daemon_record(daemon)
    pids = []
    for _ in range(200):
        process = subprocess.Popen(python + [path])
        pids.append(process.pid)
        assert process.wait() == 0
    document = finish()
    lines = {}
    for _, _, frames, stack in stacks_of(document):
        for f in frames:
            if f["function"] == "inner_burn" and f["file"] == path and f["line"]:
                lines.setdefault(stack["pid"], set()).add(f["line"])
    named = [pid for pid in pids if lines.get(pid, set()) & {4, 5, 6}]
    assert len(named) >= 190, len(named)
    known = ended(daemon)
    told = [pid for pid in pids if pid in known and known[pid]["cmdline"][-1:] == [path]]
    assert len(told) >= 190, len(told)


@pytest.mark.parametrize("python", FAMILIES)
def test_fork_pool(daemon, tmp_path, python):
    """Every worker of a multiprocessing pool is seen, under its own pid."""
    path = script(tmp_path, "pool.py", """
        import multiprocessing, os
        def work(i):
            outer_burn(0.15)
            return os.getpid()
        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(4) as pool:
                print(*sorted(set(pool.map(work, range(16), chunksize=1))), flush=True)
        """)
    out = tmp_path / "out.json"
    run = daemon.ctl("record", "-f", "json", "-o", out, "--", *python, path)
    workers = [int(p) for p in run.stdout.split()]
    document = json.loads(out.read_text())
    assert len(workers) >= 2
    for pid in workers:
        assert {"inner_burn", "outer_burn", "work"} <= functions_of(document, pid), pid


def test_gunicorn_workers(daemon, tmp_path, spawn):
    """A prefork server from Debian's package: every worker is sampled from its fork on."""
    if not shutil.which("gunicorn"):
        pytest.skip("gunicorn is not installed (apt install gunicorn)")
    script(tmp_path, "served.py", """
        import os
        def app(environ, start_response):
            outer_burn(0.05)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        """)
    path = str(tmp_path / "g.sock")
    spawn(["gunicorn", "-w", "4", "-b", "unix:" + path, "--chdir", str(tmp_path), "served:app"],
          stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    record = daemon_record(daemon)
    workers = set()
    for _ in range(80):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(path)
        connection.request("GET", "/")
        workers.add(int(connection.getresponse().read()))
        connection.close()
    document = record()
    assert len(workers) >= 2
    for pid in workers:
        assert {"inner_burn", "app"} <= functions_of(document, pid), pid


def daemon_record(daemon, *selectors):
    """Starts a recording; call the result to end it and get the document."""
    process = subprocess.Popen([PYPROFCTL, "record", "--socket", daemon.socket, *(selectors or ("--all",)), "-f", "json",
                                "-o", "-"], stdout=subprocess.PIPE)
    time.sleep(0.4)

    def finish():
        time.sleep(0.2)
        process.send_signal(2)
        return json.loads(process.communicate(timeout=30)[0].decode())
    return finish


def test_exec_chain(daemon, tmp_path):
    """sh → static Python → exec of a shared one → exec of sh → Python: each image under its own command line."""
    if not PYENV:
        pytest.skip("no shared pyenv build")
    last = script(tmp_path, "last.py", "outer_burn(0.3)\n")
    second = script(tmp_path, "second.py", """
        import os
        outer_burn(0.3)
        os.execv("/bin/sh", ["sh", "-c", "exec %s %s"])
        """ % (HOST, last))
    first = script(tmp_path, "first.py", """
        import os
        outer_burn(0.3)
        os.execv(%r, ["python-second", %r])
        """ % (PYENV.launcher, second))
    finish = daemon_record(daemon)
    process = subprocess.Popen(["sh", "-c", "exec %s %s" % (HOST, first)])
    assert process.wait() == 0
    document = finish()
    files = {f["file"] for _, _, frames, _ in stacks_of(document, process.pid) for f in frames
             if f["function"] == "inner_burn"}
    assert files == {first, second, last}
    known = [p for p in daemon.json("ps", "--exited")["processes"] if p["pid"] == process.pid]
    assert {p["cmdline"][-1] for p in known} >= {first, second, last}
    assert {p["python"]["version"] for p in known} >= {PYENV.version_text}


def test_native_work_keeps_its_stack(daemon, spawn):
    """zlib and hashlib release the GIL: the stack is there, the sample is native, and GIL "released"."""
    code = textwrap.dedent("""
        import hashlib, sys, threading, zlib, os
        data = os.urandom(1 << 20)
        def hashing():
            while True: hashlib.sha256(data).digest()
        def packing():
            while True: zlib.compress(data)
        threads = [threading.Thread(target=f, daemon=True) for f in (hashing, packing)]
        for t in threads: t.start()
        print("ready", flush=True)
        sys.stdin.read()
        os._exit(0)
        """)
    for python in [p for p in interpreters() if p.supported]:
        target = spawn(python.argv + ["-c", code])
        assert target.stdout.readline() == b"ready\n"
        document = daemon.record("-p", target.pid, seconds=0.8)
        own = {}
        for _, samples, frames, stack in stacks_of(document, target.pid):
            leaf = frames[-1]["function"] if frames else None
            own[leaf] = own.get(leaf, 0) + samples
        total = sum(own.values())
        assert own.get("hashing", 0) > 20 and own.get("packing", 0) > 20, (python.name, own)
        assert own["hashing"] + own["packing"] >= 0.97 * total, (python.name, own)
        target.kill()
        target.wait()
