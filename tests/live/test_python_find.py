# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""python_find() on live processes of every interpreter found: version, addresses and offsets are used to
read the process, and what they lead to is compared with what the interpreter says of itself."""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from interpreters import embed, interpreters  # noqa: E402

TARGET = """
import json, os, sys, threading, time
try:
    from threading import get_ident
except ImportError:
    from thread import get_ident
native = getattr(threading, "get_native_id", lambda: 0)
told = []
def inner():
    told.append((get_ident(), native()))
    time.sleep(120)
def outer():
    inner()
second = threading.Thread(target=outer)
second.daemon = True
second.start()
while not told:
    time.sleep(0.01)
told.append((get_ident(), native()))
print(json.dumps({"pid": os.getpid(), "hex": sys.hexversion, "threads": told, "dunder": len(sys.modules),
                  "line": inner.__code__.co_firstlineno}))
sys.stdout.flush()
time.sleep(120)
"""
INTERP_FRAMES, CFRAME, TAGGED, GIL_IN_INTERP = 1 << 1, 1 << 2, 1 << 3, 1 << 6
SUPPORTED, UNSUPPORTED, NONE = 1, 2, 0xffff
GLIBC_KEYS = 0x310  # struct pthread.specific_1stblock


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """tests/live/probe_python.c with the daemon's sources, instrumented."""
    program = str(tmp_path_factory.mktemp("probe") / "probe_python")
    stems = ("elf elf_symbol image image_gil image_search maps pylayout pylayout_debug pylayout_objects "
             "pylayout_table python python_cache pyversion").split()
    sources = [os.path.join(ROOT, "daemon/target", stem + ".c") for stem in stems]
    sources += [os.path.join(ROOT, "daemon/base", stem + ".c") for stem in ("loop", "map", "worker")]
    sources.append(os.path.join(HERE, "probe_python.c"))
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra",
                    "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I" + ROOT,
                    *sources, "-o", program], check=True)
    return program


def find(probe, pid):
    return json.loads(subprocess.run([probe, str(pid)], stdout=subprocess.PIPE, check=True).stdout)


