# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""dump_take() against live interpreters: frames, lines, names, states and locals equal what the target itself says;
of threads that never stop, no stack is reported that never existed; hostile and vanishing targets do no harm."""
import collections
import concurrent.futures
import contextlib
import errno
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from interpreters import interpreters, one_per_minor  # noqa: E402

TARGET = open(os.path.join(HERE, "dump_target.py"), encoding="utf-8").read()
BUSY = open(os.path.join(HERE, "dump_busy.py"), encoding="utf-8").read()
DUMPS = 1000
DUMPS_AGAIN = 200  # of a build whose frames lie as in another one that had all of them
BUSY_THREADS = 8
STARTING = {"Thread._bootstrap", "Thread._bootstrap_inner", "Thread.run", "_bootstrap", "_bootstrap_inner", "run"}


def build(folder, flags):
    program = str(folder / "dump_check")
    sources = [os.path.join(HERE, "dump_check.c"), os.path.join(ROOT, "daemon/symbol/linetable.c")]
    for part in ("base", "target"):
        sources += sorted(glob.glob(os.path.join(ROOT, "daemon", part, "*.c")))
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror",
                    *flags, "-I" + ROOT, *sources, "-lelf", "-lz", "-lm", "-o", program], check=True)
    return program


@pytest.fixture(scope="session")
def checker(tmp_path_factory):
    """With sanitizers: whatever a target holds, the reader's own memory stays sound."""
    return build(tmp_path_factory.mktemp("dump"), ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"])


@pytest.fixture(scope="session")
def fast_checker(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dump_fast"), ["-O2"])


def dumps(checker, pid, count=1, how="", before=None):
    run = subprocess.run([checker, str(pid), str(count), how], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         encoding="utf-8", errors="strict", preexec_fn=before)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def threads_of(document):
    assert "error" not in document, document
    (process,) = document["processes"]
    return process["threads"]


@pytest.fixture
def start():
    """start(argv): a child that ends with the test; (its pid, its first line)."""
    started = []

    def begin(argv, **more):
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)
        started.append(process)
        return process.pid, process.stdout.readline().decode("utf-8")
    yield begin
    for process in started:
        children = children_of(process.pid)
        process.kill()
        process.wait(10)
        end = time.monotonic() + 10
        while any(os.path.exists("/proc/" + child) for child in children):
            assert time.monotonic() < end, "left behind: %s" % children
            time.sleep(0.01)


def children_of(pid):
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with contextlib.suppress(OSError), open(path) as children:  # a thread that ends meanwhile
            found += children.read().split()
    return found


def printed(text):
    """What no encoding can carry is U+FFFD in the reader's output."""
    return re.sub("[\ud800-\udfff\0]", "\ufffd", text)


# ---- threads that stand still

@pytest.fixture(scope="module", params=interpreters(), ids=str)
def parked(request):
    """(a build, the pid of its process that runs dump_target.py, what that tells): one for all that look at it."""
    python = request.param
    process = subprocess.Popen(python.argv + ["-c", TARGET], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    yield python, process.pid, json.loads(process.stdout.readline().decode("utf-8"))
    process.kill()
    process.wait(10)


def gil_states(python):
    return {None} if python.free_threaded else {"released"}


def test_parked_threads_equal_the_targets_view(parked, checker):
    python, pid, told = parked
    (document,) = dumps(checker, pid)
    (process,) = document["processes"]
    assert process["pid"] == pid
    assert process["python"]["version"].rstrip("t") == ".".join(map(str, told["version"]))
    assert process["python"]["build"] == ("free-threaded" if python.free_threaded else "gil")
    found = {thread["ident"]: thread for thread in process["threads"] if thread["frames"]}
    assert len(found) == len(told["threads"]) >= 20
    for expected in told["threads"]:
        thread = found[expected["ident"]]
        frames = [[frame["function"], frame["file"], frame["line"]] for frame in thread["frames"]]
        assert frames == expected["frames"], expected["name"]
        assert thread["error"] is None and thread["truncated"] is False
        assert thread["tid"] == expected["tid"]
        assert thread["python_name"] == printed(expected["name"])
        assert (thread["state"], thread["wait_cause"]) == ("waiting", expected["cause"]), expected["name"]
        assert thread["syscall"]
        assert thread["gil"] in gil_states(python)
        assert {frame["kind"] for frame in thread["frames"]} == {"python"}
        assert thread["frames"][-1]["module"] in ("threading", "__main__")


def test_thread_names(parked, checker):
    python, pid, told = parked
    (document,) = dumps(checker, pid, how="names")
    known = {(thread["ident"], printed(thread["name"])) for thread in told["threads"]}
    assert {(entry["ident"], entry["name"]) for entry in document["names"]} == known
    if python.minor >= (3, 8):
        assert {entry["tid"] for entry in document["names"]} == {t["tid"] for t in told["threads"]}


def locals_of(checker, pid, function):
    (document,) = dumps(checker, pid, how="locals")
    (frame,) = [frame for thread in threads_of(document) for frame in thread["frames"] if frame["function"] == function]
    return frame["locals"]


def test_locals(parked, checker):
    python, pid, _ = parked
    found = locals_of(checker, pid, "by_locals")
    address = re.fullmatch(r"<type at 0x[0-9a-f]+>", found.pop("maker"))
    assert address
    assert re.fullmatch(r"<function at 0x[0-9a-f]+>", found.pop("inner"))
    assert found == {
        "number": str(-(1 << 70)), "text": "'a\\'b\\n\u65e5'", "blob": "b'\\x00\\xffz'", "ratio": "0.1", "more": "{}",
        "yes": "True", "no": "False", "nothing": "None", "small": "7", "zero": "0",
        "items": "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \u2026]", "pair": found["pair"], "table": "{'k': [1], 2: {}}",
        "empty": "[]", "infinite": "inf", "long_text": "'" + "x" * 200 + "'\u2026", "cell": "[1]"}
    assert re.fullmatch(r"\(1, \(2, <tuple at 0x[0-9a-f]+>\)\)", found["pair"])
    assert re.fullmatch(r"<__main__\.Made at 0x[0-9a-f]+>", locals_of(checker, pid, made(python))["self"])


def made(python):
    return "Made.__init__" if python.minor >= (3, 11) else "__init__"


def test_locals_only_when_asked(checker, start):
    pid, _ = start([sys.executable, "-c", TARGET])
    assert not any("locals" in frame for thread in threads_of(dumps(checker, pid)[0]) for frame in thread["frames"])


# ---- threads that never stand still

def possible(name, caller):
    """May dump_busy.py's function be called from this one (None: from outside)? Functions of odd depth call their
    callees from a generator of their own, whose name ends in "_"."""
    root, path, generator = re.fullmatch(r"(t\d+_)([abc]*)(_?)", name).groups()
    if generator:
        return len(path) % 2 == 1 and caller == root + path
    if not path:
        return caller is None
    return caller == root + path[:-1] + ("_" if len(path) % 2 == 0 else "")


def impossible(thread):
    """Why this stack cannot have existed; None when it can, or is the outer part of one that can."""
    names = [frame["function"] for frame in reversed(thread["frames"])]
    outer = [name for name in names if not re.match(r"t\d+_", name)]
    inner = names[len(outer):]
    if set(outer) - STARTING or names[:len(outer)] != outer:
        return names
    if not inner and not thread["error"]:
        return names
    for name, caller in zip(inner, [None] + inner):
        if not possible(name, caller):
            return names
    return None


def test_the_check_itself():
    def stack(*names, error=None):
        return {"frames": [{"function": name} for name in reversed(names)], "error": error}
    assert not impossible(stack("Thread.run", "t3_", "t3_a", "t3_a_", "t3_ab", "t3_abc", "t3_abc_", "t3_abca"))
    assert not impossible(stack("Thread.run", error="moved"))
    assert impossible(stack("Thread.run"))
    assert impossible(stack("t3_", "t4_a"))
    assert impossible(stack("t3_", "t3_a", "t3_b_"))
    assert impossible(stack("t3_", "t3_a", "t3_a_", "t3_bb"))
    assert impossible(stack("t3_", "t3_a", "t3_ab"))
    assert impossible(stack("t3_", "Thread.run", "t3_a"))
    assert impossible(stack("t3_a"))


def busy_threads(documents):
    return [thread for document in documents for thread in threads_of(document)
            if any(re.match(r"t\d+_", frame["function"]) for frame in thread["frames"]) or thread["error"]]


@pytest.fixture
def letters():
    """Watches the state letters of a process's threads until the test ends."""
    seen, stop = set(), threading.Event()

    def watch(pid):
        while not stop.is_set():
            for path in glob.glob("/proc/%d/task/*/stat" % pid):
                try:
                    with open(path) as file:
                        seen.add(file.read().rpartition(")")[2].split()[0])
                except OSError:  # the target has ended
                    return
            time.sleep(0.005)

    def begin(pid):
        threading.Thread(target=watch, args=(pid,), daemon=True).start()
        return seen
    yield begin
    stop.set()


# Each first version whose frames, or the way to them, are others: PyFrameObject; f_lasti in units; frames side by side
# behind a cframe; shims; no cframe; tagged references; generators' states renumbered.
GENERATIONS = ((3, 6), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15))


def several():
    """(build, how many dumps): all where its generation has no newer build without more (threads, JIT) to it."""
    plain = one_per_minor()
    full = {max(p.minor for p in plain if p.minor < after) for after in GENERATIONS[1:] + ((4, 0),)
            if any(p.minor < after for p in plain)}
    for python in plain:
        yield python, DUMPS if python.minor in full else DUMPS_AGAIN
    others = {python.name: python for python in interpreters() if python.free_threaded or python.jit}
    for python in others.values():
        yield python, DUMPS if python.free_threaded else DUMPS_AGAIN


@pytest.mark.parametrize("python, count", [pytest.param(*pair, id=str(pair[0])) for pair in several()])
def test_no_stack_that_never_existed(python, count, fast_checker, start, letters):
    pid, line = start(python.argv + ["-c", BUSY, str(BUSY_THREADS)])
    assert line == "ready\n"
    seen = letters(pid)
    documents = dumps(fast_checker, pid, count)
    threads = busy_threads(documents)
    states = collections.Counter((thread["state"], thread["gil"]) for thread in threads)
    errors = collections.Counter(thread["error"] for thread in threads if thread["error"])
    print(python, len(threads), dict(states), dict(errors),
          "median %.1f ms" % (sorted(document["ns"] for document in documents)[count // 2] / 1e6))
    assert len(threads) == count * BUSY_THREADS
    assert [why for why in map(impossible, threads) if why] == []
    assert all(thread["truncated"] for thread in threads if thread["error"])
    assert sum(errors.values()) <= len(threads) / 10
    assert not seen & {"T", "t"}
    with open("/proc/%d/status" % pid) as status:
        assert "TracerPid:\t0\n" in status.read()
    if not python.free_threaded:
        assert {gil for _, gil in states} - {None} == {"held", "wanted", "released"}


def test_without_the_proof_such_stacks_appear(fast_checker, start):
    """The target does make one-time walks mix old and new frames: the test above can fail."""
    pid, _ = start([sys.executable, "-c", BUSY, str(BUSY_THREADS)])
    for _ in range(10):
        threads = busy_threads(dumps(fast_checker, pid, DUMPS, "unproven"))
        if any(map(impossible, threads)):
            return
    pytest.fail("no walk of %d was mixed" % (10 * DUMPS))


@pytest.mark.skipif(os.geteuid() != 0 or len(os.sched_getaffinity(0)) < 2, reason="needs root and two CPUs")
def test_a_thread_that_never_yields_says_so(checker, start):
    """Real-time: it gives no other program a turn, so nothing about it can be proven."""
    here, there = sorted(os.sched_getaffinity(0))[:2]
    pid, _ = start([sys.executable, "-c", BUSY, "1"])
    (busy,) = [int(tid) for tid in os.listdir("/proc/%d/task" % pid) if int(tid) != pid]
    os.sched_setaffinity(busy, {there})
    os.sched_setscheduler(busy, os.SCHED_FIFO, os.sched_param(1))
    threads = busy_threads(dumps(checker, pid, 20, before=lambda: os.sched_setaffinity(0, {here})))
    assert len(threads) == 20
    assert [why for why in map(impossible, threads) if why] == []
    moved = [thread for thread in threads if thread["error"]]
    assert moved
    for thread in moved:
        assert thread["truncated"] and "kept running" in thread["error"]


# ---- targets that are none, or vanish

def error_of(checker, pid):
    (document,) = dumps(checker, pid)
    return document.get("error")


def test_what_is_no_python(checker, start):
    other = subprocess.Popen(["sleep", "1000"])
    try:
        time.sleep(0.1)
        assert error_of(checker, other.pid) == -errno.ENODATA
    finally:
        other.kill()
        other.wait()
    assert error_of(checker, other.pid) == -errno.ESRCH
    assert error_of(checker, 2 ** 22 + 5) == -errno.ESRCH
    assert error_of(checker, 0) == -errno.ESRCH
    assert error_of(checker, 1) in (-errno.ENODATA, -errno.EPERM)
    assert error_of(checker, "self") in (-errno.ENODATA,)
    assert error_of(checker, 2) in (-errno.ENODATA, -errno.ESRCH, -errno.EPERM)  # a kernel thread


UNSUPPORTED = [p for p in interpreters(unsupported=True) if not p.supported]


@pytest.mark.skipif(not UNSUPPORTED, reason="no Python before 3.6 found")
@pytest.mark.parametrize("python", UNSUPPORTED, ids=str)
def test_unsupported_version(python, checker, start):
    pid, _ = start(python.argv + ["-c", "import sys; print('ready'); sys.stdout.flush(); sys.stdin.read()"])
    assert error_of(checker, pid) == -errno.EPROTONOSUPPORT


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become someone else")
def test_someone_elses(fast_checker, start):
    pid, _ = start([sys.executable, "-c", "print('ready', flush=True); input()"])
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        os.chmod(folder, 0o755)
        program = shutil.copy(fast_checker, folder)
        run = subprocess.run([program, str(pid)], stdout=subprocess.PIPE, preexec_fn=lambda: os.setuid(65534), cwd="/")
    assert json.loads(run.stdout)["error"] == -errno.EPERM


@pytest.mark.parametrize("python", one_per_minor(), ids=str)
def test_targets_that_end_while_they_are_read(python, checker):
    """At every moment of a short life, start and end included."""
    code = "import threading\nfor i in range(20): threading.Thread(target=sum, args=((1,),)).start()"
    outcomes = collections.Counter()

    def life(i):
        target = subprocess.Popen(python.argv + ["-c", code], stderr=subprocess.DEVNULL)
        time.sleep(i / 400)
        found = [document.get("error", 0) for document in dumps(checker, target.pid, 3)]
        target.wait()
        return found
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for found in pool.map(life, range(40)):
            outcomes.update(found)
    print(python, dict(outcomes))
    assert set(outcomes) <= {0, -errno.ESRCH, -errno.ENODATA}


def test_a_stopped_process(checker, start):
    pid, _ = start([sys.executable, "-c", BUSY, "2"])
    os.kill(pid, 19)
    time.sleep(0.1)
    threads = busy_threads(dumps(checker, pid))
    assert [(thread["state"], thread["error"]) for thread in threads] == [("stopped", None)] * 2
    assert not any(map(impossible, threads))


def test_a_thread_without_python(checker, start):
    """A Linux thread that never ran Python has a state and no frames."""
    code = ("import ctypes, sys\nlibc = ctypes.CDLL(None)\nid = ctypes.c_ulong()\n"
            "libc.pthread_create(ctypes.byref(id), None, libc.pause, None)\nprint('ready', flush=True)\nsys.stdin.read()")
    pid, _ = start([sys.executable, "-c", code])
    time.sleep(0.1)
    native = [thread for thread in threads_of(dumps(checker, pid)[0]) if not thread["frames"]]
    assert [(t["state"], t["syscall"], t["wait_cause"], t["gil"], t["python_name"], t["error"]) for t in native] == [
        ("waiting", "pause", "other", None, None, None)]


def test_deeper_than_the_limit(checker, start):
    code = ("import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(512 << 20)\n"
            "def deep(n):\n    if n: return deep(n - 1)\n    print('ready', flush=True); sys.stdin.read()\n"
            "threading.Thread(target=deep, args=(9000,)).start()")
    pid, _ = start([sys.executable, "-c", code])
    time.sleep(0.1)
    (thread,) = [t for t in threads_of(dumps(checker, pid)[0]) if len(t["frames"]) > 100]
    assert len(thread["frames"]) == 4096 and thread["truncated"] and thread["error"] is None


def test_fifty_threads_take_less_than_twenty_milliseconds(fast_checker, start):
    code = ("import threading, sys\ndef f(n):\n    if n: return f(n - 1)\n    threading.Event().wait()\n"
            "for i in range(50): threading.Thread(target=f, args=(20,), daemon=True).start()\n"
            "print('ready', flush=True); sys.stdin.read()")
    pid, _ = start([sys.executable, "-c", code])
    time.sleep(0.2)
    documents = dumps(fast_checker, pid, 30)
    assert all(len(threads_of(document)) == 51 for document in documents)
    took = sorted(document["ns"] / 1e6 for document in documents)
    print("50 threads: %.1f ms at best, median %.1f" % (took[0], took[15]))
    assert took[0] < 20
