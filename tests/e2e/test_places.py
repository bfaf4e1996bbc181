# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Processes in unusual places: a binary deleted or renamed, a chroot, namespaces, an embedded interpreter, other
users, a Python that is too old; and the main job, a running service in top within two seconds."""
import json
import os
import shutil
import subprocess
import tempfile
import textwrap
import time

import pytest
from conftest import PYPROFCTL, Daemon, stacks_of
from interpreters import embed, interpreters

HOST = os.path.realpath("/usr/bin/python3")  # Debian's: static
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/"]

SPIN = textwrap.dedent("""
    import os, sys
    def inner_spin():
        while True:
            for _ in range(1000):
                pass
    def outer_spin():
        inner_spin()
    print("pid", os.getpid(), flush=True)
    outer_spin()
    """)
LINES = {4, 5, 6}  # of inner_spin()'s loop
CALL = 8  # in outer_spin()


@pytest.fixture
def folder():
    """A folder that every user can enter; pytest's own is root's alone."""
    path = tempfile.mkdtemp(prefix="pyprof-place-")
    os.chmod(path, 0o755)
    with open(os.path.join(path, "spinner.py"), "w") as file:
        file.write(SPIN)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def start(spawn, argv, **kwargs):
    """Starts a spinner; its Popen once it runs."""
    target = spawn(argv, **kwargs)
    line = target.stdout.readline().split()
    assert line and line[0] == b"pid", line
    return target


def listed(daemon, pid, seconds=5):
    """The row of `ps`."""
    end = time.monotonic() + seconds
    while True:
        rows = [p for p in daemon.json("ps")["processes"] if p["pid"] == pid]
        if rows and rows[0]["python"] or time.monotonic() > end:
            assert rows, "ps does not list %d" % pid
            return rows[0]
        time.sleep(0.05)


def check_spinner(daemon, pid, version, file):
    """Listed with its version; recorded with function, file and line."""
    row = listed(daemon, pid)
    assert row["supported"] is True and row["python"]["version"] == version, row
    document = daemon.record("-p", pid, seconds=0.6)
    whole = total = 0
    for _, samples, frames, stack in stacks_of(document, pid):
        total += samples
        names = [(f["function"], f["file"]) for f in frames]
        if names == [("<module>", file), ("outer_spin", file), ("inner_spin", file)]:
            assert frames[1]["line"] == CALL, frames
            assert frames[2]["line"] in LINES, frames
            assert not stack["truncated"]
            whole += samples
    assert whole > 100 and whole == total, (whole, total, document["lost"])
    return row


def version_of(program):
    code = "import platform; print(platform.python_version())"
    return subprocess.run([program, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def test_deleted_binary(daemon, spawn, folder):
    program, script = os.path.join(folder, "python3"), os.path.join(folder, "spinner.py")
    shutil.copy(HOST, program)
    target = start(spawn, [program, script])
    os.unlink(program)
    check_spinner(daemon, target.pid, version_of(HOST), script)


def test_deleted_binary_before_the_daemon(spawn, folder):
    program, script = os.path.join(folder, "python3"), os.path.join(folder, "spinner.py")
    shutil.copy(HOST, program)
    target = start(spawn, [program, script])
    os.unlink(program)
    daemon = Daemon(hz=999).wait_ready()
    try:
        check_spinner(daemon, target.pid, version_of(HOST), script)
    finally:
        daemon.stop()


def test_deleted_library(daemon, spawn, folder):
    """An upgrade replaces libpython under a running service."""
    python = next((p for p in interpreters() if p.name.startswith("pyenv-3.12")), None)
    if not python:
        pytest.skip("no shared pyenv 3.12")
    prefix = os.path.dirname(os.path.dirname(python.argv[0]))
    library = next(n for n in os.listdir(prefix + "/lib") if n.startswith("libpython3.12.so."))
    copy, script = os.path.join(folder, library), os.path.join(folder, "spinner.py")
    shutil.copy(os.path.join(prefix, "lib", library), copy)
    target = start(spawn, python.argv + [script], env=dict(os.environ, LD_LIBRARY_PATH=folder))
    with open("/proc/%d/maps" % target.pid) as maps:
        assert copy in maps.read()
    os.unlink(copy)
    check_spinner(daemon, target.pid, python.version_text, script)


def test_renamed_binary(daemon, spawn, folder):
    program, script = os.path.join(folder, "worker"), os.path.join(folder, "spinner.py")
    shutil.copy(HOST, program)
    target = start(spawn, [program, script])
    row = check_spinner(daemon, target.pid, version_of(HOST), script)
    assert row["comm"] == "worker" and row["python"]["executable"] == program, row


ROOTS = [p for p in interpreters() if p.root and not p.jit]


@pytest.mark.skipif(not ROOTS, reason="no chroot build (make interpreters)")
@pytest.mark.parametrize("python", ROOTS[:1] + ROOTS[-1:] if len(ROOTS) > 1 else ROOTS, ids=str)
def test_chroot(daemon, spawn, folder, python):
    source = os.path.join(folder, "chroot_spinner.py")
    shutil.copy(os.path.join(folder, "spinner.py"), source)
    path = python.place(source)
    try:
        target = start(spawn, python.argv + [path])
        assert os.readlink("/proc/%d/root" % target.pid) != "/"
        row = check_spinner(daemon, target.pid, python.version_text, path)
        assert row["cmdline"][-1] == path
    finally:
        os.unlink(python.outside(path))


def test_mount_namespace(daemon, spawn, folder):
    """The program and its script lie on a tmpfs that only the target sees."""
    inside = os.path.join(folder, "private")
    os.mkdir(inside)
    steps = ("mount -t tmpfs tmpfs {0} && cp {1} {0}/python3 && cp {2}/spinner.py {0}/ "
             "&& exec {0}/python3 {0}/spinner.py").format(inside, HOST, folder)
    target = start(spawn, ["unshare", "-m", "sh", "-c", steps])
    assert os.listdir(inside) == []
    check_spinner(daemon, target.pid, version_of(HOST), os.path.join(inside, "spinner.py"))


@pytest.mark.parametrize("before", [False, True], ids=["daemon first", "target first"])
@pytest.mark.parametrize("name", [None, "pyenv-3.12", "pyenv-3.8"], ids=["static", "pyenv-3.12", "pyenv-3.8"])
def test_pid_namespace(spawn, folder, name, before):
    """The target's own pid is 1 or so; pyprof shows the host's, and its threads' names and states are right."""
    python = next((p for p in interpreters() if name and p.name.startswith(name)), None)
    if name and not python:
        pytest.skip("no %s" % name)
    program, version = (python.argv[0], python.version_text) if python else (HOST, version_of(HOST))
    script = os.path.join(folder, "spinner.py")
    daemon = None if before else Daemon(hz=999).wait_ready()
    shell = spawn(["unshare", "-pf", "--mount-proc", "--kill-child", program, script])
    inner = int(shell.stdout.readline().split()[1])
    daemon = daemon or Daemon(hz=999).wait_ready()
    try:
        with open("/proc/%d/task/%d/children" % (shell.pid, shell.pid)) as file:
            pid = int(file.read().split()[0])
        assert inner == 1 and pid != 1
        row = check_spinner(daemon, pid, version, script)
        assert row["ns_pid"] == inner, row
        dump = daemon.json("dump", "-p", pid)["processes"][0]
        assert [t["tid"] for t in dump["threads"]] == [pid], dump
        assert dump["threads"][0]["frames"][-2]["function"] == "outer_spin", dump
    finally:
        daemon.stop()


