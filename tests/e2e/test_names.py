# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Names that a target chooses, hostile ones too: documents stay valid, lines stay lines, and no byte of them steers the
terminal. What can be written is written as it is."""
import json
import re
import textwrap
import time
import unicodedata

import pytest
from conftest import stacks_of
from interpreters import one_per_minor

# A target that runs one function per name, in turn, all of them below the other's stack.
TARGET = textwrap.dedent(r"""
    import json, sys, types
    names = json.loads(sys.stdin.readline())
    base = "def f():\n    for _ in range(2000): pass\n"
    def make(name, file):
        scope = {}
        exec(compile(base, "plain", "exec"), scope)
        code = scope["f"].__code__
        if sys.version_info >= (3, 11):
            code = code.replace(co_name=name, co_qualname=name, co_filename=file)
        elif sys.version_info >= (3, 8):
            code = code.replace(co_name=name, co_filename=file)
        else:
            code = types.CodeType(code.co_argcount, code.co_kwonlyargcount, code.co_nlocals, code.co_stacksize,
                                  code.co_flags, code.co_code, code.co_consts, code.co_names, code.co_varnames, file,
                                  name, code.co_firstlineno, code.co_lnotab, code.co_freevars, code.co_cellvars)
        return types.FunctionType(code, scope)
    made = [make(name, file) for name, file in names]
    print("ready", flush=True)
    while True:
        for f in made: f()
    """)

PLAIN = [  # valid text: must come through as it is
    ("emoji_\U0001f40d", "/tmp/\U0001f40d.py"),
    ("f\u00e9_latin1", "/tmp/caf\u00e9.py"),
    ("\u51fd\u6570_ucs2", "/tmp/\u6587\u4ef6.py"),
    ("mixed_\u00e9\u51fd\U0001f40d", "plain.py"),
    ("escape_\x1b[31m;x", "evil\x1b[31m\n;name.py"),
    ("clear_\x1b]0;title\x07\x1b[2J", "carriage\r\treturn.py"),
    ("rtl_\u202egnp.exe", "\u202erevers\u2066e.py"),
    ("separator_\u2028\u2029x", "next\u0085line.py"),
    ("c1_\u009b31m", "c1\u009d0;title\u009c.py"),
    ("quote_\"\\\\'", "back\\slash\"quote.py"),
    ("semi;colon (x) 12", "semi;colon 7.py"),
    ("markup_<b>&amp;%s%n", "<script>.py"),
    ("mark_\u200e\u200f\u061c\u200bx", "zero\u200d\ufeffwidth\u2060.py"),
]
NUL = ("nul_\x00_after", "nul\x00after.py")  # pyprof's texts end at a NUL: it stands as U+FFFD
EMPTY = ("", "")  # no file name is no file
LONG = ("long_" + "x" * 9995, "/long/" + "y" * 9994)
LONG_WIDE = ("wide_" + "\U0001f40d" * 9995, "/wide/" + "\u6587" * 9994)
LONE = ("lone_\udc80_\ud800", "lone\udcff.py")  # surrogates have no UTF-8
NAMES = PLAIN + [NUL, EMPTY, LONG, LONG_WIDE, LONE]

UNSEEN = {chr(c) for c in [0x061c, *range(0x200b, 0x2010), *range(0x202a, 0x202f), *range(0x2060, 0x2070), 0xfeff]}


def start(spawn, python, names=NAMES):
    target = spawn(python.argv + ["-c", TARGET])
    target.stdin.write(json.dumps(names).encode() + b"\n")
    target.stdin.flush()
    assert target.stdout.readline() == b"ready\n"
    return target


def is_plain(text):
    """No character that moves the cursor, ends a line, turns the text's direction or hides."""
    return not [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in UNSEEN]


def check_lines(out):
    text = out.decode("utf-8")  # strict
    for line in text.split("\n"):
        assert is_plain(line), repr(line[:300])
    return text


def short(name):
    return name.split("_")[0]


def stand_in(text):
    """What cannot be written is U+FFFD."""
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)


def check_cut(shown, real):
    """The whole, or a long beginning of it with an ellipsis."""
    assert shown == real or (shown.endswith("\u2026") and len(shown) > 1000 and real.startswith(shown[:-1])), (
        len(shown), shown[-9:])


BUILDS = one_per_minor()


