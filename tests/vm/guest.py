# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The sampling test inside a virtual machine: pyprofd, with the rights that its systemd unit gives it and no
more, finds a busy Python and a forked child of it."""

import json
import os
import signal
import subprocess
import sys
import time

SOCKET = "/run/pyprof/pyprofd.sock"
USER = 991
PATIENCE = 40  # seconds; an emulated CPU is 20 to 50 times slower than a real one


def ctl(*arguments):
    """The answer of pyprofctl, or None while there is none."""
    done = subprocess.run(["pyprofctl", "--socket", SOCKET, *arguments, "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"said": done.stdout.decode(errors="replace").strip()[-300:]}


def wait_for(question):
    """Asks until the answer is true or patience ends; the answer."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = question()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.3)


def hot_processes():
    found = ctl("top", "--batch", "-n", "1").get("processes", [])
    return [process for process in found if (process.get("hot") or {}).get("function") == "hot_function"]


def check(what, good, detail=""):
    print("ok %s" % what if good else "fail %s: %s" % (what, str(detail).replace("\n", " | ")))
    sys.stdout.flush()
    return good


def sampled():
    """The child's function and line are right; its parent, which waits, has no hottest function."""
    processes = wait_for(hot_processes)
    if not check("sampling: top names the hottest function", processes, ctl("top", "--batch", "-n", "1")):
        return
    hot = processes[0]["hot"]
    check("sampling: file and line", hot["file"] == "/busy.py" and 9 <= hot["line"] <= 10, hot)
    status = ctl("status")
    print("note %s samples of %s events, lost %s" % (status.get("samples"), status.get("events"),
                                                     json.dumps(status.get("lost"))))


def log_tail():
    with open("/run/pyprofd.log") as log:
        return log.read()[-600:]


def as_the_unit():
    """A command before another: the unit's user, capabilities and LimitMEMLOCK, as systemd would set them."""
    with open("/pyprofd.service") as unit:
        settings = dict(line.strip().split("=", 1) for line in unit if "=" in line)
    names = settings["AmbientCapabilities"].lower().split()
    assert settings["LimitMEMLOCK"] == "infinity"
    only = "-all," + ",".join(name.replace("cap_", "+", 1) for name in names)
    return ["sh", "-c", 'ulimit -l unlimited && exec "$@"', "sh",
            "setpriv", "--reuid=%d" % USER, "--regid=%d" % USER, "--clear-groups", "--no-new-privs",
            "--inh-caps=" + only, "--ambient-caps=" + only, "--bounding-set=" + only]


def main():
    os.mkdir(os.path.dirname(SOCKET))
    os.chown(os.path.dirname(SOCKET), USER, USER)
    with open("/run/pyprofd.log", "w") as log:
        daemon = subprocess.Popen([*as_the_unit(), "pyprofd", "--foreground", "--socket", SOCKET, "--hz", "99"],
                                  stdout=log, stderr=log)
    if check("daemon: answers, with the rights of its unit", wait_for(lambda: "version" in ctl("version")), log_tail()):
        busy = subprocess.Popen([sys.executable, "/busy.py"])
        sampled()
        busy.kill()
    daemon.send_signal(signal.SIGTERM)
    try:
        check("daemon: ends with 0 on SIGTERM", daemon.wait(PATIENCE) == 0, "%s, %s" % (daemon.returncode, log_tail()))
    except subprocess.TimeoutExpired:
        check("daemon: ends with 0 on SIGTERM", False, "it went on: " + log_tail())


main()
