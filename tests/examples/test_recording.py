#!/usr/bin/env python3
"""vidi-watch --record where it is hard: disks that are full, folders that go away, streams that change their form, ends
of every kind. The watching goes on whatever becomes of the clips."""
import http.server
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import cases
import media
from live import HIT, LIMIT_S, PROGRAM, QUICK, SCRIPTED, Process
from test_live_sources import JpegCamera

CLIP = ["--before", "1", "--after", "1"]


class Recording(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and stays so in what is started here

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def watch(self, *arguments, uri="test://", **environment):
        watch = Process([PROGRAM, uri, "a ball", *QUICK, *CLIP, *arguments], **{**SCRIPTED, **environment})
        self.addCleanup(watch.kill)
        return watch

    def scratch(self, folder=None):
        return sorted((folder or self.folder).glob(".vidi-watch-*"))

    def end_in_time(self, watch, number=signal.SIGINT):
        watch.process.send_signal(number)
        self.assertEqual(watch.wait_end_soon(), 0)

    def test_a_disk_without_room_costs_clips_alone(self):
        """Said once; hits go on as before, clips come back with the room, and Ctrl-C ends it."""
        watch = self.watch("--record", self.folder)
        watch.wait_line(HIT.pattern)
        limit = resource.prlimit(watch.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(watch.process.pid, resource.RLIMIT_FSIZE, (10_000, limit[1]))
        watch.wait_line("clips cannot be saved .*the watching goes on")
        for _ in range(4):
            watch.wait_line(HIT.pattern)
        resource.prlimit(watch.process.pid, resource.RLIMIT_FSIZE, limit)
        watch.wait_line("clips are saved again")
        watch.wait_line(r"saved .*a-ball.*\.mkv$")
        said = "\n".join(watch.seen)
        self.assertEqual(said.count("clips cannot be saved"), 1, said)
        self.assertEqual(said.count("watching test"), 1, said)
        self.end_in_time(watch)
        self.assertEqual(self.scratch(), [])

    def test_a_folder_that_goes_away_costs_clips_alone(self):
        """Its name is taken as it is; the watching goes on without it, and clips come back in a new one."""
        clips = self.folder / "clips 50%d %s"
        watch = self.watch("--record", clips)
        saved = watch.wait_line(r"saved (.*a-ball.*\.mkv)$")[1]
        self.assertIn(pathlib.Path(saved), list(clips.iterdir()))
        clips.rename(self.folder / "gone")  # at once, and with what is written meanwhile
        watch.wait_line("clips cannot be saved .*the watching goes on")
        watch.wait_line(HIT.pattern)
        watch.wait_line(r"saved .*a-ball.*\.mkv$")
        self.assertEqual("\n".join(watch.seen).count("watching test"), 1)
        self.end_in_time(watch)
        self.assertEqual(self.scratch(clips), [])

    def test_the_first_hit_of_a_connection_has_its_clip(self):
        """What came before it was known which streams there are is in it."""
        watch = self.watch("--record", self.folder, "--before", "0", "--after", "0", "--once", "1", VIDI_SCRIPTED_ANSWER="0.00-0.10")
        watch.wait_line(r"saved .*\.mkv$")
        self.assertEqual(watch.wait_end(), 0)

    def jpeg_camera(self):
        """A camera over HTTP whose picture may be exchanged, and its pictures of two sizes."""
        pictures = []
        for size in ("width=320,height=240", "width=160,height=120"):
            path = self.folder / "picture.jpg"
            media.launch(f"videotestsrc num-buffers=1 ! video/x-raw,{size} ! jpegenc ! filesink location={path}")
            pictures.append(path.read_bytes())
        camera = http.server.ThreadingHTTPServer(("127.0.0.1", 0), JpegCamera)
        camera.picture = pictures[0]
        threading.Thread(target=camera.serve_forever, daemon=True).start()
        self.addCleanup(camera.server_close)
        self.addCleanup(camera.shutdown)
        return camera, pictures

    def test_another_size_begins_another_fragment(self):
        """Clips before and after the change can be played, and nothing is said to be lost."""
        camera, pictures = self.jpeg_camera()
        clips = self.folder / "clips"
        watch = self.watch("--record", clips, uri=f"http://127.0.0.1:{camera.server_port}/without")
        for writer, picture in enumerate((pictures[1], pictures[0])):
            watch.wait_line(r"saved .*\.mkv$")
            self.wait_for_fragment("0*[1-9]", clips, writer)  # of this size: a clip may be one of before the change
            camera.picture = picture
        for _ in range(3):
            watch.wait_line(r"saved .*\.mkv$")
        self.end_in_time(watch)
        said = "\n".join(watch.seen)
        self.assertNotIn("clips cannot be saved", said)
        self.assertNotIn("was not saved", said)
        self.assertEqual(said.count("watching http"), 1, said)
        found = sorted(clips.glob("*.mkv"))
        self.assertGreater(len(found), 2, said)
        for clip in found:
            played = cases.run(["gst-launch-1.0", "-q", "filesrc", f"location={clip}", "!", "matroskademux", "!", "decodebin", "!", "fakesink"])
            self.assertEqual((played.returncode, played.stderr), (0, ""), clip)

    def test_a_size_that_changes_back_costs_no_clips(self):
        """Before a fragment of the other size is whole: nothing is said to be lost, and clips go on."""
        camera, pictures = self.jpeg_camera()
        watch = self.watch("--record", self.folder, uri=f"http://127.0.0.1:{camera.server_port}/without")
        watch.wait_line(r"saved .*\.mkv$")
        for writer, picture in ((1, pictures[1]), (2, pictures[0])):
            camera.picture = picture
            self.wait_for_fragment("0*", writer=writer)
        for _ in range(2):
            watch.wait_line(r"saved .*\.mkv$")
        self.end_in_time(watch)
        self.assertNotIn("clips cannot be saved", "\n".join(watch.seen))

    def test_a_hang_up_is_an_end_and_a_kill_is_swept(self):
        """SIGHUP ends as SIGTERM does; after SIGKILL the next start deletes what is left, but nothing that is in use."""
        killed = self.watch("--record", self.folder)
        killed.wait_line(HIT.pattern)
        left = self.scratch()
        self.assertEqual(len(left), 1)
        other = self.watch("--record", self.folder)
        other.wait_line(HIT.pattern)
        self.assertEqual(len(self.scratch()), 2)
        killed.kill()
        third = self.watch("--record", self.folder)
        third.wait_line(HIT.pattern)
        self.assertNotIn(left[0], self.scratch())
        self.assertEqual(len(self.scratch()), 2)
        self.end_in_time(third, signal.SIGHUP)
        self.end_in_time(other, signal.SIGTERM)
        self.assertEqual(self.scratch(), [])

    def test_an_end_that_hangs_leaves_nothing(self):
        """Where Ctrl-C finds the program waiting for its reader, it is ended in time, and the fragments are deleted."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(writer, b"-" * 4096)
        os.set_blocking(writer, True)
        watch = subprocess.Popen([PROGRAM, "test://", "a ball", *QUICK, *CLIP, "--record", self.folder], stdout=writer,
                                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=cases.environment(**SCRIPTED))
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        os.close(writer)
        self.wait_for_fragment("*3")  # hits came before
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(LIMIT_S), 0)
        self.assertEqual(list(self.folder.iterdir()), [])

    def wait_for_fragment(self, number, folder=None, writer=0):
        """One that begins: those before it are whole."""
        end = time.monotonic() + LIMIT_S
        while not list((folder or self.folder).glob(f".vidi-watch-*/{writer}-{number}.mkv")):
            self.assertLess(time.monotonic(), end, "no fragment came")
            threading.Event().wait(0.05)


if __name__ == "__main__":
    cases.main(__name__)
