#!/usr/bin/env python3
"""vidi-watch --hls: segments that play, dates that agree with their pictures, and every hit as a date range of its own."""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import cases
import media
from hls import CLASS, Playlist, first_picture, packets, seconds
from live import LIMIT_S, PROGRAM, QUICK, SCRIPTED, SERVER, Process

sys.path.append(str(cases.SOURCE / ".venv/extras"))
ENGINES = [os.environ.get("VIDI_ENGINE"), cases.BUILD / "model/libvidi.so"]
ENGINE = next((str(path) for path in ENGINES if path and os.path.exists(path)), None)
FRAME_S = 1 / 15  # of test://


def has(element):
    return subprocess.run(["gst-inspect-1.0", element], stdout=subprocess.DEVNULL, check=False).returncode == 0


HAS_ENCODER = has("x264enc") or has("openh264enc")


class Published(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "www"
        self.path = self.folder / "playlist.m3u8"

    def watch(self, *arguments, uri="test://", query=("a ball",), **environment):
        watch = Process([PROGRAM, uri, *query, "--hls", self.folder, "--json", *arguments], **{**SCRIPTED, **environment})
        self.addCleanup(watch.kill)
        return watch

    def quick(self, *arguments, **more):
        return self.watch(*QUICK, "--hls-segment", "1", *arguments, **more)

    def read(self):
        return Playlist(self.path.read_text())

    def wait_hits(self, watch, n):
        return [json.loads(watch.wait_line('^{"type":"hit".*"final":true}$')[0]) for _ in range(n)]

    def until(self, found):
        """What `found` says of the playlist, when it says something."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            result = self.path.exists() and found(self.read())
            if result:
                return result
            threading.Event().wait(0.05)
        raise AssertionError(self.path.read_text() if self.path.exists() else "no playlist")

    def end(self, watch):
        watch.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        self.assertEqual(watch.wait_end(), 0)
        self.assertLess(time.monotonic() - began, 3.5)
        return self.read()

    def check_dates(self, playlist, within=FRAME_S):
        """A segment's first picture and its date agree; dates go on where nothing says otherwise."""
        before = None
        for segment in playlist.segments:
            offset = segment.start - first_picture(self.folder / segment.uri)
            if before and not segment.discontinuity:
                self.assertAlmostEqual(offset, before[0], delta=within)
                self.assertAlmostEqual(segment.start, before[1].stop, delta=within)
            self.assertLess(segment.duration, playlist.target + 0.5)
            before = offset, segment


@unittest.skipUnless(HAS_ENCODER, "no encoder of H.264 is installed")
class Playlists(Published):
    def test_every_hit_is_a_date_range(self):
        """Once, with the time that is printed, title, question and confidence; each segment begins with tables and a key frame."""
        watch = self.quick()
        hits = self.wait_hits(watch, 4)
        playlist = self.end(watch)
        self.assertTrue(playlist.ended)
        self.check_dates(playlist)
        found = list(playlist.ranges.values())
        self.assertGreaterEqual(len(found), len(hits))
        for hit, tag in zip(hits, found):
            self.assertAlmostEqual(seconds(tag["START-DATE"]), seconds(hit["time"]), delta=0.3)
            self.assertAlmostEqual(float(tag["DURATION"]), hit["duration"], delta=0.002)
            self.assertAlmostEqual(seconds(tag["END-DATE"]) - seconds(tag["START-DATE"]), float(tag["DURATION"]), delta=0.0015)
            self.assertEqual((tag["CLASS"], tag["X-TITLE"], tag["X-QUESTION"], tag["X-CONFIDENCE"]), (CLASS, "a ball", "a ball", "0.900"))
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"playlist.m3u8"} | {s.uri for s in playlist.segments})

    def test_one_that_goes_on_is_open(self):
        """Without an end until it has one; what was given then is given again, under the same ID."""
        watch = self.quick(VIDI_SCRIPTED_ANSWER="0.50-1.00")
        seen = self.until(lambda playlist: next((tag for tag in playlist.ranges.values() if "DURATION" not in tag), None))
        self.assertNotIn("END-DATE", seen)
        closed = self.end(watch).ranges[seen["ID"]]
        self.assertEqual({name: closed[name] for name in seen}, seen)
        self.assertGreater(seconds(closed["END-DATE"]), seconds(closed["START-DATE"]))

    def test_segments_leave_with_their_ranges(self):
        """Playlist and folder stay bounded, and the numbers count what has left."""
        watch = self.quick("--hls-keep", "3")
        self.wait_hits(watch, 7)
        playlist = self.read()
        files = list(self.folder.iterdir())
        self.assertGreater(playlist.first, 4)
        self.assertLess(sum(s.duration for s in playlist.segments), 3 + 2)
        self.assertLess(len(files), 2 * (3 + 2) + 4)
        for tag in playlist.ranges.values():
            self.assertGreaterEqual(seconds(tag.get("END-DATE", tag["START-DATE"])), playlist.segments[0].start)
        self.assertLess(len(playlist.ranges), 5)
        self.end(watch)

    def test_a_hit_that_comes_too_late_is_said_once(self):
        """Its segments have left: it is not in the playlist."""
        watch = self.watch("--window", "8", "--stride", "8", "--rate", "5", "--hls-segment", "0.5", "--hls-keep", "1", VIDI_SCRIPTED_ANSWER="0.10-0.20")
        watch.wait_line("a hit is not in the playlist, .*--hls-keep")
        self.wait_hits(watch, 2)
        self.assertEqual(self.read().ranges, {})
        self.end(watch)
        self.assertEqual("\n".join(watch.seen).count("not in the playlist"), 1)

    def test_with_a_delay_tag_and_picture_come_together(self):
        """The playlist ends so much earlier, and no range in it lacks its end that will have one."""
        watch = self.quick("--hls-delay", "5s")
        n_read = 0
        while n_read < 3:
            self.wait_hits(watch, 1)
            if not self.path.exists():
                continue
            playlist, now = self.read(), time.time()
            self.assertLess(playlist.segments[-1].stop, now - 4.9)
            for tag in playlist.ranges.values():
                self.assertIn("END-DATE", tag)
            shown = playlist.segments[-1].stop - playlist.segments[0].start
            self.assertGreaterEqual(len(playlist.ranges), int((shown - 0.5) / 2))
            n_read += 1
        self.assertGreater(self.end(watch).segments[-1].stop, now - 1)  # what waited is published at the end

    def test_nothing_of_a_question_is_a_tag(self):
        """Quotes, line ends and controls stay outside; a question stays one value."""
        hostile = 'say "hi",X-A="1"\n#EXT-X-ENDLIST\r\n\x1b[2J\u2028\u009b end'
        watch = self.quick(query=(hostile,))
        self.wait_hits(watch, 1)
        tags = list(self.end(watch).ranges.values())
        self.assertTrue(tags)
        for tag in tags:
            self.assertRegex(tag["X-QUESTION"], r"^say 'hi',X-A='1' #EXT-X-ENDLIST  .*end$")
            self.assertEqual(set(tag), {"ID", "CLASS", "START-DATE", "END-DATE", "DURATION", "X-TITLE", "X-QUESTION", "X-CONFIDENCE"})

    def test_a_disk_without_room_costs_segments_alone(self):
        """Said once; the watching goes on, and the stream comes back with the room, after a discontinuity."""
        watch = self.quick()
        self.wait_hits(watch, 2)
        limit = resource.prlimit(watch.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(watch.process.pid, resource.RLIMIT_FSIZE, (5_000, limit[1]))
        watch.wait_line("cannot be published in .*the watching goes on")
        self.wait_hits(watch, 2)
        resource.prlimit(watch.process.pid, resource.RLIMIT_FSIZE, limit)
        watch.wait_line("published again in")
        self.wait_hits(watch, 1)
        playlist = self.end(watch)
        said = "\n".join(watch.seen)
        self.assertEqual((said.count("cannot be published"), said.count("watching test")), (1, 1), said)
        self.assertIn(True, [s.discontinuity for s in playlist.segments])
        self.check_dates(playlist)

    def test_a_folder_that_goes_away_comes_back(self):
        """It is made again, and the stream goes on in it."""
        watch = self.quick()
        self.wait_hits(watch, 1)
        shutil.rmtree(self.folder)
        watch.wait_line("cannot be published in .*the watching goes on")
        watch.wait_line("published again in")
        self.wait_hits(watch, 1)
        last = self.end(watch).segments[-1]
        self.assertTrue((self.folder / last.uri).exists())

    def test_a_kill_never_tears_the_playlist(self):
        """Whoever reads it at any moment has a whole one; the next run goes on with its numbers and clears away the rest."""
        self.folder.mkdir()
        n_read, over, torn = 0, threading.Event(), []

        def read_on():
            nonlocal n_read
            while not over.is_set():
                try:
                    self.read()
                    n_read += 1
                except FileNotFoundError:
                    pass
                except ValueError as error:
                    torn.append(error)
                over.wait(0.001)

        reader = threading.Thread(target=read_on)
        reader.start()
        dice, expected, discontinuity, old = random.Random(5), 0, 0, set()
        try:
            for _ in range(4):
                watch = self.quick("--hls-segment", "0.5")
                self.until(lambda playlist, least=expected: playlist.first >= least and not playlist.ended)
                self.wait_hits(watch, 1 + dice.randrange(2))
                threading.Event().wait(dice.random() / 2)  # any moment will do
                watch.kill()
                playlist = self.read()
                self.assertGreaterEqual(playlist.first, expected)
                self.assertGreaterEqual(playlist.first_discontinuity, discontinuity)
                for segment in playlist.segments:
                    packets(self.folder / segment.uri)
                self.assertFalse(old & {p.name for p in self.folder.iterdir()})
                old = {p.name for p in self.folder.glob("vidi-*.ts")}
                expected, discontinuity = playlist.next, playlist.first_discontinuity + 1
        finally:
            over.set()
            reader.join()
        self.assertEqual(torn, [])
        self.assertGreater(n_read, 100)

    def test_it_plays(self):
        """With ffmpeg, where that is installed, and with GStreamer; nothing of it is torn or out of order."""
        watch = self.quick()
        self.wait_hits(watch, 2)
        playlist = self.end(watch)
        expected = sum(s.duration for s in playlist.segments) / FRAME_S
        played = cases.run(["gst-launch-1.0", "-v", "uridecodebin", f"uri={self.path.as_uri()}", "!", "video/x-raw", "!", "identity", "silent=false",
                            "!", "fakesink", "sync=false"])
        self.assertEqual(played.returncode, 0, played.stderr)
        self.assertAlmostEqual(played.stdout.count("last-message = chain"), expected, delta=3)
        if shutil.which("ffmpeg"):
            played = cases.run(["ffmpeg", "-v", "warning", "-i", self.path, "-f", "null", "-"])
            self.assertEqual((played.returncode, played.stderr.strip()), (0, ""))

    def test_m3u8_reads_it(self):
        """A reader that others have written finds the same segments and ranges."""
        try:
            import m3u8  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("the Python module m3u8 is not installed (tests/extras.sh)")
        watch = self.quick("--hls-keep", "3")
        self.wait_hits(watch, 4)
        ours = self.end(watch)
        theirs = m3u8.load(str(self.path))
        self.assertEqual([s.uri for s in theirs.segments], [s.uri for s in ours.segments])
        self.assertEqual([s.program_date_time.timestamp() for s in theirs.segments], [s.start for s in ours.segments])
        self.assertEqual((theirs.media_sequence, theirs.discontinuity_sequence, theirs.target_duration, theirs.is_endlist),
                         (ours.first, ours.first_discontinuity, ours.target, True))
        found = {tag.id: tag for segment in theirs.segments for tag in segment.dateranges}
        self.assertEqual(set(found), set(ours.ranges))
        for name, tag in found.items():
            self.assertEqual((tag.start_date, tag.end_date, tag.class_), tuple(ours.ranges[name][a] for a in ("START-DATE", "END-DATE", "CLASS")))
            self.assertEqual(dict(tag.x_client_attrs)["x_title"].strip('"'), "a ball")

    def test_a_folder_of_somebody_else_is_left_alone(self):
        """Another program's playlist, another vidi-watch's folder, a source in it: one sentence, and nothing is changed."""
        self.folder.mkdir()
        self.path.write_text("#EXTM3U\n#EXTINF:1,\na.ts\n")
        watch = self.quick()
        watch.wait_line("is no playlist of vidi-watch, expected a folder without one")
        self.assertEqual(watch.wait_end(), 1)
        self.assertEqual(self.path.read_text(), "#EXTM3U\n#EXTINF:1,\na.ts\n")
        self.path.unlink()
        film = self.folder / "vidi-1-1-000001.ts"
        film.write_bytes(b"mine")
        watch = self.quick(uri=film.as_uri())
        watch.wait_line("the source lies in the folder of --hls, expected another folder")
        self.assertEqual((watch.wait_end(), film.read_bytes()), (2, b"mine"))
        film.unlink()
        first = self.quick()
        self.wait_hits(first, 1)
        second = self.quick()
        second.wait_line("another vidi-watch publishes in .*, expected a folder for this one")
        self.assertEqual(second.wait_end(), 1)
        self.end(first)


class Cameras(Published):
    def serve(self, *arguments):
        server = Process([SERVER, *arguments])
        self.addCleanup(server.kill)
        return server.wait_line(r"^rtsp://\S+$")[0]

    @unittest.skipUnless(HAS_ENCODER, "no encoder of H.264 is installed")
    def test_dates_are_those_of_the_camera(self):
        """Which tells its clock over RTCP: hits and segments have it, and sound of another kind has become AAC."""
        watch = self.quick(uri=self.serve("--codec", "h264"))
        hits = self.wait_hits(watch, 4)
        playlist = self.end(watch)
        self.check_dates(playlist)
        self.assertEqual({hit["clock"] for hit in hits[1:]}, {"camera"})
        starts = [seconds(tag["START-DATE"]) for tag in playlist.ranges.values()]
        for hit in hits[1:]:
            self.assertLess(min(abs(start - seconds(hit["time"])) for start in starts), 0.05, hit)

    def test_what_hls_does_not_take_is_said(self):
        """Pictures of VP8 are not encoded again: one sentence, and the watching goes on."""
        watch = self.quick(uri=self.serve("--codec", "vp8"))
        watch.wait_line("pictures of video/x-vp8 cannot be published in HLS, expected H.264 or H.265")
        self.wait_hits(watch, 2)
        watch.process.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait_end(), 0)
        self.assertFalse(self.path.exists())

    @unittest.skipUnless(ENGINE and HAS_ENCODER, "the engine is not built, or no encoder of H.264 is installed")
    def test_hits_of_a_camera_fit_the_truth(self):
        """The bundled clip, with the bundled model: each range begins and ends where the thing is seen or heard, within 1.1 s."""
        expected = {"a phone": (4, 9), "a dog": (12, 16), "someone saying goal": (9.5, 12.6)}
        watch = self.watch("--window", "10", "--stride", "10", "--latency", "500", uri=self.serve("--codec", "h264", str(cases.CLIP)), query=expected,
                           VIDI_ENGINE=ENGINE)
        found = set()
        while found != set(expected):
            found.add(self.wait_hits(watch, 1)[0]["query"])
        playlist = self.end(watch)
        self.check_dates(playlist, within=0.04)
        begin = playlist.segments[0].start
        self.assertEqual({tag["X-QUESTION"] for tag in playlist.ranges.values()}, set(expected))
        for tag in playlist.ranges.values():
            start, stop = expected[tag["X-QUESTION"]]
            self.assertAlmostEqual(seconds(tag["START-DATE"]) - begin, start, delta=1.1, msg=tag)
            self.assertAlmostEqual(seconds(tag["END-DATE"]) - begin, stop, delta=1.1, msg=tag)


