# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The kernel side's walker, compiled natively (walk_check.c), gives for every thread of every interpreter found the
frames that the target's own sys._current_frames() gives: function, file and line."""
import glob
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from interpreters import interpreters  # noqa: E402

SOURCE = open(os.path.join(ROOT, "tests/workloads/parked.py"), encoding="utf-8").read()


@pytest.fixture(scope="session")
def checker(tmp_path_factory):
    program = str(tmp_path_factory.mktemp("walk") / "walk_check")
    sources = [os.path.join(HERE, "walk_check.c"), os.path.join(ROOT, "daemon/symbol/linetable.c")]
    # python_find() and what it stands on.
    for part in ("target/elf*.c", "target/image*.c", "target/maps.c", "target/py[lv]*.c", "target/python*.c",
                 "base/*.c"):
        sources += sorted(glob.glob(os.path.join(ROOT, "daemon", part)))
    sources.remove(os.path.join(ROOT, "daemon/target/pylocals.c"))
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra",
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I" + ROOT, *sources,
                    "-lelf", "-lz", "-lm", "-o", program], check=True)
    return program


@pytest.fixture
def parked():
    started = []

    def start(python):
        process = subprocess.Popen(python.argv + ["-c", SOURCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        return json.loads(process.stdout.readline().decode())
    yield start
    for process in started:
        process.stdin.close()
        process.wait(10)


def parse(text):
    """{ident: (loss, [[function, file, line], …])}"""
    threads, frames = {}, None
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "thread":
            ident, loss = rest.split()
            frames = []
            threads[ident] = (int(loss), frames)
        else:
            function, file, number = rest.split("\t")
            frames.append([function, file, int(number)])
    return threads


def expected(frames, version):
    return [[qualname if version >= (3, 11) else name, file, line] for name, qualname, file, line in frames]


@pytest.mark.parametrize("python", [p for p in interpreters() if p.supported], ids=str)
def test_frames_equal_the_targets(python, checker, parked):
    target = parked(python)
    run = subprocess.run([checker, str(target["pid"]), *target["threads"]], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, universal_newlines=True)
    assert run.returncode == 0, run.stderr
    found = parse(run.stdout)
    assert len(found) >= 19
    for ident, thread in target["threads"].items():
        loss, frames = found[ident]
        assert loss == 0, (thread["name"], loss, frames[:3])
        assert frames == expected(thread["frames"], python.version), thread["name"]
