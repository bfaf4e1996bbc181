# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`make bench`: what profiling costs here. Needs a quiet machine; every figure is of this run."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

print("kernel %s, %d CPUs, load %.2f" % (os.uname().release, os.cpu_count(), os.getloadavg()[0]), flush=True)
for part in ("walk_cost.py", "daemon_cost.py"):
    subprocess.run([sys.executable, os.path.join(HERE, part)], check=True)
