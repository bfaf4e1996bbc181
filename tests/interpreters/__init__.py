# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The one place where tests get CPython builds from.

    from interpreters import interpreters
    @pytest.mark.parametrize("python", interpreters(), ids=str)

Sources: this host (/usr/bin, ~/.pyenv), the cache that `make interpreters` fills, and the folders or
programs that PYPROF_PYTHONS names (colon-separated). A build whose program is used (`argv`) leaves a
"cpython" line in the file that PYPROF_TESTED names.
"""

import glob
import os
import pwd
import re
import shutil
import subprocess

_PROBE = "import sys; print(sys.version.split()[0]); print(getattr(sys, '_is_gil_enabled', lambda: True)())"
_tested = set()


def _home():
    """Under sudo ~/.pyenv and the cache are the caller's."""
    user = os.environ.get("SUDO_USER")
    return pwd.getpwnam(user).pw_dir if user and os.geteuid() == 0 else os.path.expanduser("~")


def cache():
    """The folder that `make interpreters` fills, as interpreters/apt.sh chooses it."""
    if os.environ.get("PYPROF_CACHE"):
        return os.environ["PYPROF_CACHE"]
    under_sudo = os.environ.get("SUDO_USER") and os.geteuid() == 0
    base = None if under_sudo else os.environ.get("XDG_CACHE_HOME")
    return os.path.join(base or os.path.join(_home(), ".cache"), "pyprof")


class Interpreter:
    """One build. `root` is None, or the folder that its launcher makes the root of its file system."""

    def __init__(self, name, version, kind, launcher, root=None):
        self.name = name
        self.version_text = version
        self.version = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        self.kind = kind
        self.launcher = launcher
        self.root = root

    def __str__(self):
        return self.name

    def __repr__(self):
        return "<%s %s>" % (self.name, self.version_text)

    @property
    def minor(self):
        return self.version[:2]

    @property
    def supported(self):
        return self.version >= (3, 6)

    @property
    def free_threaded(self):
        return self.kind == "free-threaded"

    @property
    def jit(self):
        return self.name.endswith("-jit")

    @property
    def argv(self):
        """What to put before the arguments of a program; notes that the build was tested."""
        _note_tested(self)
        return [self.launcher]

    @property
    def program(self):
        """The interpreter's file as this host's root sees it."""
        if not self.root:
            return os.path.realpath(self.launcher)
        return os.path.join(self.root, "usr/bin/python%d.%d" % self.minor)

    def outside(self, path):
        """A path of the build's file system, as this host sees it."""
        return self.root + path if self.root else path

    def place(self, source, folder="/tmp"):
        """Makes a file reachable for the build; returns its path as the build sees it."""
        source = os.path.abspath(source)
        if not self.root:
            return source
        os.makedirs(self.outside(folder), exist_ok=True)
        path = os.path.join(folder, os.path.basename(source))
        shutil.copyfile(source, self.outside(path))
        return path

    def folder(self, path):
        """A folder of this path on both sides (pytest's tmp_path), so that one name serves for both."""
        if self.root:
            os.makedirs(self.outside(str(path)), exist_ok=True)
        return self.outside(str(path))


def _note_tested(python):
    path = os.environ.get("PYPROF_TESTED")
    if not path or python.name in _tested:
        return
    _tested.add(python.name)
    with open(path, "a") as file:
        file.write("cpython %s %s %s\n" % (python.version_text, python.kind, python.name))


def _ask(program):
    """(version, has a GIL) of a program, or None if it does not run."""
    try:
        out = subprocess.run([program, "-c", _PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             timeout=20, check=True).stdout.decode().split()
    except (OSError, subprocess.SubprocessError):
        return None
    return out[0], out[1] == "True"


def _host():
    for program in sorted(glob.glob("/usr/bin/python3.*")):
        found = re.fullmatch(r"python(3\.\d+)", os.path.basename(program)) and _ask(program)
        if found:
            yield Interpreter("host-" + ".".join(found[0].split(".")[:2]), found[0], "debian", program)


def _pyenv():
    for prefix in glob.glob(os.path.join(_home(), ".pyenv/versions/*/")):
        version = os.path.basename(prefix.rstrip("/"))
        program = os.path.realpath(os.path.join(prefix, "bin/python"))
        if re.match(r"\d+\.\d+", version) and os.access(program, os.X_OK):
            kind = "free-threaded" if version.endswith("t") else "pyenv"
            yield Interpreter("pyenv-" + version, version, kind, program)


def _programs(place):
    """A place that PYPROF_PYTHONS names is a program, or a prefix with bin/python3.N[t]."""
    if os.path.isfile(place):
        return [place]
    return [path for path in glob.glob(os.path.join(place, "bin/python3.*"))
            if re.fullmatch(r"python3\.\d+t?", os.path.basename(path))]


def _given():
    places = filter(None, os.environ.get("PYPROF_PYTHONS", "").split(":"))
    for place in places:
        for program in _programs(place):
            found = _ask(program)
            if not found:
                raise RuntimeError("PYPROF_PYTHONS: %s does not run" % program)
            kind = "debian" if found[1] else "free-threaded"
            yield Interpreter("given-" + program.strip("/").replace("/", "-"), found[0], kind, program)


def _lines():
    try:
        with open(os.path.join(cache(), "interpreters.list")) as file:
            return file.read().splitlines()
    except OSError:
        return []


def _cached():
    for line in _lines():
        if line.startswith(("#", "host-", "pyenv-")):
            continue
        name, version, kind, launcher, root = line.split()
        if os.access(launcher, os.X_OK) and (root == "-" or os.geteuid() == 0):
            yield Interpreter(name, version, kind, launcher, None if root == "-" else root)


def skips():
    """[(name, reason)] of the builds that `make interpreters` could not get."""
    if not _lines():
        return [("all", "make interpreters has not filled %s" % cache())]
    found = (re.match(r"# (?:skip|missing) (\S+): (.*)", line) for line in _lines())
    return [match.groups() for match in found if match]


def interpreters(unsupported=False):
    """Every build found, oldest first; those that pyprof refuses (before 3.6) only if asked for."""
    every = [python for source in (_host, _pyenv, _cached, _given) for python in source()]
    return sorted((python for python in every if unsupported or python.supported),
                  key=lambda python: (python.version, python.name))


def one_per_minor():
    """The newest build with a GIL and no JIT of each minor version, for tests that are slow."""
    plain = [python for python in interpreters() if not python.free_threaded and not python.jit]
    return list({python.minor: python for python in plain}.values())
