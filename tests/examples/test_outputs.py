#!/usr/bin/env python3
"""What the programs write, and who reads it: readers that leave, disks that are full, files that exist."""
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import cases
from live import PROGRAM as WATCH
from live import QUICK, SCRIPTED, Process, Server

ASK = cases.BUILD / "examples/vidi-ask"


class Outputs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def ask(self, *arguments, **options):
        return cases.run([ASK, *arguments], env=cases.environment(**SCRIPTED), **options)

    # ---- stdout ----

    def end_of(self, command, read_line=True):
        """How it ends after a reader that takes one line, or none, has left."""
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=cases.environment(**SCRIPTED))
        self.addCleanup(program.kill)
        if read_line:
            self.assertTrue(program.stdout.readline())
        program.stdout.close()
        return program.wait(cases.LIMIT_S)

    def test_a_reader_that_leaves_ends_the_program(self):
        """As SIGPIPE ends it, also where GIO ignores that for the whole process, and before there is anything to write."""
        server = Server()
        self.addCleanup(server.kill)
        for uri in ("test://", server.uri):
            self.assertEqual(self.end_of([WATCH, uri, "a ball", *QUICK]), -signal.SIGPIPE, uri)
        self.assertEqual(self.end_of([WATCH, "test://", "a ball", *QUICK], read_line=False), -signal.SIGPIPE)
        short = ["--window", "2", "--stride", "2"]
        self.assertEqual(self.end_of([ASK, "--json", *short, cases.CLIP, "a ball"]), -signal.SIGPIPE)

    def test_a_reader_that_leaves_a_recorder_finds_no_scratch_files(self):
        """The fragments go as at any other end."""
        self.assertEqual(self.end_of([WATCH, "test://", "a ball", *QUICK, "--record", self.folder]), -signal.SIGPIPE)
        self.assertEqual([path for path in self.folder.iterdir() if path.is_dir()], [])

    def test_a_full_disk_is_said(self):
        """One sentence and status 1, of hits, of the table and of a watch."""
        for command in ([ASK, "--quiet", cases.CLIP, "a ball"], [ASK, "--quiet", "--json", cases.CLIP, "a ball"],
                        [WATCH, "--quiet", "test://", "a ball", *QUICK]):
            with open("/dev/full", "wb") as full:
                ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
                                       timeout=cases.LIMIT_S, env=cases.environment(**SCRIPTED))
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertRegex(ended.stderr, r"^vidi-\w+: stdout cannot be written: No space left on device\.?\n$")

    # ---- Passwords ----

    def test_no_password_is_printed(self):
        """Neither in what a program says of its source nor in what GStreamer's errors quote."""
        for uri in ("rtsp://admin:geheim@127.0.0.1:1/live", "rtspt://admin:ge@heim@127.0.0.1:1/", "http://admin:geheim@127.0.0.1:1/a.ts",
                    "srt://127.0.0.1:1?passphrase=geheim1234", "nosuch://admin:geheim@127.0.0.1/"):
            watch = Process([WATCH, uri, "a ball", "--timeout", "3", *QUICK], **SCRIPTED)
            self.addCleanup(watch.kill)
            watch.wait_line("connecting again|URI")
            watch.process.send_signal(signal.SIGTERM)
            watch.wait_end()
            said = "\n".join(watch.seen)
            self.assertNotRegex(said, "admin|ge@?heim", uri)
            self.assertIn("127.0.0.1", said)
        for uri in ("http://admin:geheim@127.0.0.1:1/film.mp4", "rtsp://admin:geheim@127.0.0.1:1/", "nosuch://admin:geheim@127.0.0.1/"):
            asked = self.ask(uri, "a ball")
            self.assertEqual(asked.returncode, 1, asked.stderr)
            self.assertNotRegex(asked.stdout + asked.stderr, "admin|geheim", uri)


if __name__ == "__main__":
    cases.main(__name__)
