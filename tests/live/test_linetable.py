# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Line numbers are exact: every instruction of every code object of the standard library of each
interpreter found gives the line that the interpreter itself gives. 0 wrong."""
import concurrent.futures
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from interpreters import interpreters  # noqa: E402

DUMP = open(os.path.join(HERE, "linetable_dump.py"), encoding="utf-8").read()
# With its JIT on or off, a build has the same compiler and the same library.
BUILDS = [python for python in interpreters() if not python.jit]
# Fewer would mean that the library was not found: 3.6 alone has 61,223.
CODES_MIN = 10000


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """tests/live/linetable_check.c, built with the very object's source that the daemon links."""
    program = str(tmp_path_factory.mktemp("linetable") / "check")
    subprocess.run(
        [os.environ.get("CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
         "-I" + ROOT, os.path.join(HERE, "linetable_check.c"),
         os.path.join(ROOT, "daemon/symbol/linetable.c"), "-o", program], check=True)
    return program


def check(python, checker, tmp_path):
    """What the interpreter wrote (its counts) and what the checker read."""
    with open(tmp_path / "dump.json", "w+") as told:
        dump = subprocess.Popen(python.argv + ["-I", "-c", DUMP], stdout=subprocess.PIPE, stderr=told)
        read = subprocess.run([checker], stdin=dump.stdout, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True)
        dump.stdout.close()
        assert dump.wait() == 0, open(tmp_path / "dump.json").read()
        told.seek(0)
        return json.load(told), read


@pytest.fixture(scope="module")
def checked(request, checker, tmp_path_factory):
    """checked(python): what check() gives. All builds that are asked for are checked side by side, one a CPU."""
    wanted = [item.callspec.params["python"] for item in request.session.items
              if item.module is request.module and hasattr(item, "callspec")]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        running = {python.name: pool.submit(check, python, checker, tmp_path_factory.mktemp("lines"))
                   for python in wanted}
        yield lambda python: running[python.name].result()


def test_interpreters_found():
    assert BUILDS


@pytest.mark.parametrize("python", BUILDS, ids=str)
def test_lines_of_the_standard_library(python, checked):
    wrote, read = checked(python)
    assert read.returncode in (0, 1), read.stderr
    found = json.loads(read.stdout)
    print(python, python.version_text, wrote, found)
    assert found["wrong"] == 0, read.stderr
    assert found["codes"] == wrote["codes"] > CODES_MIN
    assert found["instructions"] > found["codes"]
    assert wrote["skipped"] < wrote["files"] / 20
