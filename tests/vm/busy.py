# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A Python that is busy in one known function, three calls deep, in a forked child."""

import os


def hot_function():
    total = 0
    for number in range(10000):
        total += number * number
    return total


def middle():
    while True:
        hot_function()


if os.fork() == 0:
    middle()
os.wait()