class Target:
    """A process of that interpreter: two threads asleep, the second in outer() → inner()."""

    def __init__(self, argv, **keywords):
        self.process = subprocess.Popen(argv + ["-c", TARGET], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        **keywords)
        self.told = json.loads(self.process.stdout.readline())
        self.pid = self.told["pid"]
        self.memory = open("/proc/%d/mem" % self.pid, "rb", 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.memory.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def read(self, address, size):
        data = os.pread(self.memory.fileno(), size, address)
        assert len(data) == size
        return data

    def number(self, address, form="<Q"):
        return struct.unpack(form, self.read(address, struct.calcsize(form)))[0]

    def c_string(self, address):
        return self.read(address, 16).split(b"\0")[0].decode()


class Reader:
    """Reads the target with what python_find() said, and nothing else."""

    def __init__(self, target, found):
        self.target, self.at = target, found

    def field(self, address, name, form="<Q"):
        return self.target.number(address + self.at[name], form)

    def states(self):
        interp = self.target.number(self.at["interp_head"])
        assert interp and interp % 8 == 0
        while interp:
            state = self.field(interp, "is_threads_head")
            while state:
                assert self.field(state, "ts_interp") == interp
                yield state
                state = self.field(state, "ts_next")
            interp = self.field(interp, "is_next")

    def interp(self):
        return self.target.number(self.at["interp_head"])

    def string(self, address):
        state = self.field(address, "str_state", "<I")
        assert state & self.at["str_compact_bit"] and state & self.at["str_ascii_bit"]
        return self.target.read(address + self.at["str_ascii"], self.field(address, "str_length")).decode()

    def type_name(self, address):
        kind = self.field(address, "ob_type")
        return self.target.c_string(self.field(kind, "tp_name"))

    def top(self, state):
        frame = self.field(state, "ts_frame")
        return self.field(frame, "cframe_current") if self.at["flags"] & CFRAME else frame

    def codes(self, state):
        """Code objects of a thread's frames, leaf first."""
        frame = self.top(state)
        while frame:
            shim = self.at["f_owner"] != NONE and self.field(frame, "f_owner", "<B") >= self.at["f_owner_shim"]
            code = self.field(frame, "f_code") & ~(3 if self.at["flags"] & TAGGED else 0)
            if not shim:
                assert self.field(code, "ob_type") == self.at["code_type"]
                yield code
            frame = self.field(frame, "f_previous")

    def any_code_type(self):
        """What the leaf frame of a thread runs, for builds that hide PyCode_Type."""
        for state in self.states():
            return self.field(self.field(self.top(state), "f_code"), "ob_type")

    def gil(self):
        if self.at["flags"] & GIL_IN_INTERP:
            return self.field(self.interp(), "is_gil")
        return self.at["gil"]


def states_by_ident(reader):
    return {reader.field(state, "ts_thread_id"): state for state in reader.states()}


def check_threads(reader, told):
    states = states_by_ident(reader)
    assert set(states) == {ident for ident, _ in told["threads"]}
    for ident, native in told["threads"]:
        if reader.at["ts_native_id"] != NONE:
            assert reader.field(states[ident], "ts_native_id") == native


def check_key(reader, told):
    """The pthread key leads each thread to its own state; absent in 3.6 and 3.15."""
    minor = reader.at["version"] >> 16 & 0xff
    assert bool(reader.at["tss_key"]) == (minor not in (6, 15))
    if not reader.at["tss_key"]:
        return
    assert reader.target.number(reader.at["tss_key"] - 4, "<i") == 1
    key = reader.target.number(reader.at["tss_key"], "<i")
    assert 0 <= key < 32
    for ident, state in states_by_ident(reader).items():
        assert reader.target.number(ident + GLIBC_KEYS + 16 * key + 8) == state


def check_gil(reader):
    """Both threads sleep: nobody holds the GIL, one of them was the last. To 3.6 nobody then is the holder."""
    gil = reader.gil()
    if reader.at["version"] >> 16 == 0x0306:
        assert gil and reader.field(gil, "gil_holder") == 0
        return
    assert gil and reader.field(gil, "gil_locked", "<i") == 0
    # a free-threaded interpreter never took it
    assert reader.field(gil, "gil_holder") in list(reader.states()) + [0] * reader.at["free_threaded"]


def check_frames(reader, told):
    assert reader.target.c_string(reader.field(reader.at["code_type"], "tp_name")) == "code"
    codes = list(reader.codes(states_by_ident(reader)[told["threads"][0][0]]))
    name = "co_qualname" if reader.at["co_qualname"] != NONE else "co_name"
    assert [reader.string(reader.field(code, name)) for code in codes][:2] == ["inner", "outer"]
    assert reader.string(reader.field(codes[0], "co_filename")) == "<string>"
    assert reader.field(codes[0], "co_firstlineno", "<i") == told["line"]
    assert reader.type_name(reader.field(codes[0], "co_linetable")) == "bytes"
    assert reader.type_name(reader.field(codes[0], "co_consts")) == "tuple"


def check_interpreter(reader, told):
    modules = reader.field(reader.interp(), "is_imports_modules")
    assert reader.type_name(modules) == "dict"
    assert reader.field(modules, "dict_used") == told["dunder"]
    assert reader.type_name(reader.field(reader.interp(), "is_sysdict")) == "dict"
    if reader.at["ts_status"] != NONE:
        for state in reader.states():
            assert reader.field(state, "ts_status", "<I") & reader.at["ts_bound_bit"]


def check_place(found, target):
    """The text range is executable, and of the file that was named."""
    path = found["library"] or os.readlink("/proc/%d/exe" % target.pid)
    assert found["executable"] == os.readlink("/proc/%d/exe" % target.pid)[:255]
    for line in open("/proc/%d/maps" % target.pid):
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if start <= found["text_start"] < end:
            assert "x" in line.split()[1] and line.rstrip("\n").endswith(path)
            assert found["text_end"] <= end
            return
    pytest.fail("text_start is not mapped")


def check_all(found, target):
    reader = Reader(target, found)
    assert found["state"] == SUPPORTED, found
    assert found["version"] == target.told["hex"], hex(target.told["hex"])
    check_place(found, target)
    check_threads(reader, target.told)
    check_key(reader, target.told)
    check_gil(reader)
    check_frames(reader, target.told)
    check_interpreter(reader, target.told)


@pytest.mark.parametrize("python", interpreters(), ids=str)
def test_interpreter(python, probe):
    with Target(python.argv) as target:
        found = find(probe, target.pid)
        check_all(found, target)
        assert bool(found["free_threaded"]) == python.free_threaded
        assert bool(found["library"]) == ("/libpython3." in open("/proc/%d/maps" % target.pid).read())


REFUSED = [p for p in interpreters(unsupported=True) if not p.supported]


@pytest.mark.skipif(not REFUSED, reason="no Python before 3.6 found")
@pytest.mark.parametrize("python", REFUSED, ids=str)
def test_unsupported_is_named(python, probe):
    with Target(python.argv) as target:
        found = find(probe, target.pid)
    assert found["state"] == UNSUPPORTED
    assert found["version"] == target.told["hex"]
    assert python.version_text in found["reason"]


def test_deleted_file(probe, tmp_path):
    """The file is gone and another has its name; the mapping still leads to it."""
    copy = str(tmp_path / "not-named-so")
    shutil.copy("/usr/bin/python3", copy)
    with Target([copy]) as target:
        os.unlink(copy)
        shutil.copy("/bin/sleep", copy)
        found = find(probe, target.pid)
        check_all(found, target)
        assert found["executable"].endswith("not-named-so (deleted)")


EMBEDDER = """#include <Python.h>
int main(int argc, char **argv)
{
	Py_Initialize();
	return argc == 3 ? PyRun_SimpleString(argv[2]) : 2;
}
"""


def embedder(tmp_path, *flags):
    """A C program of another name that holds or loads an interpreter; it takes -c TEXT."""
    source, program = tmp_path / "embedder.c", tmp_path / "embedder"
    source.write_text(EMBEDDER)
    embed.compile_and_link("-O1", str(source), *flags, "-o", str(program))
    return str(program)


@pytest.mark.parametrize("export", [True, False])
@pytest.mark.parametrize("strip", [True, False])
def test_linked_in(probe, tmp_path, export, strip):
    flags = ["-no-pie", *embed.archive()] + ["-Wl,-export-dynamic"] * export + ["-s"] * strip
    with Target([embedder(tmp_path, *flags)]) as target:
        found = find(probe, target.pid)
        # Stripped and not exported: only the section is left, and PyCode_Type cannot be known.
        assert bool(found["code_type"]) == (export or not strip)
        if not found["code_type"]:
            found["code_type"] = Reader(target, found).any_code_type()
        check_all(found, target)
        assert found["library"] == "" and found["bias"] == 0


def test_loaded_library(probe, tmp_path):
    with Target([embedder(tmp_path, "-l" + embed.NAME)]) as target:
        found = find(probe, target.pid)
        check_all(found, target)
        assert "/libpython3." in found["library"] and found["executable"].endswith("/embedder")


@pytest.fixture
def public_probe(probe):
    """Where a user without rights can reach it."""
    folder = tempfile.mkdtemp(prefix="pyprof-probe-")
    os.chmod(folder, 0o755)
    yield shutil.copy(probe, folder)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_own_process_without_rights(public_probe):
    """map_files may not be followed: the files are found by name."""
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    with Target(["/usr/bin/python3"], **nobody) as target:
        found = json.loads(subprocess.run([public_probe, str(target.pid)], stdout=subprocess.PIPE, check=True,
                                          **nobody).stdout)
        check_all(found, target)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_others_process_without_rights(public_probe):
    with Target(["/usr/bin/python3"]) as target:
        found = subprocess.run([public_probe, str(target.pid)], stdout=subprocess.PIPE, check=True, user=65534,
                               group=65534, extra_groups=[]).stdout
        assert json.loads(found) == {"error": "EACCES"}


def test_not_python(probe):
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        assert find(probe, sleeper.pid) == {"error": "ENODATA"}
    finally:
        sleeper.kill()
        sleeper.wait()


def test_gone(probe):
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert find(probe, gone.pid) == {"error": "ESRCH"}


@pytest.mark.skipif(not os.path.exists("/proc/2") or os.path.exists("/proc/2/exe"), reason="no kernel thread seen here")
def test_kernel_thread(probe):
    assert find(probe, 2) == {"error": "ENODATA"}
