# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Bad input to pyprofctl: one clear line with the remedy, and the exit code of the table."""
import os
import socket
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_server  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CTL = os.path.join(os.environ.get("PYPROF_BUILD", os.path.join(ROOT, "build")), "pyprofctl")


def ctl(*arguments, path="/nonexistent/pyprofd.sock", **more):
    environment = dict(os.environ, PYPROF_SOCKET=str(path))
    return subprocess.run([CTL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environment, timeout=30, **more)


def refused(result, code, *words):
    error = result.stderr.decode()
    assert result.returncode == code, error
    assert error.startswith("pyprofctl: ") and error.count("\n") == 1, error
    assert error.rstrip().endswith(")"), "no remedy: " + error
    for word in words:
        assert word in error, error


@pytest.fixture
def server(tmp_path):
    with fake_server.FakeServer(tmp_path / "s") as running:
        yield running


@pytest.mark.parametrize("arguments, words", [
    (["nosuch"], ["unknown verb", "nosuch"]),
    (["ps", "--nosuch"], ["unknown option", "--nosuch", "pyprofctl ps --help"]),
    (["ps", "-Z"], ["unknown option", "-Z"]),
    (["--nosuch", "ps"], ["--nosuch"]),
    (["ps", "-p"], ["argument", "-p"]),
    (["ps", "--pid"], ["argument", "--pid"]),
    (["ps", "--json=yes"], ["no argument", "--json=yes"]),
    (["ps", "stray"], ["no argument", "stray"]),
    (["ps", "--unit", ""], ["--unit"]),
    (["ps", "--color", "blue"], ["--color", "auto always never"]),
    (["dump", "-d", "3"], ["-d"]),
    (["functions", "-s", "size"], ["own, total, samples"]),
    (["functions", "a", "b"], ["one filter"]),
    (["record", "-f", "svg"], ["folded speedscope json"]),
    (["record", "--resource", "disk"], ["--resource", "cpu memory io syscall"]),
    (["record", "--resource", "io", "-r", "99"], ["-r", "--resource io"]),
    (["record", "-o", "x.svg"], ["x.svg", "-f folded"]),
    (["record", "sleep", "1"], ["-- before the command"]),
    (["record", "-p", "1", "--", "sleep"], ["do not go together"]),
    (["record", "--"], ["no command"]),
    (["completion", "fish"], ["bash zsh"]),
    (["completion"], ["bash zsh"]),
    (["help", "nosuch"], ["nosuch"]),
    ([], ["no verb"]),
], ids=" ".join)
def test_usage(arguments, words):
    refused(ctl(*arguments), 64, *words)


@pytest.mark.parametrize("arguments", [
    ["ps", "-p", "x"], ["ps", "-p", ""], ["ps", "-p", "0"], ["ps", "-p", "-1"], ["ps", "-p", "1,"],
    ["ps", "-p", "1,x"], ["ps", "-p", "1.5"], ["ps", "-p", "0x10"], ["ps", "-p", " 1"],
    ["ps", "-p", "99999999999999999999"], ["record", "-d", "0"], ["record", "-d", "-1"],
    ["record", "-d", "5x"], ["record", "-d", "1e3"], ["record", "-d", "nan"],
    ["record", "-d", "100h"], ["record", "-r", "0"], ["record", "-r", "10000"],
    ["record", "-r", "9.5"], ["functions", "-w", "61"], ["functions", "--limit", "0"],
], ids=" ".join)
def test_bad_number(arguments):
    refused(ctl(*arguments), 64, "not a number in range", arguments[-1])


@pytest.mark.parametrize("verb", ["ps", "functions", "record", "status", "version"])
def test_no_daemon(verb):
    refused(ctl(verb), 69, "pyprofd does not answer on /nonexistent/pyprofd.sock", "make run")


def test_socket_nobody_listens_on(tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.close()
    refused(ctl("ps", path=tmp_path / "s"), 69, "does not answer")


def test_socket_option_wins_and_its_path_is_bounded():
    refused(ctl("--socket", "/nonexistent/other", "ps"), 69, "/nonexistent/other")
    refused(ctl("ps", "--socket", "/nonexistent/third"), 69, "/nonexistent/third")
    refused(ctl("ps", "--socket", "/" + "a" * 200), 64, "longer")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_socket_without_permission(tmp_path, server):
    os.chmod(str(server.path), 0o600)
    readable = "/tmp/pyprof-test-%d" % os.getpid()  # tmp_path is closed to others
    subprocess.run(["cp", CTL, readable], check=True)
    try:
        result = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", readable, "ps",
             "--socket", server.path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=30)
    finally:
        os.unlink(readable)
    refused(result, 77, "no permission", server.path)


def serve_raw(path, *answers):
    """Answers each connection with raw bytes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(4)

    def run():
        for answer in answers:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()
        listener.close()

    threading.Thread(target=run, daemon=True).start()


@pytest.mark.parametrize("answer, words", [
    (b"SSH-2.0-OpenSSH\r\n\r\n", "not pyprofd"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":", "not pyprofd"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "not pyprofd"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "not pyprofd"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "not pyprofd"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not pyprofd"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}", "too large"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100000, "too large"),
    (b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", "status 502"),
], ids=range(9))
def test_what_is_no_daemon(tmp_path, answer, words):
    serve_raw(tmp_path / "s", answer)
    refused(ctl("status", path=tmp_path / "s"), 70, words)


def test_half_an_answer(tmp_path):
    serve_raw(tmp_path / "s", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
    refused(ctl("status", path=tmp_path / "s"), 75, "ended the connection")


def test_the_daemons_own_words(server):
    result = ctl("functions", "-p", "31337", path=server.path)
    refused(result, 66, "no process with pid 31337", "see: pyprofctl ps")
    assert result.stdout == b""


def test_error_of_another_version(tmp_path):
    body = b'{"error":{"code":"new_trouble","message":"no \x1b[31m luck","remedy":null}}'
    serve_raw(tmp_path / "s",
              b"HTTP/1.1 500 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    result = ctl("status", path=tmp_path / "s")
    assert result.returncode == 70 and b"\x1b" not in result.stderr


def test_no_python_process(server):
    server.processes = []
    refused(ctl("functions", path=server.path), 66, "no Python process to be seen")
    refused(ctl("dump", "--comm", "xyz", path=server.path), 66, "--comm xyz")
    result = ctl("ps", path=server.path)
    assert result.returncode == 0 and b"no Python process to be seen" in result.stderr


def test_only_an_unsupported_one(server):
    server.processes = [fake_server.OLD]
    refused(ctl("functions", path=server.path), 69, "7007", "Python 2.7 is not supported")


def test_several_are_listed(server):
    server.processes = [fake_server.API, fake_server.BATCH, fake_server.OLD, fake_server.EVIL]
    result = ctl("functions", path=server.path)
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 64 and result.stdout == b""
    assert [line.split()[1] for line in lines[1:-1]] == ["4242", "5120", "666"]
    assert "--pid" in lines[-1]
    assert b"\x1b" not in result.stderr and b"\x07" not in result.stderr


@pytest.mark.parametrize("place", ["/nonexistent/x.folded", "/proc/x.json", "/"])
def test_output_not_writable(server, place):
    refused(ctl("record", "-o", place, "-f", "json", path=server.path), 73, "cannot write",
            place)
    assert all(method != "POST" for method, _, _ in server.requests), "recorded for nothing"


def test_full_disk(server):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([CTL, "ps", "--socket", server.path], stdin=subprocess.DEVNULL,
                                stdout=full, stderr=subprocess.PIPE, timeout=30)
    refused(result, 73, "cannot write to stdout")


def test_dump_without_daemon_of_what_cannot_be():
    refused(ctl("dump", "-p", "4194301"), 66, "no process with pid 4194301")
    shell = subprocess.Popen(["sleep", "60"])
    try:
        refused(ctl("dump", "-p", str(shell.pid)), 66, "not a Python process")
    finally:
        shell.kill()
        shell.wait()


@pytest.mark.parametrize("verb", ["top", "ps", "dump", "functions", "record", "status", "doctor",
                                  "version", "completion", "help"])
def test_help_and_version_of_each_verb(verb):
    for option in ("--help", "-h"):
        result = ctl(verb, option)
        text = result.stdout.decode()
        assert result.returncode == 0 and result.stderr == b""
        assert text.startswith("Usage: pyprofctl %s " % verb) and "--socket PATH" in text
    assert ctl("help", verb).stdout == ctl(verb, "--help").stdout
    for option in ("--version", "-V"):
        assert ctl(verb, option).stdout == ctl("--version").stdout


def test_help_names_every_verb_and_the_api():
    text = ctl("help").stdout.decode()
    assert text == ctl("--help").stdout.decode()
    for verb in ("top", "ps", "dump", "functions", "record", "status", "doctor", "version"):
        assert "\n  %s " % verb in text
    api = ctl("help", "api").stdout.decode()
    assert "/v1/recordings" in api and "no_such_pid" in api
