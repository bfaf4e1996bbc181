# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the verbs of pyprofctl print and write, against a server with canned documents."""
import glob
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_server  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CTL = os.path.join(os.environ.get("PYPROF_BUILD", os.path.join(ROOT, "build")), "pyprofctl")
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def server(tmp_path):
    with fake_server.FakeServer(tmp_path / "s") as running:
        yield running


def start(server, *arguments, **more):
    environment = dict(os.environ, PYPROF_SOCKET=server.path, **more.pop("env", {}))
    return subprocess.Popen([CTL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment, **more)


def ctl(server, *arguments, code=0, **more):
    process = start(server, *arguments, **more)
    out, error = (stream.decode() for stream in process.communicate(timeout=30))
    assert process.returncode == code, error
    assert not RAW.search(error), "raw control characters"
    # JSON is for programs: there a name is what it is.
    assert out.startswith("{") or not RAW.search(out.replace("\t", "")), "raw control characters"
    return out, error


def terminal(server, *arguments, columns=80, send=b"", env=None):
    """Runs on a pseudo-terminal; all that it wrote."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PYPROF_SOCKET=server.path, TERM="xterm", **(env or {}))
        subprocess.run(["stty", "cols", str(columns), "rows", "24"])
        os.execv(CTL, [CTL, *arguments])
    out, sent = b"", not send
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ready, _, _ = select.select([fd], [], [], 0.2)
        if ready:
            try:
                chunk = os.read(fd, 65536)
            except OSError:
                break
            if not chunk:
                break
            out += chunk
        if not sent and b"? " in out:
            os.write(fd, send)
            sent = True
    _, status = os.waitpid(pid, 0)
    return os.WEXITSTATUS(status), out.decode().replace("\r\n", "\n")


def test_ps(server):
    server.processes = [fake_server.API, fake_server.BATCH, fake_server.OLD]
    out, error = ctl(server, "ps")
    assert error == ""
    assert out.splitlines() == [
        " PID  UNIT             PYTHON   USER  THR  CPU%   RSS  COMMAND",
        "4242  api.service      3.11.2   web     2  71.3  612M  python3 /srv/api.py",
        "5120  9f1c9f1c9f1c     3.13.0t  1001    2  71.3  612M  python3 /srv/batch.py",
        "7007  python2.service  2.7.18   web     2   n/a  612M  (not profiled: Python 2.7 is not"
        " supported) python3 /srv/python2.py"]


def test_ps_exited(server):
    out, _ = ctl(server, "ps", "--exited")
    header, row = out.splitlines()
    assert header.split() == ["PID", "UNIT", "PYTHON", "USER", "SAMPLES", "ENDED", "LIVED",
                              "COMMAND"]
    assert "99  short.service  3.11.2  web         4" in row
    assert " ago  50.0 ms  python3 /srv/short.py" in row
    assert server.requests[-1][2] == {"exited": ["1"]}


def test_ps_json_is_the_servers_bytes(server):
    out, _ = ctl(server, "ps", "--json", "--user", "w eb&ü")
    assert out == json.dumps({"schema": "pyprof/1", "processes": [fake_server.API]},
                             ensure_ascii=False) + "\n"
    assert server.requests[-1][2] == {"user": ["w eb&ü"]}


def test_hostile_text_never_is_raw(server):
    server.processes = [fake_server.EVIL]
    for verb in (["ps"], ["functions", "--callers"], ["dump"], ["status", "-v"]):
        out, _ = ctl(server, *verb)
        assert "\n" in out
    out, _ = ctl(server, "ps")
    assert len(out.splitlines()) == 2 and "\ufffd[31mil" in out


@pytest.mark.parametrize("chunked, drop", [(True, False), (False, True), (True, True)])
def test_kinds_of_answers(server, chunked, drop):
    server.chunked, server.drop = chunked, drop
    out, _ = ctl(server, "dump")  # several questions over one connection
    assert "inner (/srv/app.py:5)" in out


def test_dump(server):
    out, _ = ctl(server, "dump", "-p", "4242", "--locals")
    assert server.requests[-1][2] == {"locals": ["1"]}
    # The heading has the command line only of a process that is really there.
    lines = out.splitlines()
    assert lines[0].startswith("Process 4242")
    assert lines[1:6] == [
        "Python v3.11.2 (/usr/bin/python3.11)", "",
        'Thread 4242 "MainThread" (running, gil held)', "    inner (/srv/app.py:5)",
        "        secret = ev\ufffd[31mil\ufffd]0;owned\ufffd\ufffdgnp;x\ufffd\ufffd\ufffd2J"]
    assert "(waiting in futex: lock, gil released)" in out
    assert "    ! cut after 1 frames" in out
    assert "    ! the thread ran while it was read, 5 times" in out


def test_dump_of_several_is_one_document(server):
    server.processes = [fake_server.API, fake_server.BATCH, fake_server.OLD]
    out, _ = ctl(server, "dump", "--all", "--json")
    assert [p["pid"] for p in json.loads(out)["processes"]] == [4242, 5120]
    out, _ = ctl(server, "dump", "-p", "4242", "--json")
    assert out == json.dumps(fake_server.dump(fake_server.API), ensure_ascii=False) + "\n"


def test_dump_tells_the_lost_one_and_prints_the_others(server):
    out, error = ctl(server, "dump", "-p", "4242,31337", code=66)
    assert "Process 4242" in out and "no process with pid 31337" in error


def test_functions(server):
    out, _ = ctl(server, "functions", "--callers", "--callees", "fib|main")
    assert out.splitlines() == [
        "OWN%  TOTAL%      OWN    TOTAL  SAMPLES  CALLS  FUNCTION (FILE:LINE)",
        "40.0    41.0  40.0 ms  41.0 ms        4    n/a  fib (/srv/app.py:7)",
        "                        41.0 ms <- main (/srv/app.py:20)",
        " 0.0    61.0     0 ns  61.0 ms        6    n/a  main (/srv/app.py:20)",
        "                        41.0 ms -> fib (/srv/app.py:7)",
        "",
        "CALLS n/a: samples do not count calls"]


@pytest.mark.parametrize("key, first", [("own", "fib"), ("total", "main"), ("samples", "main"),
                                        ("name", "ev\ufffd[31mil")])
def test_functions_order(server, key, first):
    out, _ = ctl(server, "functions", "-s", key, "--limit", "1")
    rows = out.splitlines()
    assert len(rows) == 4 and first in rows[1]


def test_functions_filter_that_is_no_regex(server):
    out, _ = ctl(server, "functions", "/srv/app.py")
    assert len(out.splitlines()) == 5
    out, error = ctl(server, "functions", "fib(")
    assert len(out.splitlines()) == 1 and "no function matches fib(" in error


def test_functions_asks_for_time(server):
    ctl(server, "functions", "-d", "1.5", "--comm", "api")
    assert server.requests[-1][2] == {"comm": ["api"], "seconds": ["1.5"]}
    ctl(server, "functions", "-w", "10")
    assert server.requests[-1][2] == {"pid": ["4242"], "window": ["10"]}


def test_status(server):
    out, _ = ctl(server, "status", "-v")
    assert "0.1.0, running for 2h03m, 99 Hz, kernel 6.1.0" in out
    assert re.search(r"lost +11 \(0\.06 % of the events\)", out)
    assert re.search(r"starting +10  0\.05 %", out)
    assert re.search(r"own memory 9\.0M private, 14M resident, 8\.0M in maps", out)
    assert re.search(r"syscalls +demand +no +n/a +0\.0 +n/a  nobody asked", out)
    assert out.count("adds up") == 3 and "off by" not in out
    fake_server.STATUS["cpus"][1]["idle"] += 2
    try:
        assert "off by 2" in ctl(server, "status", "-v")[0]
    finally:
        fake_server.STATUS["cpus"][1]["idle"] -= 2


def test_version(server):
    out, _ = ctl(server, "version")
    assert re.search(r"pyprofctl +0\.1\.0\npyprofd +0\.1\.0\n", out)
    assert "features   bpf_loop btf\n" in out


def test_doctor(server):
    program = "import time; print(1, flush=True); time.sleep(60)"
    target = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    target.stdout.readline()
    try:
        process = start(server, "doctor", "--json")
        document = json.loads(process.communicate(timeout=30)[0])
    finally:
        target.kill()
        target.wait()
    checks = {check["name"]: check for check in document["checks"]}
    assert set(checks) >= {"kernel", "btf", "bpf", "ring_buffer", "perf_events", "rights", "daemon"}
    for check in checks.values():
        assert check["detail"] and (check["ok"] or check["remedy"])
    assert checks["daemon"]["ok"]
    assert process.returncode == (0 if all(c["ok"] for c in checks.values()) else 1)
    mine = [p for p in document["processes"] if p["pid"] == target.pid]
    assert mine and mine[0]["supported"] and mine[0]["python"]["version"].startswith("3.")


def test_terminal_cuts_and_colours(server):
    code, out = terminal(server, "ps", columns=40)
    assert code == 0 and "\x1b[1m" in out
    assert all(len(re.sub("\x1b[^m]*m", "", line)) <= 40 for line in out.splitlines())
    assert "\x1b[" not in terminal(server, "ps", env={"NO_COLOR": "1"})[1]
    assert "\x1b[" not in terminal(server, "ps", "--color", "never")[1]
    out = start(server, "ps", env={"CLICOLOR_FORCE": "1"}).communicate()[0]
    assert b"\x1b[1m" in out


def test_terminal_json_is_escaped(server):
    server.processes = [fake_server.EVIL]
    for arguments in (["ps", "--json"], ["record", "-f", "json", "-o", "-"],
                      ["record", "-f", "speedscope", "-o", "-"]):
        code, out = terminal(server, *arguments)
        line, = [line for line in out.splitlines() if "{" in line]
        line = line[line.index("{"):]
        assert code == 0 and not RAW.search(line)
        if arguments[0] == "ps":
            assert json.loads(line)["processes"][0]["unit"] == fake_server.HOSTILE


def test_terminal_asks_which(server):
    server.processes = [fake_server.API, fake_server.BATCH]
    code, out = terminal(server, "dump", send=b"2\n")
    assert code == 0 and "Which one (1-2)?" in out and "Process 5120" in out
    assert terminal(server, "dump", send=b"3\n")[0] == 64
    assert terminal(server, "dump", send=b"x\n")[0] == 64


# record

FOLDED = [
    "<module> (app.py:30);main (app.py:20);fib (orm/query.py:7) 3",
    "<module> (app.py:30);main (app.py:20);fib (orm/query.py:9) 1",
    "<module> (app.py:30);ev\ufffd[31mil\ufffd]0:owned\ufffd\ufffdgnp:x\ufffd\ufffd\ufffd2J"
    " (漢字関数.py:1) 2",
    "[truncated];deep 1",
]


def recorded(server, *arguments, code=0):
    out, error = ctl(server, "record", "-o", "-", *arguments, code=code)
    return out, error


def test_record_folded(server):
    out, error = recorded(server)
    assert sorted(out.splitlines()) == sorted(FOLDED)
    assert "7 samples of 1 process in 1.0 s" in error
    post = [query for method, _, query in server.requests if method == "POST"]
    assert post == [{"pid": ["4242"]}]


@pytest.mark.parametrize("option, line", [
    ("--function", "<module> (app.py);main (app.py);fib (orm/query.py) 4"),
    ("--nolineno", "<module> (app.py);main (app.py);fib (orm/query.py) 4"),
    ("--full-filenames", "<module> (/srv/app.py:30);main (/srv/app.py:20);"
     "fib (/usr/lib/python3.11/site-packages/orm/query.py:9) 1"),
    ("--threads", 'thread 4242 "MainThread";<module> (app.py:30);main (app.py:20);'
     "fib (orm/query.py:7) 3"),
    ("--threads", 'thread 4243 "wörker:1";[truncated];deep 1'),
])
def test_record_options(server, option, line):
    assert line in recorded(server, option)[0].splitlines()


def test_record_gil_and_idle(server):
    out, error = recorded(server, "--gil", "--idle")
    assert "query.py:9" not in out and "deep" not in out and "query.py:7) 3" in out
    assert "--idle: n/a" in error


def test_record_of_several_names_them(server):
    server.processes = [fake_server.API, fake_server.BATCH]
    out, _ = recorded(server, "--all")
    assert all(line.startswith(("process 4242: python3 /srv/api.py;",
                                "process 5120: python3 /srv/batch.py;"))
               for line in out.splitlines())


def speedscope_check(document):
    """The rules of file-format-schema.json that a sampled profile falls under."""
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = document["shared"]["frames"]
    for frame in frames:
        assert isinstance(frame["name"], str) and set(frame) <= {"name", "file", "line", "col"}
    assert document["profiles"]
    for profile in document["profiles"]:
        assert set(profile) == {"type", "name", "unit", "startValue", "endValue", "samples",
                                "weights"}
        assert profile["type"] == "sampled" and profile["unit"] == "nanoseconds"
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= i < len(frames) for sample in profile["samples"] for i in sample)
        assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])


def test_record_speedscope(server):
    document = json.loads(recorded(server, "-f", "speedscope")[0])
    speedscope_check(document)
    profile, = document["profiles"]
    assert profile["endValue"] == 70_000_000
    frames = document["shared"]["frames"]
    stacks = {tuple(frames[i]["name"] for i in sample): weight
              for sample, weight in zip(profile["samples"], profile["weights"])}
    assert stacks[("[truncated]", "deep")] == 10_000_000
    assert {f["line"] for f in frames if f["name"] == "fib"} == {7, 9}
    # What the file holds is the name itself, escaped.
    assert fake_server.HOSTILE.split("\x1b")[0] in str(frames)

    document = json.loads(recorded(server, "-f", "speedscope", "--threads", "--function")[0])
    speedscope_check(document)
    assert [p["endValue"] for p in document["profiles"]] == [40_000_000, 30_000_000]
    assert [f for f in document["shared"]["frames"] if f["name"] == "fib"] \
        == [{"name": "fib", "file": "orm/query.py"}]


def test_record_without_samples(server):
    server.record = dict(fake_server.record([fake_server.API]), stacks=[], frames=[], samples=0,
                         events=0)
    out, error = recorded(server, "-f", "speedscope")
    speedscope_check(json.loads(out))
    assert "no sample" in error
    assert recorded(server)[0] == ""


def test_record_json_is_the_servers_bytes(server):
    out, _ = recorded(server, "-f", "json")
    assert out == json.dumps(fake_server.record([fake_server.API]), ensure_ascii=False) + "\n"


@pytest.mark.parametrize("break_it", [
    lambda d: d["stacks"][0].update(frames=[99]),
    lambda d: d["stacks"][0].update(frames=[-1]),
    lambda d: d["stacks"][0].update(frames="x"),
    lambda d: d["stacks"][0].update(weight=-1),
    lambda d: d["stacks"][0].update(samples=None),
    lambda d: d.update(stacks=None),
    lambda d: d.update(frames={}),
])
def test_record_of_a_broken_document(server, tmp_path, break_it):
    server.record = fake_server.record([fake_server.API])
    break_it(server.record)
    for name in ("x.folded", "x.speedscope.json"):
        ctl(server, "record", "-o", str(tmp_path / name), code=70)
        assert os.listdir(str(tmp_path)) == ["s"]


@pytest.mark.parametrize("name, first", [("a.folded", "<"), ("a.txt", "<"), ("a.json", '{"schema'),
                                         ("a.speedscope.json", '{"$schema')])
def test_record_format_by_name(server, tmp_path, name, first):
    path = tmp_path / name
    path.write_text("old")
    mask = os.umask(0o027)
    try:
        _, error = ctl(server, "record", "-o", str(path))
    finally:
        os.umask(mask)
    assert path.read_text().startswith(first)
    assert "wrote %s: 7 samples" % path in error
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(str(tmp_path))) == sorted([name, "s"])


def test_record_names_a_file(server, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    _, error = ctl(server, "record", cwd=str(work))
    name, = os.listdir(str(work))
    assert re.fullmatch(r"pyprof-api-4242-\d{8}-\d{6}\.speedscope\.json", name)
    assert "wrote %s:" % name in error
    speedscope_check(json.loads((work / name).read_text()))


def test_record_to_a_link_and_a_device(server, tmp_path):
    (tmp_path / "link.folded").symlink_to("real.folded")
    (tmp_path / "real.folded").write_text("old")
    ctl(server, "record", "-o", str(tmp_path / "link.folded"))
    assert (tmp_path / "link.folded").is_symlink()
    assert (tmp_path / "real.folded").read_text().count("\n") == 4
    ctl(server, "record", "-f", "folded", "-o", "/dev/null")


def test_record_degraded(server):
    server.lost = {"unreadable": 1}
    _, error = recorded(server, code=2)
    assert "12.5 % of the events were lost (1 of 8)" in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_record_until_a_signal(server, tmp_path, number):
    server.polls_max = 1000
    path = tmp_path / "x.folded"
    process = start(server, "record", "-o", str(path))
    while server.polls < 2:
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 0 and len(path.read_text().splitlines()) == 4


def test_record_progress_only_on_a_terminal(server, tmp_path):
    code, out = terminal(server, "record", "-o", str(tmp_path / "x.folded"))
    assert code == 0 and "recording" in out and "Ctrl-C" in out
    _, error = recorded(server)
    assert "recording" not in error


def test_record_options_reach_the_daemon(server):
    recorded(server, "-p", "4242", "-r", "999", "-d", "2m", "--subprocesses")
    post = [query for method, _, query in server.requests if method == "POST"]
    assert post == [{"pid": ["4242"], "hz": ["999"], "seconds": ["120"], "children": ["1"]}]


def test_record_command(server, tmp_path):
    """The recording is there before the command's first instruction; its status is ours."""
    server.polls_max = 1000
    path = tmp_path / "x.folded"
    ctl(server, "record", "-o", str(path), "--", "sh", "-c", "exit 7", code=7)
    assert path.exists()
    (post,) = [query for method, _, query in server.requests if method == "POST"]
    assert post["children"] == ["1"] and int(post["pid"][0]) > 1
    assert server.requests[0][0] == "POST"


def test_record_command_output_is_its_own(server):
    server.polls_max = 1000
    out, _ = ctl(server, "record", "-o", "/dev/null", "-f", "json", "--", "echo", "-n", "hello")
    assert out == "hello"


def test_record_command_that_is_not_there(server, tmp_path):
    _, error = ctl(server, "record", "-o", str(tmp_path / "x.json"), "--", "/nonexistent/x",
                   code=127)
    assert "cannot run /nonexistent/x" in error
    assert os.listdir(str(tmp_path)) == ["s"]


def test_record_command_does_not_run_without_daemon(tmp_path):
    class Nothing:
        path = str(tmp_path / "none")
    ctl(Nothing, "record", "-o", str(tmp_path / "x.json"), "--", "touch", str(tmp_path / "ran"),
        code=69)
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_record_command_gets_signals(server, tmp_path, number):
    server.polls_max = 1000
    program = "import sys, time\nprint('up', flush=True)\ntime.sleep(60)"
    process = start(server, "record", "-o", str(tmp_path / "x.folded"), "--", sys.executable, "-c",
                    program)
    assert process.stdout.readline() == b"up\n"
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert (tmp_path / "x.folded").exists()


def test_record_daemon_goes_away(server, tmp_path):
    server.polls_max = 1000
    process = start(server, "record", "-o", str(tmp_path / "x.folded"), "--", "sh", "-c",
                    "sleep 0.5; touch %s" % (tmp_path / "ran"))
    while server.polls < 1:
        time.sleep(0.02)
    os.unlink(server.path)
    server.drop = True
    process.communicate(timeout=10)
    assert process.returncode in (69, 75)
    assert glob.glob(str(tmp_path / "*")) == [str(tmp_path / "ran")], "the command was let to end"


# completion


def bash_complete(script, *words):
    program = script + """
COMP_WORDS=(%s); COMP_CWORD=%d; _pyprofctl; printf '%%s\\n' "${COMPREPLY[@]}"
""" % (" ".join("'%s'" % w for w in words), len(words) - 1)
    return subprocess.run(["bash", "--norc", "-c", program], stdout=subprocess.PIPE, check=True,
                          timeout=10).stdout.decode().split()


def test_completion_bash(server):
    script, _ = ctl(server, "completion", "bash")
    assert bash_complete(script, "pyprofctl", "re") == ["record"]
    assert bash_complete(script, "pyprofctl", "--socket", "/x", "st") == ["status"]
    assert bash_complete(script, "pyprofctl", "record", "-f", "sp") == ["speedscope"]
    assert "--rate" in bash_complete(script, "pyprofctl", "record", "--")
    assert "--rate" not in bash_complete(script, "pyprofctl", "ps", "--")
    assert bash_complete(script, "pyprofctl", "completion", "b") == ["bash"]


def test_completion_zsh(server):
    script, _ = ctl(server, "completion", "zsh")
    assert script.startswith("#compdef pyprofctl\n") and "--rate=[" in script
    if subprocess.run(["sh", "-c", "command -v zsh"], stdout=subprocess.DEVNULL).returncode:
        pytest.skip("no zsh here")
    subprocess.run(["zsh", "-n", "/dev/stdin"], input=script.encode(), check=True, timeout=10)
