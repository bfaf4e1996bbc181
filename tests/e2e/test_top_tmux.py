# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`pyprofctl top` in a real terminal (tmux) and as plain text, against a server with canned documents. Its keys:
test_top_keys.py."""

import json
import os
import re
import subprocess
import time

import pytest
from top_screen import CTL, needs_tmux, row, screen, serve, wcwidth_of  # noqa: F401 (fixtures)

pytestmark = needs_tmux


def batch(daemon, *args, env=None, stdin=subprocess.DEVNULL):
    return subprocess.run([str(CTL), "top", "--socket", daemon.path, *args], stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=30, env={**os.environ, **(env or {})})


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
    shown = screen((100, 60), serve().path)
    shown.wait("4242")
    shown.keys("?")
    text = "\n".join(shown.wait("one screen", "record it for 10 seconds"))
    for absent in ("memory", "I/O", "kill"):
        assert absent not in text
    shown.resize(80, 24)
    shown.wait("one screen", without=["…"])
    shown.keys("G")
    shown.wait("cannot be known", without=["…"])
    shown.keys("h")
    shown.wait("HOTTEST FUNCTION")
    shown.keys("m", "i", "K", "k", "9")
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


def test_dumb_terminal_gets_one_plain_picture(serve, screen):
    shown = screen((160, 24), serve().path, env="TERM=dumb")
    shown.wait("4242", "HOTTEST FUNCTION", "USER", without=["q Quit"])
    assert shown.wait_left() == 0


def test_command_of_lines_is_one_line(serve):
    daemon = serve()
    daemon.processes[0]["cmdline"] = ["python3", "-c", "import time\nwhile 1:\n\tpass"]
    assert "python3 -c import time while 1:  pass" in batch(daemon).stdout.decode()


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