EMBED = r"""
#include <Python.h>
static void run_spinner(const char *path)
{
	FILE *file = fopen(path, "r");
	PyRun_SimpleFileEx(file, path, 1);
}
int main(int argc, char **argv)
{
	Py_Initialize();
	if (argc > 1)
		run_spinner(argv[1]);
	return 0;
}
"""


def embedded(folder, python, static):
    """Builds the C program, with this host's Python where none is given."""
    source, program = os.path.join(folder, "embed.c"), os.path.join(folder, "service")
    with open(source, "w") as file:
        file.write(EMBED)
    include, arguments = embed.INCLUDE, [source, "-o", program] + ["-no-pie"] * (static == "no-pie")
    if python:
        prefix = os.path.dirname(os.path.dirname(python.argv[0]))
        name = "python%d.%d" % python.minor
        include = "%s/include/%s" % (prefix, name)
        arguments += ["-L%s/lib" % prefix, "-l" + name, "-Wl,-rpath,%s/lib" % prefix]
    elif static:
        arguments += [*embed.archive("-pic" if static == "pie" else ""), "-rdynamic"]
    else:
        arguments.append("-l" + embed.NAME)
    embed.compile_and_link(*arguments, include=include)
    return program


@pytest.mark.parametrize("name, static", [(None, ""), (None, "pie"), (None, "no-pie"), ("pyenv-3.12", ""),
                                          ("pyenv-3.13", "")],
                         ids=["shared", "static-pie", "static-no-pie", "pyenv-3.12", "pyenv-3.13"])