class Tracks(unittest.TestCase):
    def test_klv_survives_a_transport_stream(self):
        """What json_src gives a muxer of MPEG-TS comes out of the demuxer byte for byte, each packet one line of JSON."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            pipeline = (f"filesrc location={cases.CLIP} ! qtdemux name=d vidifilter name=v model-path={cases.CHECKPOINT} query=dog "
                        "window-duration=10000000000 window-stride=10000000000 "
                        f"mpegtsmux name=m ! filesink location={folder}/film.ts "
                        "d.video_0 ! queue ! tee name=t ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! h264parse ! m. "
                        "t. ! queue ! avdec_h264 ! v.sink v.src ! fakesink sync=false "
                        f"v.json_src ! tee name=j ! queue ! m. j. ! queue ! filesink async=false location={folder}/sent.klv")
            made = cases.run(["gst-launch-1.0", "-q", *pipeline.split()], env={**SCRIPTED, "VIDI_SCRIPTED_ANSWER": "0.25-0.50 " + 20000 * "x",
                                                                                "GST_PLUGIN_PATH": str(cases.BUILD / "gst")})
            self.assertEqual(made.returncode, 0, made.stderr)
            media.launch(f"filesrc location={folder}/film.ts ! tsdemux ! meta/x-klv ! filesink location={folder}/read.klv")
            read = (folder / "read.klv").read_bytes()
            self.assertEqual(read, (folder / "sent.klv").read_bytes())
        key, types = bytes.fromhex("060e2b34010101010f76696469000001"), []
        while read:
            self.assertEqual(read[:16], key)
            n = read[16] & 0x7f if read[16] & 0x80 else 0
            length = int.from_bytes(read[17:17 + n], "big") if n else read[16]
            types.append(json.loads(read[17 + n:17 + n + length])["type"])
            read = read[17 + n + length:]
        self.assertEqual((types.count("model"), types.count("result"), types.count("window")), (1, 4, 4))


if __name__ == "__main__":
    cases.main(__name__)
