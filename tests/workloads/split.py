# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Burns CPU in named functions in given shares: split.py SECONDS SHARE... Slices have random lengths, so that no
period of a sampler meets a period of the program. Prints one JSON line at its end: {function: thread_time seconds},
the program's own clock being the truth. A line on stdin starts it, after "ready" was printed."""
import json
import random
import sys
import time

spent = {}


def burn(seconds):
    clock = time.thread_time if hasattr(time, "thread_time") else time.process_time
    end = clock() + seconds
    while clock() < end:
        for _ in range(50):
            pass


def make(name):
    code = "def %s(seconds):\n    end = clock() + seconds\n    while clock() < end:\n        for _ in range(50):\n            pass\n" % name
    scope = {"clock": time.thread_time if hasattr(time, "thread_time") else time.process_time}
    exec(compile(code, "split_%s.py" % name, "exec"), scope)
    return scope[name]


def main():
    seconds, shares = float(sys.argv[1]), [float(s) for s in sys.argv[2:]]
    functions = [make("share_%d" % i) for i in range(len(shares))]
    clock = time.thread_time if hasattr(time, "thread_time") else time.process_time
    print("ready", flush=True)
    sys.stdin.readline()
    start = clock()
    while clock() - start < seconds:
        i = random.choices(range(len(shares)), shares)[0]
        before = clock()
        functions[i](random.uniform(0.0005, 0.005))
        spent[functions[i].__name__] = spent.get(functions[i].__name__, 0) + clock() - before
    print(json.dumps(spent), flush=True)
    sys.stdin.readline()


main()
