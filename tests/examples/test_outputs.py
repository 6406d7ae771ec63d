#!/usr/bin/env python3
"""What the programs write, and who reads it: readers that leave, disks that are full, files that exist."""
import os
import pathlib
import shutil
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

    def end_of(self, command, read_line=True, **environment):
        """How it ends after a reader that takes one line, or none, has left."""
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=cases.environment(**SCRIPTED, **environment))
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
        # Slow enough not to have ended before its reader leaves: 20 windows.
        short = ["--window", "2", "--stride", "2"]
        self.assertEqual(self.end_of([ASK, "--json", *short, cases.CLIP, "a ball"], VIDI_SCRIPTED_SECONDS="0.7"), -signal.SIGPIPE)

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

    # ---- Files ----

    def test_no_input_is_overwritten(self):
        """A film, also by a link or piped in, and a file that is written already are refused; what was there stays."""
        film = self.folder / "film.mp4"
        shutil.copy(cases.CLIP, film)
        link, hard, other = self.folder / "link.vtt", self.folder / "hard.vtt", self.folder / "other.vtt"
        link.symlink_to("film.mp4")
        os.link(film, hard)
        for arguments in (["--vtt", film, film], ["--srt", link, film], ["--vtt", hard, film.as_uri()], ["--vtt", other, "--srt", other, film]):
            asked = self.ask(*arguments, "a ball")
            self.assertEqual(asked.returncode, 1, asked.stderr)
            self.assertRegex(asked.stderr, r"^vidi-ask: .* (is read|is to be written twice), expected .*\.\n$")
        with open(film, "rb") as stdin:
            piped = subprocess.run([ASK, "--vtt", film, "-", "a ball"], stdin=stdin, capture_output=True, text=True,
                                   timeout=cases.LIMIT_S, env=cases.environment(**SCRIPTED))
        self.assertIn("is piped in", piped.stderr)
        self.assertEqual(film.read_bytes(), cases.CLIP.read_bytes())
        self.assertFalse(other.exists())

    def test_a_write_that_fails_leaves_the_old_file(self):
        """As it was, whether there is no room from the start or at the end; a link stays one, and nothing is left beside."""
        old, link = self.folder / "real.vtt", self.folder / "hits.vtt"
        old.write_text("old")
        link.symlink_to("real.vtt")
        failed = cases.run(["prlimit", "--fsize=4", ASK, "--vtt", link, cases.CLIP, "a ball"], env=cases.environment(**SCRIPTED))
        self.assertEqual(failed.returncode, 1, failed.stderr)
        self.assertIn("hits.vtt cannot be written: File too large", failed.stderr)
        self.assertEqual(old.read_text(), "old")
        written = self.ask("--vtt", link, cases.CLIP, "a ball")
        self.assertEqual(written.returncode, 0, written.stderr)
        self.assertTrue(link.is_symlink())
        self.assertIn("a ball", old.read_text())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["hits.vtt", "real.vtt"])
        self.assertIn("No space left", self.ask("--srt", "/dev/full", cases.CLIP, "a ball").stderr)

    def test_a_file_is_no_question(self):
        """One sentence says how many files, or sources, are taken."""
        other = self.folder / "b.mp4"
        other.write_bytes(b"")
        for command, said in (([ASK, cases.CLIP, other, "a ball"], "takes one file"), ([WATCH, "test://", "rtsp://a:b@cam/", "a ball"], "takes one source")):
            refused = cases.run(command)
            self.assertEqual(refused.returncode, 2)
            self.assertRegex(refused.stderr, said)
            self.assertNotIn("a:b", refused.stderr)

    def test_a_refused_question_is_not_waited_for(self):
        """It is said, and the next one is answered."""
        asked = cases.run([ASK, "--quiet", "--ask-more", "--window", "20", cases.CLIP, "a phone"], stdin="<pad>\na dog\n<pad>\n\n")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertRegex(asked.stdout, r"a dog +0:1\d")
        self.assertEqual(asked.stderr.count("is not answered: "), 2)

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