@pytest.mark.parametrize("python", BUILDS, ids=str)
def test_document(daemon, spawn, python):
    """In JSON a representable name is exact; a longer one than the limit is a marked prefix."""
    target = start(spawn, python)
    raw = daemon.ctl("record", "-p", target.pid, "-d", "1.5", "-f", "json", "-o", "-").stdout
    document = json.loads(raw.decode("utf-8"))
    assert not re.search(r"\\u[dD][89a-fA-F]", re.sub(r"(?i)\\ud[89ab]..\\ud[c-f]..", "", raw.decode())), "a lone half"
    frames = [f for f in document["frames"] if f["function"] not in ("<module>", None)]
    seen = {(f["function"], f["file"]): f for f in frames}
    for pair in PLAIN:
        assert pair in seen, (pair, [(a[:40], b and b[:40]) for a, b in seen])
        assert seen[pair]["line"] in (1, 2), seen[pair]
    assert tuple(map(stand_in, NUL)) in seen and ("", None) in seen
    for name, file in (LONG, LONG_WIDE):
        for frame in (f for f in frames if f["function"].startswith(short(name) + "_")):
            check_cut(frame["function"], name)
            check_cut(frame["file"], file)
    lone = next(f for f in frames if f["function"].startswith("lone_"))
    assert re.fullmatch("lone_\ufffd+_\ufffd+", lone["function"]), ascii(lone["function"])
    assert re.fullmatch("lone\ufffd+[.]py", lone["file"]), ascii(lone["file"])
    leaves = {frames[-1]["function"] for _, _, frames, _ in stacks_of(document, target.pid) if frames}
    assert {name for name, _ in PLAIN} <= leaves


def places_of(daemon, pid):
    """What each document says of a function, by document."""
    yield from ((f, "record") for f in daemon.record("-p", pid, seconds=0.7)["frames"])
    for f in daemon.json("functions", "-p", pid, "-w", "60")["processes"][0]["functions"]:
        yield f, "functions"
        yield from ((c, "callers") for c in f["callers"])
        yield from ((c, "callees") for c in f["callees"])
    yield daemon.json("top", "-p", pid)["processes"][0]["hot"], "hot"
    yield from ((f, "lines") for f in daemon.get("/v1/lines?pid=%d&window=60" % pid)["processes"][0]["files"])
    for _ in range(20):
        for thread in daemon.json("dump", "-p", pid)["processes"][0]["threads"]:
            yield from ((f, "dump") for f in thread["frames"])


@pytest.mark.parametrize("python", BUILDS[:1] + BUILDS[-1:], ids=str)
def test_cut_names_are_marked(daemon, spawn, python):
    """A cut string ends in an ellipsis and has "…_truncated": true beside it, in every document; a whole one that looks
    so has not."""
    odd = ("looks_cut\u2026", "looks/cut\u2026")
    target = start(spawn, python, [LONG, LONG_WIDE, odd])
    marked = {}
    for place, document in places_of(daemon, target.pid):
        name, file = place.get("function"), place["file"]
        cut = file is not None and file.startswith(("/long/", "/wide/"))
        if cut:
            marked[document] = marked.get(document, 0) + 1
            check_cut(file, LONG[1] if file.startswith("/long/") else LONG_WIDE[1])
            if name is not None:
                check_cut(name, LONG[0] if name.startswith("long_") else LONG_WIDE[0])
        assert ("file_truncated" in place) == cut, (document, file and file[:40])
        assert ("function_truncated" in place) == (cut and name is not None), (document, name and name[:40])
        assert place.get("file_truncated", True) is place.get("function_truncated", True) is True
    assert set(marked) >= {"record", "functions", "callees", "lines", "dump"}, marked


MODULES = textwrap.dedent("""
    import json, sys
    def spin(): json.loads("[1, [2, {}]]"); twice()
    scope = {"__name__": "made.up"}
    exec("def twice():\\n for _ in range(50): pass", scope)
    bare = {}
    exec("def nobodys():\\n for _ in range(500): pass", bare)
    twice = scope["twice"]
    print("ready", flush=True)
    while True: spin(); bare["nobodys"]()
    """)


def modules_of(daemon, pid):
    out = {}
    for f in daemon.record("-p", pid, seconds=1)["frames"]:
        out.setdefault(f["function"].split(".")[-1], set()).add(f["module"])
    return out


@pytest.mark.parametrize("python", BUILDS, ids=str)
def test_modules(daemon, spawn, python):
    """A frame's module is that of its globals: the package's whole name, `__main__`, what exec() was given, or none.
    Where the busy host gave no time to read one it is null too, for that process; never another's."""
    want = {"spin": "__main__", "twice": "made.up", "nobodys": None, "raw_decode": "json.decoder", "loads": "json"}
    for _ in range(3):
        target = spawn(python.argv + ["-c", MODULES])
        assert target.stdout.readline() == b"ready\n"
        while target.pid not in {p["pid"] for p in daemon.json("ps")["processes"]}:
            time.sleep(0.05)
        modules = modules_of(daemon, target.pid)
        dump = daemon.json("dump", "-p", target.pid)["processes"][0]["threads"][0]["frames"]
        target.kill()
        assert dump[-1]["module"] == "__main__"
        for name, module in want.items():
            assert modules.get(name, {module}) <= {module, None}, modules
        if all(modules.get(name, {module}) == {module} for name, module in want.items()):
            break
    assert all(modules.get(name, {module}) == {module} for name, module in want.items()), modules
    assert set(modules) >= {"spin", "twice", "nobodys"}, modules