def test_embedded(daemon, spawn, folder, name, static):
    python = next((p for p in interpreters() if name and p.name.startswith(name)), None)
    if name and not python:
        pytest.skip("no %s" % name)
    program = embedded(folder, python, static)
    script = os.path.join(folder, "spinner.py")
    environment = dict(os.environ)
    if python:
        environment["PYTHONHOME"] = os.path.dirname(os.path.dirname(python.argv[0]))
    target = start(spawn, [program, script], env=environment)
    version = python.version_text if python else version_of(HOST)
    row = check_spinner(daemon, target.pid, version, script)
    assert row["comm"] == "service"


def test_another_users_process(daemon, spawn, folder):
    script = os.path.join(folder, "spinner.py")
    target = start(spawn, NOBODY + [HOST, script])
    row = check_spinner(daemon, target.pid, version_of(HOST), script)
    assert row["user"] == "nobody" and row["uid"] == os.stat("/proc/%d" % target.pid).st_uid != 0, row
    assert [p["pid"] for p in daemon.json("ps", "--user", "nobody")["processes"]] == [target.pid]


def as_nobody(daemon, *args):
    # A checkout in /root may not be entered by others: the program goes where the daemon's socket is.
    program = shutil.copy(PYPROFCTL, os.path.dirname(daemon.socket))
    return subprocess.run(NOBODY + [program, args[0], "--socket", daemon.socket, *map(str, args[1:])],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


@pytest.fixture
def two_users(spawn, folder):
    """(nobody's process, root's process)"""
    script = os.path.join(folder, "spinner.py")
    return start(spawn, NOBODY + [HOST, script]), start(spawn, [HOST, script])


def test_unprivileged_lists(daemon, two_users):
    """Lists hold the user's own processes only."""
    mine, roots = two_users
    listed(daemon, mine.pid)
    listed(daemon, roots.pid)
    time.sleep(1)
    for verb in (["ps"], ["top", "-n", "1"], ["functions"], ["functions", "--all"]):
        run = as_nobody(daemon, *verb, "--json")
        assert run.returncode == 0, (verb, run)
        assert [p["pid"] for p in json.loads(run.stdout.decode())["processes"]] == [mine.pid], verb
    record = json.loads(as_nobody(daemon, "record", "--all", "-d", "0.5", "-f", "json", "-o", "-").stdout.decode())
    assert [p["pid"] for p in record["processes"]] == [mine.pid]
    assert {s["pid"] for s in record["stacks"]} == {mine.pid}
    status = as_nobody(daemon, "status", "--json")
    assert status.returncode == 0, status
    assert {p["pid"] for p in json.loads(status.stdout.decode())["per_process"]} <= {mine.pid}


@pytest.mark.parametrize("verb", [["dump"], ["dump", "--direct"], ["dump", "--locals"], ["functions"], ["top", "-n", "1"],
                                  ["record", "-d", "0.3", "-f", "json", "-o", "-"]], ids=" ".join)
def test_unprivileged_refused(daemon, two_users, verb):
    """Another user's process: permission denied, in one line."""
    _, roots = two_users
    listed(daemon, roots.pid)
    run = as_nobody(daemon, verb[0], "-p", roots.pid, *verb[1:])
    error = run.stderr.decode()
    assert run.returncode == 77, (run.returncode, error, run.stdout[:300])
    assert error.startswith("pyprofctl: ") and error.count("\n") == 1 and str(roots.pid) in error, error
    assert run.stdout == b""


def test_unprivileged_own_process(daemon, two_users, folder):
    mine, _ = two_users
    listed(daemon, mine.pid)
    script = os.path.join(folder, "spinner.py")
    run = as_nobody(daemon, "record", "-p", mine.pid, "-d", "0.5", "-f", "json", "-o", "-")
    assert run.returncode == 0, run
    document = json.loads(run.stdout.decode())
    assert [f[-1]["function"] for _, _, f, _ in stacks_of(document, mine.pid)].count("inner_spin") > 0
    for more in ([], ["--locals"]):
        dump = as_nobody(daemon, "dump", "-p", mine.pid, "--json", *more)
        assert dump.returncode == 0, dump
        frames = json.loads(dump.stdout.decode())["processes"][0]["threads"][0]["frames"]
        assert [(f["function"], f["file"]) for f in frames] == [
            ("inner_spin", script), ("outer_spin", script), ("<module>", script)], frames


def test_unsupported_python(daemon, spawn):
    python = next((p for p in interpreters(unsupported=True) if not p.supported), None)
    if not python:
        pytest.skip("no Python before 3.6 found")
    target = start(spawn, [python.launcher, "-u", "-c", "import os\nprint('pid %d' % os.getpid())\nwhile True: pass"])
    row = listed(daemon, target.pid)
    assert row["supported"] is False and row["python"]["version"] == python.version_text, row
    assert "2.7" in row["reason"] and "3.6" in row["reason"], row
    text = [line for line in daemon.ctl("ps").stdout.decode().splitlines() if line.split()[:1] == [str(target.pid)]]
    assert len(text) == 1 and "not profiled: " + row["reason"] in text[0], text
    for verb in (["dump"], ["dump", "--direct"], ["record", "-d", "0.3", "-f", "json", "-o", "-"]):
        run = daemon.ctl(verb[0], "-p", target.pid, *verb[1:], check=False)
        error = run.stderr.decode()
        assert run.returncode == 69, (verb, run.returncode, error)
        assert error.startswith("pyprofctl: ") and error.count("\n") == 1, error
        assert "2.7" in error and "3.6" in error and run.stdout == b"", (verb, error)


def test_not_python(daemon, spawn):
    target = spawn(["sleep", "1000"])
    time.sleep(0.1)
    for verb in (["dump"], ["record", "-d", "0.3", "-f", "json", "-o", "-"]):
        run = daemon.ctl(verb[0], "-p", target.pid, *verb[1:], check=False)
        assert run.returncode == 66 and run.stderr.count(b"\n") == 1, (verb, run)


@pytest.mark.parametrize("name", ["host", "pyenv-3.8", "pyenv-3.12", "pyenv-3.13"])
def test_running_service_within_two_seconds(spawn, folder, name):
    """The main job: from the daemon's start to the hottest function and line in `top`, ≤ 2 s."""
    python = next((p for p in interpreters() if p.name.startswith(name)), None)
    if not python:
        pytest.skip("no %s" % name)
    script = os.path.join(folder, "spinner.py")
    target = start(spawn, python.argv + [script])
    time.sleep(1)
    begin = time.monotonic()
    daemon = Daemon(hz=99)
    try:
        found = None
        while not found and time.monotonic() < begin + 10:
            run = daemon.ctl("top", "--batch", "-n", "1", check=False)
            rows = [line for line in run.stdout.decode().splitlines() if line.split()[:1] == [str(target.pid)]]
            found = next((row for row in rows if "inner_spin" in row), None)
        took = time.monotonic() - begin
        assert found, (run, daemon.log_text())
        assert any("spinner.py:%d" % line in found for line in LINES), found
        assert took <= 2, "%.2f s: %s" % (took, found)
        print("%s: %.2f s" % (name, took))
    finally:
        daemon.stop()
