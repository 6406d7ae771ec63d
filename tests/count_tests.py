#!/usr/bin/env python3
"""Prints what the last `meson test` of a build folder counted: passed, failed and skipped, as three numbers.

usage: count_tests.py BUILD_FOLDER

GoogleTest programs count by test case, from the XML that meson has them write; others count as one. A program that
crashed, ran out of time or did not start leaves no XML, or one without the failure: it counts as one failed.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ET


def count_cases(report):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in ET.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def count_program(build, program):
    outcome = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(program["result"], "failed")
    report = build / (program["name"].split(" / ")[-1] + ".xml")
    if not report.exists():
        return {outcome: 1}
    try:
        counts = count_cases(report)
    except ET.ParseError:
        return {"failed": 1}
    if outcome == "failed" and not counts["failed"]:
        counts["failed"] = 1
    return counts


def main():
    build = pathlib.Path(sys.argv[1])
    total = {"passed": 0, "failed": 0, "skipped": 0}
    with open(build / "meson-logs" / "testlog.json") as log:
        for line in log:
            for outcome, n in count_program(build, json.loads(line)).items():
                total[outcome] += n
    print(total["passed"], total["failed"], total["skipped"])


main()