@pytest.mark.parametrize("python", BUILDS[:1] + BUILDS[-1:], ids=str)
def test_folded(daemon, spawn, python):
    """One stack a line: root;leaf weight, however the names are."""
    target = start(spawn, python)
    for more in ([], ["--function"], ["--full-filenames"], ["--threads"], ["--nolineno"]):
        out = daemon.ctl("record", "-p", target.pid, "-d", "0.7", *more, "-f", "folded", "-o", "-").stdout
        text = check_lines(out)
        lines = text.splitlines()
        assert text.endswith("\n") and len(lines) >= 8, more
        for line in lines:
            stack, weight = line.rsplit(" ", 1)
            assert weight.isdigit(), line[-60:]
            frames = stack.split(";")
            # <module> and the function, below the thread or the process if asked; a ; in a name is none between frames.
            at = next(i for i, f in enumerate(frames) if f.startswith("<module>"))
            assert len(frames) - at <= 2, [f[:60] for f in frames]


@pytest.mark.parametrize("python", BUILDS[:1] + BUILDS[-1:], ids=str)
def test_speedscope(daemon, spawn, python):
    target = start(spawn, python)
    out = daemon.ctl("record", "-p", target.pid, "-d", "0.7", "-f", "speedscope", "-o", "-").stdout
    names = {f["name"] for f in json.loads(out.decode("utf-8"))["shared"]["frames"]}
    for name, _ in PLAIN[:5]:
        assert any(name in n for n in names), name


@pytest.mark.parametrize("python", BUILDS[:1] + BUILDS[-1:], ids=str)
def test_text(daemon, spawn, python):
    """The readers of terminals: nothing of the target steers one, in colour or not."""
    target = start(spawn, python)
    for arguments in (["functions", "-d", "0.7"], ["functions", "--callers", "-w", "5"], ["dump"], ["dump", "--direct"],
                      ["dump", "--locals"], ["top", "--batch", "-n", "1"], ["ps"], ["status", "-v"]):
        selector = [] if arguments[0] == "status" else ["-p", target.pid]
        out = daemon.ctl(arguments[0], *selector, *arguments[1:]).stdout
        text = check_lines(out)
        assert text.strip(), arguments
        if arguments[0] == "functions":
            for name in ("emoji_\U0001f40d", "f\u00e9_latin1", "\u51fd\u6570_ucs2"):
                assert name in text, (arguments, name)
        coloured = daemon.ctl(arguments[0], *selector, *arguments[1:], "--color", "always").stdout
        check_lines(re.sub(rb"\x1b\[[0-9;]*m", b"", coloured))
        # The colours that are there are pyprof's: the target's "red, then name" would show its own.
        assert b"\x1b[31m;x" not in coloured and b"\x1b]" not in coloured


@pytest.mark.parametrize("python", BUILDS, ids=str)
def test_dump_names(daemon, spawn, python):
    """The dump reads names by itself: the same as the recording's."""
    target = start(spawn, python)
    seen = set()
    for _ in range(120):
        dump = daemon.json("dump", "-p", target.pid)["processes"][0]
        for f in dump["threads"][0]["frames"][:1]:
            seen.add((f["function"], f["file"]))
    seen.discard(("<module>", "<string>"))
    known = {(stand_in(n), stand_in(f)) for n, f in NAMES} | {("", None)}
    odd = [s for s in seen if s not in known and not s[0].startswith(("long_", "wide_", "lone_"))]
    assert not odd, odd
    assert len(seen) >= 6, seen


@pytest.mark.parametrize("python", [p for p in BUILDS if not p.root][-1:], ids=str)
def test_process_names(daemon, spawn, python):
    """The command line and the program's name are the target's too."""
    target = spawn(python.argv + ["-c", "import time\nopen('/proc/self/comm', 'w').write('e\\x1b[2J\\n;x')\n"
                                  "print('ready', flush=True)\nwhile True: pass", "a\x1b[31m\nb\u202e", b"\xff\xfe"])
    assert target.stdout.readline() == b"ready\n"
    row = next(p for p in daemon.json("ps", "-p", target.pid)["processes"])
    assert row["cmdline"][-2:] == ["a\x1b[31m\nb\u202e", "\ufffd\ufffd"], row["cmdline"]
    for arguments in (["ps"], ["top", "--batch", "-n", "1"], ["dump"], ["functions", "-d", "0.3"]):
        check_lines(daemon.ctl(arguments[0], "-p", target.pid, *arguments[1:]).stdout)
