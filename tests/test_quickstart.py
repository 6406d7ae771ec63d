#!/usr/bin/env python3
"""Runs the quick start as a user would and compares its table with what is true about the bundled clip.

Not a meson test: the quick start itself calls ninja. Every check counts; the last line is `N passed, N failed`.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / "examples/demo"
TOLERANCE_S = 0.5
LIMIT_S = 900
ROW = re.compile(r"(.*?) {2,}(\d+):(\d\d\.\d) {2,}(\d+):(\d\d\.\d) {2,}\S+")


class Counts:
    passed = failed = 0

    def check(self, sentence, holds, found):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {sentence}; found {found}")


def quickstart(*arguments, folder):
    """What it prints on stdout, and its exit status."""
    ran = subprocess.run([ROOT / "examples/quickstart.sh", *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, encoding="utf-8", timeout=LIMIT_S)
    return ran.stdout, ran.returncode


def hits_in(text):
    """The rows of the table: [(query, start, stop)], in seconds."""
    rows = filter(None, (ROW.fullmatch(line.rstrip()) for line in text.splitlines()))
    return [(row[1], int(row[2]) * 60 + float(row[3]), int(row[4]) * 60 + float(row[5])) for row in rows]


def is_right(hits, query, truth):
    found = [hit for hit in hits if hit[0] == query]
    return len(found) == 1 and all(abs(a - b) <= TOLERANCE_S for a, b in zip(found[0][1:], truth))


def main():
    clip, = json.loads((DEMO / "truth.json").read_text())
    truth = {question["query"]: question["ranges"] for question in clip["questions"]}
    counts = Counts()
    with tempfile.TemporaryDirectory() as elsewhere:
        text, status = quickstart(folder=elsewhere)
        hits = hits_in(text)
        counts.check("the quick start succeeds, from any folder", status == 0, status)
        for query in ("a phone", "a dog", "someone saying goal"):
            counts.check(f"{query} is found once, at {truth[query][0]} s", is_right(hits, query, truth[query][0]), hits)
        missing = [event for event in clip["events"] if not is_right(hits, event[2], event[:2])]
        counts.check("the list of highlights names all that happens, at its time", not missing, missing)
        counts.check("it ends with what to try next", "try next" in text, text[-500:])

    text, status = quickstart("clip.mp4", "a cat", "the puppy", folder=DEMO)
    hits = hits_in(text)
    counts.check("a file and questions of the user's own are taken", status == 0 and
                 is_right(hits, "the puppy", truth["a dog"][0]), hits)
    counts.check("what is not in the clip is not found", re.search(r"^a cat +nothing found", text, re.M), hits)
    text, status = quickstart("no-such-file.mp4", "a cat", folder=DEMO)
    counts.check("a file that is not there is refused", status == 2, status)

    print(f"{counts.passed} passed, {counts.failed} failed")
    sys.exit(counts.failed > 0)


main()
