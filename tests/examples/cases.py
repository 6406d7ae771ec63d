"""Runs the unittest cases of a file and leaves a report that tests/count_tests.py counts, case by case.

The build names by environment: VIDI_BUILD and VIDI_SOURCE (folders), VIDI_REPORT (the XML file to write).
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ET

BUILD = pathlib.Path(os.environ["VIDI_BUILD"])
SOURCE = pathlib.Path(os.environ["VIDI_SOURCE"])
CHECKPOINT = SOURCE / "examples/demo/checkpoint"
CLIP = SOURCE / "examples/demo/clip.mp4"  # 40 s; a phone 4..9, "goal" 9.5..12.6, a dog 12..16, no cat, no guitar
LIMIT_S = 120  # for one command


def environment(**changes):
    """As a user has it, but for `changes`; None removes a variable."""
    env = {**os.environ, **changes}
    return {name: value for name, value in env.items() if value is not None}


def run(command, stdin="", **options):
    """Ends with rc, stdout and stderr as text; a command that hangs is killed and fails the case."""
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=LIMIT_S, **options)


def hits_in(lines):
    """What `vidi-ask --json` prints after its first line, which is about the film."""
    return [one for one in map(json.loads, lines.splitlines()) if one.get("type") != "media"]


class Report(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.root = ET.Element("testsuites")

    def stopTest(self, test):
        super().stopTest(test)
        name = test.id().split(".")[-1]
        case = ET.SubElement(self.root, "testcase", name=name, status="run")
        if any(bad.id().startswith(test.id()) for bad, _ in self.failures + self.errors):
            ET.SubElement(case, "failure")
        elif any(skipped is test for skipped, _ in self.skipped):
            ET.SubElement(case, "skipped")


def main(module):
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    result = unittest.TextTestRunner(resultclass=Report, verbosity=2).run(suite)
    if "VIDI_REPORT" in os.environ:
        ET.ElementTree(result.root).write(os.environ["VIDI_REPORT"])
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
