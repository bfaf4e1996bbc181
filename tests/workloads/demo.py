# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Something to look at: a small "shop" that answers orders for five minutes and then ends by itself.

About 70 % of one core: parsing (Python), rendering (Python), packing (zlib, without the GIL), and
two threads that mostly wait, and a forked helper with a tenth of the load.
"""
import os
import random
import sys
import threading
import time
import zlib

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
DEADLINE = time.monotonic() + SECONDS


def parse_order(text):
    fields = {}
    for pair in text.split("&"):
        key, _, value = pair.partition("=")
        fields[key] = sum(ord(letter) for letter in value)
    return fields


def render_page(fields):
    rows = ["<li>%s: %d</li>" % (key, value) for key, value in sorted(fields.items())]
    return "<ul>" + "".join(rows) + "</ul>"


def pack_page(page):
    return zlib.compress(page.encode() * 4, 6)


def answer_orders(busy):
    random.seed(1)
    order = "&".join("item%d=%s" % (n, "x" * random.randrange(5, 60)) for n in range(120))
    while time.monotonic() < DEADLINE:
        started = time.monotonic()
        while time.monotonic() - started < 0.1 * busy:
            pack_page(render_page(parse_order(order)))
        time.sleep(0.1 * (1 - busy))


def watch_stock():
    while time.monotonic() < DEADLINE:
        time.sleep(1)


def main():
    if os.fork() == 0:
        answer_orders(busy=0.1)
        os._exit(0)
    for name in ("stock", "mail"):
        threading.Thread(target=watch_stock, name=name, daemon=True).start()
    answer_orders(busy=0.6)
    os.wait()


main()
