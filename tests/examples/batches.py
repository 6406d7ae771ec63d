"""Batches of short films with the scripted engine: in every window it finds 0.20-0.60, and it writes down how often it is asked."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import cases
import media

PROGRAM = cases.BUILD / "examples/vidi-ask"
ENGINE = cases.BUILD / "tests/libscripted.so"
LENGTH_S = 2


def make_film(path, seconds=LENGTH_S):
    media.launch(f"videotestsrc num-buffers={seconds * 5} ! video/x-raw,width=64,height=48,framerate=5/1 ! jpegenc ! avimux ! filesink location={path}")
    return path


class Folder(unittest.TestCase):
    """A case with a folder of its own, films in it, and a batch's answers beside them."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.film = make_film(pathlib.Path(folder.name) / "film.avi")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        self.asked = self.folder / "asked"
        self.asked.touch()

    def films(self, n):
        paths = [self.folder / f"film{i:03}.avi" for i in range(n)]
        for path in paths:
            shutil.copy2(self.film, path)
        return paths

    def list_of(self, lines, name="list"):
        path = self.folder / name
        path.write_bytes(b"".join(line.encode() + b"\n" if isinstance(line, str) else bytes(line) + b"\n" for line in lines))
        return path

    def n_asked(self):
        """How many windows the engine was asked about, in all runs."""
        return len(self.asked.read_text().splitlines())

    def environment(self, **more):
        return cases.environment(**{"VIDI_ENGINE": str(ENGINE), "VIDI_SCRIPTED_ANSWER": "0.20-0.60", "VIDI_SCRIPTED_LOG": str(self.asked), **more})

    def command(self, lines, *arguments):
        named = lines if isinstance(lines, (str, pathlib.Path)) else self.list_of(map(str, lines))
        return [PROGRAM, "--batch", named, "--out", self.out, *(arguments or ["a dog"])]

    def batch(self, lines, *arguments, status=0, stdin="", **more):
        """The ends that it prints, by the number of the line."""
        result = cases.run(self.command(lines, *arguments), stdin=stdin, env=self.environment(**more), cwd=self.folder)
        self.assertEqual(result.returncode, status, result.stderr)
        self.said = result.stderr
        ends = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(len({end["line"] for end in ends}), len(ends), "a line of the list has one end")
        return {end["line"]: end for end in ends}

    def start(self, lines, *arguments, **more):
        process = subprocess.Popen(self.command(lines, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=self.environment(**more), cwd=self.folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        return process

    def rows(self, kind=None):
        """What the folder has, as a user's script reads it; each file is whole."""
        rows = []
        for path in sorted(self.out.glob("*.jsonl")):
            lines = path.read_text().splitlines()
            found = [json.loads(line) for line in lines]
            self.assertEqual([row["kind"] for row in found].index("file"), len(found) - 1, path)
            self.assertEqual({row["key"] for row in found}, {path.stem})
            rows += found
        return [row for row in rows if kind in (None, row["kind"])]

    def wait_until(self, there, what):
        end = time.monotonic() + cases.LIMIT_S
        while not there():
            self.assertLess(time.monotonic(), end, f"{what} did not come")
            threading.Event().wait(0.02)
