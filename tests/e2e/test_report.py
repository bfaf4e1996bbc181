# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""tests/report.py: a line a file, a failed comparison with both its sides, the count, the reason of a skip."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEXT = """
import pytest
def test_good():
    pass
def test_bad():
    assert [1, 2, 3] == [1, 5, 3]
def test_out():
    pytest.skip("no such thing here")
"""


def test_what_is_told(tmp_path):
    (tmp_path / "test_three.py").write_text(TEXT)
    counts, skips = tmp_path / "counts", tmp_path / "skips"
    run = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests/report.py"), str(tmp_path / "xml"), str(counts),
                          str(skips), "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         universal_newlines=True, cwd=str(tmp_path), timeout=60)
    assert run.returncode == 1, run.stdout
    assert "FAILED   test_three.py: 1 passed, 1 failed, 1 skipped" in run.stdout
    assert "At index 1 diff: 2 != 5" in run.stdout
    assert counts.read_text() == "1 1 1\n"
    assert skips.read_text() == "test_three.py::test_out: no such thing here\n"
