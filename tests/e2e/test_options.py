# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What pyprofd says to bad options and settings: one clear line and the right exit status."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYPROFD = os.path.join(os.environ.get("PYPROF_BUILD", os.path.join(ROOT, "build")), "pyprofd")


def pyprofd(*arguments):
    return subprocess.run([PYPROFD, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=20)


@pytest.mark.parametrize("arguments, subject", [
    (["--hz", "0"], "--hz"),
    (["--hz", "10000"], "10000"),
    (["--hz", "9x"], "'9x'"),
    (["--hz"], "--hz"),
    (["--socket", "relative"], "'relative'"),
    (["--socket", "/" + "a" * 200], "--socket"),
    (["--log-level", "loud"], "'loud'"),
    (["--nosuch"], "--nosuch"),
    (["-z"], "-z"),
    (["stray"], "stray"),
], ids=" ".join)
def test_bad_option(arguments, subject):
    result = pyprofd(*arguments)
    assert result.returncode == 64
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("pyprofd: ") and subject in result.stderr


def test_help_names_every_option():
    result = pyprofd("--help")
    assert result.returncode == 0 and result.stderr == ""
    for option in ("--socket", "--config", "--hz", "--log-level", "--foreground", "--check-config", "--help", "--version"):
        assert option in result.stdout


def test_version():
    result = pyprofd("--version")
    assert result.returncode == 0
    assert result.stdout.split()[0] == "pyprofd" and result.stdout.count("\n") == 1


def check(tmp_path, text):
    path = tmp_path / "conf"
    path.write_text(text)
    return path, pyprofd("--check-config", "--config", str(path))


def test_good_settings(tmp_path):
    path, result = check(tmp_path, "[sampling]\nhz = 199\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert str(path) in result.stdout


def test_unknown_key_is_a_warning_with_its_line(tmp_path):
    path, result = check(tmp_path, "# a\n[sampling]\nhertz = 9\n")
    assert result.returncode == 0
    assert "%s:3: " % path in result.stderr and "hertz" in result.stderr
    assert result.stderr.startswith("pyprofd: warning: ")


def test_bad_values_are_all_told(tmp_path):
    path, result = check(tmp_path, "[sampling]\nhz = 0\n[daemon]\nlog_level = loud\nnonsense\n")
    assert result.returncode == 78
    for line in (2, 4, 5):
        assert "error: %s:%d: " % (path, line) in result.stderr


def test_bad_settings_do_not_start(tmp_path):
    path = tmp_path / "conf"
    path.write_text("[sampling]\nhz = 0\n")
    result = pyprofd("--foreground", "--socket", str(tmp_path / "s"), "--config", str(path))
    assert result.returncode == 78
    assert not (tmp_path / "s").exists()


def test_settings_that_are_not_there(tmp_path):
    result = pyprofd("--config", str(tmp_path / "none"))
    assert result.returncode == 78
    assert str(tmp_path / "none") in result.stderr and result.stderr.count("\n") == 1
