# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What `make install` lays down, and that `make uninstall` takes all of it away."""
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PYPROF_BUILD", os.path.join(ROOT, "build"))
CONF = "etc/pyprof/pyprofd.conf"
FILES = {
    "usr/sbin/pyprofd": 0o755,
    "usr/bin/pyprofctl": 0o755,
    "usr/lib/systemd/system/pyprofd.service": 0o644,
    "usr/lib/sysusers.d/pyprof.conf": 0o644,
    "usr/share/man/man8/pyprofd.8": 0o644,
    "usr/share/man/man1/pyprofctl.1": 0o644,
    "usr/share/bash-completion/completions/pyprofctl": 0o644,
    "usr/share/zsh/site-functions/_pyprofctl": 0o644,
    CONF: 0o644,
}


def run(*command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=120, **more)


def install(what, root):
    # The script that `make install` calls, so that the test does not build anew.
    environment = dict(os.environ, B=BUILD, DESTDIR=str(root), PREFIX="/usr", SYSCONFDIR="/etc")
    result = run(os.path.join(ROOT, "tests/install.sh"), what, env=environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def found(root):
    return {os.path.relpath(os.path.join(folder, name), str(root))
            for folder, _, names in os.walk(str(root)) for name in names}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    install("install", root)
    return root


def need(program):
    if not shutil.which(program):
        pytest.skip("%s is not installed" % program)


def test_files_and_modes(installed):
    assert found(installed) == set(FILES)
    for name, mode in FILES.items():
        assert (installed / name).stat().st_mode & 0o7777 == mode, name


def test_programs_run(installed):
    for name in ("usr/sbin/pyprofd", "usr/bin/pyprofctl"):
        result = run(str(installed / name), "--version")
        assert result.returncode == 0 and result.stdout.startswith(os.path.basename(name)), result.stdout


def test_shipped_settings_are_good(installed):
    result = run(str(installed / "usr/sbin/pyprofd"), "--check-config", "--config", str(installed / CONF))
    assert (result.returncode, result.stdout) == (0, "%s: good\n" % (installed / CONF))


def test_commented_defaults_are_settings(installed, tmp_path):
    """Each default shown, taken out of its comment, is a known key with a good value."""
    text, count = re.subn(r"(?m)^#(\w+ = )", r"\1", (installed / CONF).read_text())
    assert count >= 6
    (tmp_path / "conf").write_text(text)
    result = run(str(installed / "usr/sbin/pyprofd"), "--check-config", "--config", str(tmp_path / "conf"))
    assert (result.returncode, result.stdout) == (0, "%s: good\n" % (tmp_path / "conf"))


@pytest.mark.parametrize("shell, file", [
    ("bash", "usr/share/bash-completion/completions/pyprofctl"),
    ("zsh", "usr/share/zsh/site-functions/_pyprofctl"),
])
def test_completions_parse(installed, shell, file):
    need(shell)
    result = run(shell, "-n", str(installed / file))
    assert (result.returncode, result.stdout) == (0, "")
    assert "record" in (installed / file).read_text()


def test_bash_completes_verbs(installed):
    script = """
        source %s
        COMP_WORDS=(pyprofctl rec) COMP_CWORD=1 COMP_LINE="pyprofctl rec" COMP_POINT=13
        $(complete -p pyprofctl | sed -E 's/.*-F ([^ ]+).*/\\1/') pyprofctl rec pyprofctl
        echo "${COMPREPLY[@]}"
    """ % (installed / "usr/share/bash-completion/completions/pyprofctl")
    assert run("bash", "-c", script).stdout.split() == ["record"]


def test_unit_is_valid(installed, tmp_path):
    need("systemd-analyze")
    unit = (installed / "usr/lib/systemd/system/pyprofd.service").read_text()
    assert "ExecStart=/usr/sbin/pyprofd --foreground\n" in unit
    # The program lies in a folder of the test, and its manual is not where man looks.
    unit = unit.replace("/usr/sbin/pyprofd", str(installed / "usr/sbin/pyprofd"))
    (tmp_path / "pyprofd.service").write_text(re.sub("(?m)^Documentation=.*\n", "", unit))
    result = run("systemd-analyze", "verify", str(tmp_path / "pyprofd.service"))
    told = [line for line in result.stdout.splitlines() if "pyprofd" in line]
    assert (result.returncode, told) == (0, [])


def test_unit_is_hardened(installed):
    need("systemd-analyze")
    result = run("systemd-analyze", "security", "--offline=yes", "--threshold=30",
                 str(installed / "usr/lib/systemd/system/pyprofd.service"))
    level = re.search(r"Overall exposure level .*: ([0-9.]+)", result.stdout)
    if not level:
        pytest.skip("this systemd-analyze has no offline security check: %s" % result.stdout.strip()[-100:])
    assert float(level.group(1)) <= 3.0


def test_prefix_reaches_the_unit(tmp_path):
    environment = dict(os.environ, B=BUILD, DESTDIR=str(tmp_path), PREFIX="/opt/pyprof", SYSCONFDIR="/etc")
    assert run(os.path.join(ROOT, "tests/install.sh"), "install", env=environment).returncode == 0
    unit = (tmp_path / "opt/pyprof/lib/systemd/system/pyprofd.service").read_text()
    assert "ExecStart=/opt/pyprof/sbin/pyprofd --foreground\n" in unit


def test_uninstall_leaves_nothing(tmp_path):
    install("install", tmp_path)
    assert install("uninstall", tmp_path) == ""
    assert found(tmp_path) == set()
    assert not (tmp_path / "etc/pyprof").exists()


def test_changed_settings_are_kept(tmp_path):
    install("install", tmp_path)
    changed = (tmp_path / CONF).read_text().replace("#hz = 99", "hz = 199")
    (tmp_path / CONF).write_text(changed)
    assert "Kept" in install("install", tmp_path)
    assert "Kept" in install("uninstall", tmp_path)
    assert found(tmp_path) == {CONF}
    assert (tmp_path / CONF).read_text() == changed
