# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""pytest with one line a test file: report.py XML COUNTS SKIPS PYTEST-ARGUMENTS...

Failures are shown whole, after the file's line. Appends "passed failed skipped" to COUNTS and a
line with the reason of each skip to SKIPS.
"""
import sys
import time

import pytest


class Writer:
    """All that is left of the terminal reporter: pytest 8 takes its writer to compare the sides of an assertion."""

    def __init__(self, reporter):
        self._tw = reporter._tw


class Lines:
    """A pytest plugin that takes the place of the terminal reporter."""

    def __init__(self, counts, skips):
        self.counts, self.skips = counts, skips
        self.sum = {"passed": 0, "failed": 0, "skipped": 0}
        self.file, self.of_file, self.started, self.texts = None, None, 0, []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        # "-p no:terminal" would take its options away too, which pytest itself asks for.
        plugins, name = config.pluginmanager, "terminalreporter"
        plugins.register(Writer(plugins.unregister(plugins.getplugin(name))), name)

    def begin(self, file):
        if file != self.file:
            self.end()
            self.file, self.started, self.texts = file, time.monotonic(), []
            self.of_file = dict.fromkeys(self.sum, 0)

    def end(self):
        if self.file is None:
            return
        told = ", ".join("%d %s" % (n, what) for what, n in self.of_file.items() if n)
        name = "FAILED" if self.of_file["failed"] else "TEST"
        print("  %-8s %s: %s (%.1f s)" % (name, self.file, told or "no test", time.monotonic() - self.started))
        for text in self.texts:
            print(text)
        sys.stdout.flush()
        self.file = None

    def count(self, what):
        self.sum[what] += 1
        self.of_file[what] += 1

    def skip(self, name, reason):
        self.count("skipped")
        with open(self.skips, "a") as out:
            out.write("%s: %s\n" % (name, " ".join(str(reason).replace("Skipped: ", "", 1).split())))

    def fail(self, report):
        self.count("failed")
        self.texts.append("---- %s (%s)\n%s" % (report.nodeid, getattr(report, "when", "collect"), report.longreprtext))
        for title, text in report.sections:
            self.texts.append("---- %s\n%s" % (title, "\n".join(text.splitlines()[-60:])))

    def pytest_collectreport(self, report):
        file = report.nodeid.partition("::")[0]
        if report.failed:
            self.begin(file)
            self.fail(report)
        elif report.skipped:
            self.begin(file)
            self.skip(file, report.longrepr[2])

    def pytest_runtest_logstart(self, nodeid, location):
        self.begin(nodeid.partition("::")[0])

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.fail(report)
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            self.skip(report.nodeid, getattr(report, "wasxfail", None) or reason)
        elif report.when == "call":
            self.count("passed")

    def pytest_sessionfinish(self):
        self.end()
        with open(self.counts, "a") as out:
            out.write("%(passed)d %(failed)d %(skipped)d\n" % self.sum)


def main():
    xml, counts, skips, *arguments = sys.argv[1:]
    own = ["--tb=short", "--continue-on-collection-errors", "--junitxml", xml]
    return pytest.main(own + arguments, plugins=[Lines(counts, skips)])


sys.exit(main())
