# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""codes_fetch() on live processes of every interpreter found: names of every character width, files, first
lines and the line of every instruction are those that the process itself tells."""
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

TARGET = open(os.path.join(HERE, "code_target.py"), encoding="utf-8").read()
PARTS = ("base", "decode", "symbol", "target")


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    program = str(tmp_path_factory.mktemp("code") / "check")
    sources = [path for part in PARTS for path in sorted(glob.glob(os.path.join(ROOT, "daemon", part, "*.c")))]
    sources.remove(os.path.join(ROOT, "daemon/symbol/symbolise.c"))  # needs the profile
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra",
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I" + ROOT,
                    os.path.join(HERE, "code_check.c"), *sources, "-lelf", "-lz", "-lm", "-o", program], check=True)
    return program


@pytest.mark.parametrize("python", interpreters(), ids=str)
def test_code_objects_are_read_as_the_target_tells(python, checker):
    target = subprocess.Popen(python.argv + ["-c", TARGET], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=dict(os.environ, PYTHONIOENCODING="utf-8"))
    told = []
    try:
        for line in target.stdout:
            if line.startswith(b"end "):
                break
            told.append(line)
        pid = line.split()[1].decode()
        read = subprocess.run([checker, pid], input=b"".join(told), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        target.stdin.close()
        target.wait(20)
    assert read.returncode in (0, 1), read.stderr.decode()
    found = json.loads(read.stdout.decode())
    print(python, found)
    assert found["wrong"] == 0, read.stderr.decode()
    assert found["checked"] == len(told) > 60
    assert found["lines"] > 10000
