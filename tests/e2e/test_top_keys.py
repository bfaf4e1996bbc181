# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Keys of `pyprofctl top` on 80 columns and 24 rows, each in a real terminal (tmux)."""

import re
import time

from top_screen import needs_tmux, process, row, screen, serve, wcwidth_of  # noqa: F401 (fixtures)

pytestmark = needs_tmux
SIZE = (80, 24)


def pids(lines, first=4):
    """The first words of the rows, as far as they go."""
    return [line.split()[0] for line in lines[first:-1] if line.strip()]


def fits(lines):
    return len(lines) == 24 and all(wcwidth_of(line) <= 80 for line in lines)


def test_tree(serve, screen):
    daemon = serve()
    for child, parent in ((1, 4242), (2, 5120), (4, 4242)):
        daemon.processes[child]["ppid"] = parent
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("t")
    lines = shown.wait("├ batch", "└ idle")
    assert pids(lines) == ["4242", "5120", "6001", "812", "7007"] and fits(lines)
    assert row(lines, 6001)[1].startswith("│└")
    shown.keys("r")  # siblings only change places among themselves
    assert pids(shown.wait("├ idle", "CPU%▲")) == ["4242", "812", "5120", "6001", "7007"]
    shown.keys("\\")
    shown.wait("Show rows with:")
    shown.keys("render", "Enter")  # a row without its parent is a root
    assert row(shown.wait("6001", without=["4242"]), 6001)[1].startswith("9f1c")
    shown.keys("c", "F5", "r")
    assert pids(shown.wait("CPU%▼", without=["├"])) == ["5120", "4242", "6001", "812", "7007"]


