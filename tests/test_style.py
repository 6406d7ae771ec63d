#!/usr/bin/env python3
"""The layout of the source tree: which folder may include what, and which files the build must know. Each fault is one sentence."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ.get("VIDI_SOURCE", pathlib.Path(__file__).parent.parent))
CODE = {".h", ".cpp", ".cu", ".cuh"}
# From left to right: a folder may include what stands behind it in its row, itself, and nothing before it; what stands in one
# place includes nothing of its neighbours. Files that lie in the parent folder itself are its ground, which all may include and
# which includes only ground.
TOP = [["gst"], ["model"], ["kernels"]]
ROOMS = {
    "examples": [["ask", "watch", "embed"], ["batch"], ["page"], ["export"], ["common"]],
    "gst": [["plugin"], ["filter"], ["results"], ["worker", "decode"], ["windows"], ["media"]],
    "model": [["engine_api"], ["session"], ["decoder"], ["device", "text", "towers"], ["checkpoint"]],
    "kernels": [["launch_stub"], ["attention"], ["layers"], ["cuda", "pixels"]],
}
# Files of a folder that are no ground: they see its rooms, which do not see them.
FRONT = {"gst/plugin.cpp": "plugin", "model/engine_api.h": "engine_api", "model/engine_api.cpp": "engine_api",
         "kernels/launch_stub.cpp": "launch_stub"}


def place(order, name):
    """How far to the right of `order` this room stands; none: ground."""
    return next((i for i, rooms in enumerate(order) if name in rooms), None)


def fault(order, room, included):
    """Why `room` must not include `included`, both rooms of one folder; none where it may."""
    here, there = place(order, room), place(order, included)
    if room == included or there is None:
        return None
    if here is None:
        return "the ground of a folder includes none of its rooms"
    if here == there:
        return "rooms side by side do not include each other"
    return "the room that is included stands to the left" if there < here else None


def room_of(path):
    """The room below the top folder, or the file itself where it lies in the folder."""
    return FRONT.get(path, pathlib.PurePosixPath(path).parts[1])


def why_not(includer, included):
    """Both as they stand in an include."""
    top, other = includer.split("/")[0], included.split("/")[0]
    if top != other:
        if top == "examples":
            return "a program uses the element as any application does"
        return fault(TOP, top, other) if place(TOP, other) is not None else "the product uses nothing of it"
    return fault(ROOMS[top], room_of(includer), room_of(included)) if top in ROOMS else None


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in CODE:
                yield path.relative_to(ROOT).as_posix()


SLEEP = re.compile(r"(\b|_)(sleep|usleep|nanosleep|sleep_for|sleep_until) *\(")


class Style(unittest.TestCase):
    def test_no_test_sleeps(self):
        """One that sleeps to wait for another thread passes by luck: it waits for the event itself."""
        lines = [f"{path.relative_to(ROOT)}:{number}: {line.strip()}" for path in sorted((ROOT / "tests").rglob("*"))
                 if path.suffix in CODE | {".c", ".py"}
                 for number, line in enumerate(path.read_text().splitlines(), 1) if SLEEP.search(line)]
        self.assertEqual(lines, [], "\n".join(lines))

    def test_includes_run_in_one_direction(self):
        """No file includes what stands to the left of it, nor its neighbours."""
        faults = []
        for path in sources("gst", "model", "kernels", "examples"):
            for included in re.findall(r'^#include "([^"]+)"', (ROOT / path).read_text(), re.M):
                why = why_not(path, included)
                if why:
                    faults.append(f"{path} includes {included}: {why}")
        self.assertEqual(faults, [], "\n".join(faults))

    def test_a_wrong_include_is_found(self):
        """What the test above rests on."""
        for includer, included in [("kernels/layers/linear.cpp", "model/result.h"), ("model/text/bpe.h", "gst/results/chapters.h"),
                                   ("kernels/layers/norm.cpp", "kernels/attention/gemv.h"), ("model/text/answer.h", "model/towers/layers.h"),
                                   ("model/window.h", "model/text/answer.h"), ("examples/ask/asker.h", "examples/watch/connection.h"),
                                   ("examples/common/text.h", "gst/results/chapters.h"), ("gst/results/chapters.cpp", "tests/support/rig.h"), ("model/checkpoint/weights.h", "model/device/device.h")]:
            self.assertTrue(why_not(includer, included), f"{includer} may not include {included}")
        for includer, included in [("gst/results/chapters.cpp", "model/window.h"), ("model/decoder/batch.cpp", "model/text/answer_draft.h"),
                                   ("model/session/vidi_session.h", "model/session.h"), ("kernels/attention/gemv.h", "kernels/aten.h")]:
            self.assertIsNone(why_not(includer, included), f"{includer} may include {included}")

    def test_includes_name_files_that_are_there(self):
        """A quoted include is a path from the root, or a file beside."""
        for path in sources("gst", "model", "kernels", "tests", "examples"):
            for included in re.findall(r'^#include "([^"]+)"', (ROOT / path).read_text(), re.M):
                there = (ROOT / included).is_file() or (ROOT / path).parent.joinpath(included).is_file()
                self.assertTrue(there, f"{path} includes {included}, which is not there")

    def test_every_test_is_in_a_suite(self):
        """A test file that meson does not name would never run."""
        known = (ROOT / "tests/meson.build").read_text() + (ROOT / "tests/run.sh").read_text()
        for path in sorted((ROOT / "tests").rglob("test_*")):
            if path.suffix not in {".cpp", ".py"} or "__pycache__" in path.parts:
                continue
            name = path.stem.removeprefix("test_")
            stands = path.name in known or re.search(rf"\b{re.escape(name)}\b", known) or re.search(rf"\b{re.escape(name.replace('_', '-'))}\b", known)
            self.assertTrue(stands, f"{path.relative_to(ROOT)} is in no suite of tests/meson.build")


if __name__ == "__main__":
    unittest.main()
