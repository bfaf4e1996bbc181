# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The main job: an unchanged Python service that already runs appears in `pyprofctl top` with its hottest function and
line within two seconds of the daemon's start."""
import json
import subprocess
import sys
import time

from conftest import PYPROFCTL, Daemon

SERVICE = """
import sys
def hottest():
    x = 0
    for i in range(1000):
        x += i
def serve():
    print("ready", flush=True)
    while True: hottest()
serve()
"""


def test_service_within_two_seconds(spawn, tmp_path):
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    target = spawn([sys.executable, str(script)])
    assert target.stdout.readline() == b"ready\n"
    start = time.monotonic()
    daemon = Daemon(hz=99)
    hot = None
    try:
        daemon.wait_ready(5)
        while time.monotonic() - start < 2 and not hot:
            run = subprocess.run([PYPROFCTL, "top", "--socket", daemon.socket, "--json"], stdout=subprocess.PIPE)
            for process in json.loads(run.stdout.decode()).get("processes", []):
                if process["pid"] == target.pid and process.get("hot"):
                    hot = process["hot"]
        took = time.monotonic() - start
    finally:
        assert daemon.stop() == 0
    assert hot and took < 2, (hot, took)
    assert hot["function"] == "hottest" and hot["file"] == str(script) and hot["line"] in (5, 6), hot