def test_tags(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("Space", "Space")
    lines = shown.wait("*5120", "*4242", "tagged 2")
    assert fits(lines) and lines[-1].startswith("? Help")
    shown.keys("G", "Enter")  # the bar is elsewhere: those with a mark count
    lines = shown.wait("2 tagged ▸ [1 Functions]", "Session.fetch")
    assert lines[5].split()[:4] == ["44.2", "76.0", "26.5s", "45.6s"], "two processes add up"
    shown.keys("Enter")
    assert shown.wait("Callers of Session.fetch")[6].split()[:2] == ["100.0", "45.6s"]
    shown.keys("Escape", "3")
    lines = shown.wait("[3 Threads]", "Process 5120", "Process 4242", "5123")
    assert pids(lines, 5)[:6] == ["Process", "4242", "4243", "4244", "4245", "Process"]
    shown.keys("2")
    shown.wait("4242 /srv/api/orm/query.py", "5120 /srv/api/orm/query.py")
    shown.keys("Escape", "d")
    shown.wait("2 tagged ▸ Dump at", "Process 4242", 'Thread 4242 "MainThread"')
    shown.keys("NPage")
    shown.wait("Process 5120", 'Thread 5120 "MainThread"')
    assert "/v1/functions?pid=4242&pid=5120" in daemon.paths
    shown.keys("Escape", "c")
    shown.wait("HOTTEST", without=["*4242", "tagged"])
    shown.keys("g", "Enter")
    shown.wait("5120 batch ▸ [1 Functions]")


def test_a_tag_does_not_pass_to_the_next_process_with_the_pid(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("Space")
    shown.wait("*5120", "tagged 1")
    daemon.processes[1]["start_time_ns"] += 1
    shown.wait("5120", without=["*5120", "tagged"])


def test_tagged_processes_that_end_leave_the_others(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("Space", "Space", "Enter")
    shown.wait("2 tagged ▸ [1 Functions]", "44.2")
    daemon.processes.pop(1)
    daemon.gone = 5120
    shown.wait("22.1", without=["44.2", "no process"])


def test_trend(serve, screen):
    daemon = serve()
    daemon.window = 1
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("x")
    time.sleep(1.5)
    daemon.processes[0]["cpu_percent"], daemon.processes[2]["cpu_percent"] = 5.0, 60.0
    lines = shown.wait("TREND", "█▁▼", "▃█▲")
    assert fits(lines) and row(lines, 4242)[8] != "TREND"
    assert "▼" not in next(line for line in lines if "5120" in line), "what stays shows no arrow"
    shown.keys("F6")
    shown.wait("Order by column:")
    shown.keys("trend", "Enter")
    shown.wait("TREND▼")
    shown.keys("x")
    shown.wait("RSS", without=["TREND"])


def test_past(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242", "LIVE")
    daemon.processes[0]["cpu_percent"] = 1.5
    shown.wait("1.5", without=["71.3"])
    daemon.processes.pop(0)
    shown.wait("5120", without=["4242"])
    shown.keys("[", "[", "[", "[")
    lines = shown.wait("4242", "PAST ", without=["LIVE"])
    assert fits(lines) and re.search(r"PAST \d\d:\d\d:\d\d$", lines[2])
    shown.keys("[", "[", "[", "[", "[", "[")
    shown.wait("71.3", "This top has seen nothing before that")
    asked = len(daemon.paths)
    time.sleep(2.2)
    assert len(daemon.paths) >= asked + 3, "the past grows while it is looked at"
    shown.wait("71.3", "PAST ")
    for key in ("Enter", "d", "w"):
        shown.keys(key)
        shown.wait("Only this list has a past", "PAST ")
    shown.keys("]")
    shown.wait("PAST ", without=["Only"])
    shown.keys("Escape")
    shown.wait("LIVE", without=["4242"])
    shown.keys("[", "End")
    shown.wait("LIVE", without=["PAST"])


def test_jump(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242", "LIVE")
    time.sleep(1.2)
    daemon.processes.pop(0)
    shown.wait("5120", without=["4242"])
    shown.keys("b")
    shown.wait("Go to (14:02:11, -90, -5m; empty: now):")
    shown.keys("-9m", "Enter")
    clock = re.search(r"This top has seen (\d\d:\d\d:\d\d) to", "\n".join(shown.wait("This top has seen")))[1]
    shown.keys("b", *clock, "Enter")
    shown.wait("4242", "PAST " + clock)
    shown.keys("b", "Enter")
    shown.wait("LIVE", without=["4242"])
    shown.keys("[")
    shown.wait("PAST")
    shown.keys("b", "Escape")  # a prompt that is left changes nothing
    shown.wait("PAST", without=["Go to"])
    shown.keys("b", "noon", "Enter")
    shown.wait('Not a time: "noon"')
    shown.keys("Escape", "Enter")
    shown.wait("▸ [1 Functions]")
    shown.keys("[")
    shown.wait("Only the list of processes has a past")


def test_past_outlives_the_daemon(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242", "LIVE")
    time.sleep(1.2)
    daemon.stop()
    shown.wait("does not answer")
    shown.keys("[")
    shown.wait("PAST ", "pyprofd away", "4242")


def test_events(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242", "99 Hz")
    shown.keys("!")
    shown.wait("Nothing happened since this top began")
    daemon.processes.append(process(9000, "new", 1.0, (1, 0, 0), 1, None, start_time_ns=int(time.time() * 1e9)))
    gone = daemon.processes.pop(0)
    gone["start_time_ns"] = int((time.time() - 3600) * 1e9)
    lines = shown.wait("began   9000 new: python3 /srv/new.py --serve", "ended   4242 api after ")
    assert fits(lines) and lines[4].split() == ["TIME", "EVENT", "WHAT"]
    daemon.processes.append(gone)  # it was there all the time, and is seen again
    shown.wait("found   4242 api, which runs since ")
    daemon.lost["nested"] += 41
    shown.wait("lost    nested: 41 events")
    daemon.stop()
    shown.wait("pyprofd pyprofd does not answer on ")
    daemon.start()
    lines = shown.wait("pyprofd answers again, after ")
    assert "answers again" in lines[5], "the newest first"
    shown.keys("!")
    shown.wait("HOTTEST FUNCTION")


def test_hostile_names_in_events_tree_and_past(serve, screen):
    daemon = serve("hostile")
    shown = screen(SIZE, daemon.path)
    shown.wait("100", "LIVE")
    daemon.processes[1]["ppid"], daemon.processes[2]["ppid"] = 100, 101
    shown.keys("t", "x", "Space")
    shown.wait("└ ", "*100", "TREND")
    gone = daemon.processes.pop(0)
    time.sleep(1.2)
    daemon.processes.append(gone)
    shown.keys("!")
    shown.wait("ended   100 ev\ufffd[31mil", "began   100 ev\ufffd[31mil")
    shown.keys("Escape", "[")
    lines = shown.wait("PAST ")
    assert len(lines) == 24 and "q Quit" in lines[-1]
    raw = shown.tmux("capture-pane", "-p", "-e")
    assert not re.search("[\u202a-\u202e\u200e\u200f\x80-\x9f]", raw)
    assert shown.tmux("display-message", "-p", "#{pane_title}").strip() != "owned"


def test_lines_and_functions_by_one_key(serve, screen):
    shown = screen(SIZE, serve().path)
    shown.wait("4242")
    shown.keys("l")
    shown.wait("[2 Lines]")
    shown.keys("l")
    shown.wait("[1 Functions]")
    shown.keys("H")
    shown.wait("[3 Threads]")
    shown.keys("l")
    shown.wait("[2 Lines]")


def test_order_by_name(serve, screen):
    shown = screen(SIZE, serve().path)
    shown.wait("4242")
    shown.keys("F6", "rss", "Enter")
    assert pids(shown.wait("RSS▼"))[0] == "5120"
    shown.keys("F6", "colour", "Enter")
    shown.wait("Columns to order by: pid unit py cpu py nat sys", "RSS▼")
    shown.keys("Enter", "F6", "file", "Enter")
    shown.wait("Columns to order by: self total self total function")


def test_rate_follow_and_pause(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("-")
    shown.wait("Refresh every 2 s")
    shown.keys("+", "+", "+", "+")
    shown.wait("Refresh every 0.25 s")
    shown.keys("Z")
    shown.wait("PAUSED", without=["LIVE"])
    shown.keys("Z", "Down")
    daemon.processes[0]["cpu_percent"] = 99.9  # the row under the bar goes to the top, and the bar with it
    shown.wait("99.9", "LIVE")
    shown.keys("Enter")
    shown.wait("4242 api ▸")
    shown.keys("Escape", "F")
    shown.wait("The bar stays where it is")
    daemon.processes[0]["cpu_percent"] = 50.0
    shown.wait("50.0")
    shown.keys("Enter")
    shown.wait("5120 batch ▸")


def test_flame_and_record_keys_say_why_not(serve, screen):
    """The canned daemon knows no recordings: the child's reason reaches the screen."""
    shown = screen(SIZE, serve().path)
    shown.wait("4242")
    shown.keys("f")
    shown.wait("Recording failed: pyprofctl:")
    shown.keys("Space", "Space", "w")
    shown.wait("Recording failed: pyprofctl:")


def test_keys_of_the_list_say_so_elsewhere(serve, screen):
    shown = screen(SIZE, serve().path)
    shown.wait("4242")
    shown.keys("Enter")
    shown.wait("[1 Functions]")
    for key in ("t", "x", "Space"):
        shown.keys("Home", key)
        shown.wait("That is for the list of processes")


def test_small_screen_tells_the_past_and_a_pause(serve, screen):
    shown = screen((60, 8), serve().path)
    shown.wait("4242")
    shown.keys("p")
    shown.wait("PAUSED")
    shown.keys("p")
    time.sleep(1.2)
    shown.keys("[")
    shown.wait("PAST ")


def test_size_of_the_terminal_not_of_the_environment(serve, screen):
    shown = screen((100, 30), serve().path, env="LINES=24 COLUMNS=80")
    lines = shown.wait("4242", "q Quit")
    assert len(lines) == 30
    shown.resize(80, 24)
    time.sleep(0.5)
    assert len(shown.wait("4242", "q Quit")) == 24


def test_nothing_is_drawn_twice(serve, screen, tmp_path):
    """No flicker: a picture that has not changed writes nothing but the clock and what moves."""
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242", "99 Hz")
    shown.tmux("pipe-pane", "-O", "cat > %s" % (tmp_path / "written"))
    time.sleep(3.3)
    written = (tmp_path / "written").read_bytes()
    assert 0 < len(written) < 1000, "%d bytes in three seconds" % len(written)
    assert b"\x1b[2J" not in written and b"\x1b[J" not in written


def test_a_recording_shows_beside_filter_and_tags(serve, screen):
    daemon = serve()
    shown = screen(SIZE, daemon.path)
    shown.wait("4242")
    shown.keys("\\", "srv", "Enter", "Space", "Space")
    shown.wait("filter srv", "tagged 2")
    daemon.delay = 3  # so long the child waits for its answer
    shown.keys("w")
    assert fits(shown.wait("recording 2 processes: ", "filter srv"))
