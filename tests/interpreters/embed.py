# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""C programs that hold the interpreter of this host's Debian: its headers, its library, its archives."""
import glob
import os
import re
import subprocess

import pytest

NAME = os.path.basename(os.path.realpath("/usr/bin/python3"))  # python3.11
INCLUDE = "/usr/include/" + NAME
_LIBRARIES = "-lm -lz -lexpat -ldl -lutil -lpthread".split()


def archive(suffix=""):
    """The linker's arguments for libpython3.N<suffix>.a; skips where it is not installed."""
    found = glob.glob("/usr/lib/%s/config-3.*/lib%s%s.a" % (NAME, NAME, suffix))
    if not found:
        pytest.skip("no lib%s%s.a (apt install lib%s-dev)" % (NAME, suffix, NAME))
    return [found[0], *_LIBRARIES]


def compile_and_link(*arguments, include=INCLUDE):
    """Debian 13's archives lack the SHA-2 that the same package's python3.13 holds: nobody can link them."""
    if not os.path.exists(include + "/Python.h"):
        pytest.skip("no %s/Python.h" % include)
    run = subprocess.run([os.environ.get("CC", "gcc"), "-I" + include, *arguments], stderr=subprocess.PIPE,
                         universal_newlines=True)
    undefined = set(re.findall(r"undefined reference to [`'](\w+)'", run.stderr))
    if undefined and all(name.startswith("python_hashlib_Hacl_") for name in undefined):
        pytest.skip("lib%s.a is not whole: it calls %s and does not hold it" % (NAME, min(undefined)))
    assert run.returncode == 0, run.stderr
