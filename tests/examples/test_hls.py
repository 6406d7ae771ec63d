#!/usr/bin/env python3
"""vidi-watch --hls: segments that play, dates that agree with their pictures, and every hit as a date range of its own."""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import cases
import media
from hls import CLASS, Playlist, first_picture, packets, seconds
from live import LIMIT_S, PROGRAM, QUICK, SCRIPTED, Process, Server

sys.path.extend(str(folder) for folder in (cases.BUILD / "extras/lib").glob("python3*/site-packages"))
ENGINES = [os.environ.get("VIDI_ENGINE"), cases.BUILD / "model/libvidi.so"]
ENGINE = next((str(path) for path in ENGINES if path and os.path.exists(path)), None)
FRAME_S = 1 / 15  # of test://
CLOCK_STEP_S = 0.5  # less is no discontinuity


def has(element):
    return subprocess.run(["gst-inspect-1.0", element], stdout=subprocess.DEVNULL, check=False).returncode == 0


SHORT = [*QUICK, "--hls-segment", "1"]
HOSTILE = 'say "hi",X-A="1"\n#EXT-X-ENDLIST\r\n\x1b[2J\u2028\u009b end'
TRUTH = {"a phone": (4, 9), "a dog": (12, 16), "someone saying goal": (9.5, 12.6)}  # seconds of the bundled clip
HAS_ENCODER = has("x264enc") or has("openh264enc")


class Run:
    """A vidi-watch that publishes into a folder of its own, which is there afterwards as well."""

    def __init__(self, folder, *arguments, uri="test://", query=("a ball",), **environment):
        self.folder, self.path = folder, folder / "playlist.m3u8"
        self.watch = Process([PROGRAM, uri, *query, "--hls", folder, "--json", *arguments], **{**SCRIPTED, **environment})
        self.wait_line, self.wait_end, self.kill = self.watch.wait_line, self.watch.wait_end, self.watch.kill

    def said(self):
        return "\n".join(self.watch.seen)

    def read(self):
        return Playlist(self.path.read_text())

    def wait_hits(self, n):
        return [json.loads(self.wait_line('^{"type":"hit".*"final":true}$')[0]) for _ in range(n)]

    def until(self, found):
        """What `found` says of the playlist, when it says something."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            result = self.path.exists() and found(self.read())
            if result:
                return result
            threading.Event().wait(0.05)
        raise AssertionError(self.path.read_text() if self.path.exists() else "no playlist")

    def end(self):
        """Ctrl-C ends it in time, whatever was not written by then. The last playlist."""
        self.watch.process.send_signal(signal.SIGINT)
        return self.last(self.watch.wait_end_soon())

    def last(self, status):
        """The playlist that an end with this status left."""
        if status:
            raise AssertionError(f"status {status}:\n{self.said()}")
        return self.read()

    def limit_files(self, n_bytes):
        """So long may a file become: as on a full disk. Returns the limit before."""
        before = resource.prlimit(self.watch.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.watch.process.pid, resource.RLIMIT_FSIZE, (n_bytes, before[1]))
        return before[0]


class Published(unittest.TestCase):
    """`RUNS` are begun together, since each of them mostly waits: name, arguments, environment."""

    RUNS = {}

    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.runs = {}
        for name, (arguments, more) in cls.RUNS.items():
            cls.runs[name] = cls.start(name, *arguments, **more)

    @classmethod
    def start(cls, folder, *arguments, **more):
        run = Run(cls.top / folder, *arguments, **more)
        cls.addClassCleanup(run.kill)
        return run

    @classmethod
    def quick(cls, folder, *arguments, **more):
        return cls.start(folder, *SHORT, *arguments, **more)

    def check_dates(self, run, playlist, within=FRAME_S, mostly=None):
        """A segment's first picture and its date agree; dates go on where nothing says otherwise. `mostly`: the median's bound."""
        before, off = None, []
        for segment in playlist.segments:
            offset = segment.start - first_picture(run.folder / segment.uri)
            if before and not segment.discontinuity:
                off.append(max(abs(offset - before[0]), abs(segment.start - before[1].stop)))
                self.assertLessEqual(off[-1], within)
            self.assertLess(segment.duration, playlist.target + 0.5)
            before = offset, segment
        if mostly is not None:
            self.assertLess(statistics.median(off), mostly, off)


@unittest.skipUnless(HAS_ENCODER, "no encoder of H.264 is installed")
class Playlists(Published):
    RUNS = {
        "plain": ([*SHORT, "--once", "12"], {"query": ("a ball", HOSTILE)}),
        "short": ([*SHORT, "--hls-keep", "3"], {}),
        "late": (["--window", "5", "--stride", "5", "--rate", "5", "--hls-segment", "0.5", "--hls-keep", "1"], {"VIDI_SCRIPTED_ANSWER": "0.02-0.08"}),
        "delayed": ([*SHORT, "--hls-delay", "8s", "--once", "10"], {}),
    }

    def plain(self):
        """Two questions, ten seconds or more, ended by itself: all is written then, on a slow machine, too."""
        run = self.runs["plain"]
        if not hasattr(run, "hits"):
            run.hits = run.wait_hits(8)
        return run, run.last(run.wait_end())

    def test_a_delay_brings_tag_and_picture_together(self):
        """The playlist ends so much earlier, and no range in it lacks its end that will have one. (Here first: it looks while it runs.)"""
        run = self.runs["delayed"]
        for least in (2, 4, 6):
            playlist = run.until(lambda playlist, least=least: len(playlist.segments) >= least and playlist)
            now = time.time()
            if playlist.ended:
                break  # what waited is published then
            self.assertLess(playlist.segments[-1].stop, now - 7.9)
            for tag in playlist.ranges.values():
                self.assertIn("END-DATE", tag)
            shown = playlist.segments[-1].stop - playlist.segments[0].start
            self.assertGreaterEqual(len(playlist.ranges), int((shown - 0.5) / 2))
        for _ in range(10):
            last_hit = json.loads(run.wait_line('^{"type":"hit".*"final":false}$')[0])
        playlist = run.last(run.wait_end())
        self.assertGreater(playlist.segments[-1].stop, seconds(last_hit["time"]))  # not eight seconds earlier any more
        for tag in playlist.ranges.values():
            self.assertIn("END-DATE", tag)

    def test_every_hit_is_a_date_range(self):
        """Once, with the time that is printed, title, question and confidence; each segment begins with tables and a key frame."""
        run, playlist = self.plain()
        self.assertTrue(playlist.ended)
        self.check_dates(run, playlist)
        tags = [tag for tag in playlist.ranges.values() if tag["X-QUESTION"] == "a ball"]
        hits = [hit for hit in run.hits if hit["query"] == "a ball"]
        self.assertGreaterEqual(len(tags), len(hits))
        for hit, tag in zip(hits, tags):
            self.assertAlmostEqual(seconds(tag["START-DATE"]), seconds(hit["time"]), delta=0.3)
            self.assertAlmostEqual(float(tag["DURATION"]), hit["duration"], delta=0.002)
            self.assertAlmostEqual(seconds(tag["END-DATE"]) - seconds(tag["START-DATE"]), float(tag["DURATION"]), delta=0.0015)
            self.assertEqual((tag["CLASS"], tag["X-TITLE"], tag["X-CONFIDENCE"]), (CLASS, "a ball", "0.900"))
        self.assertEqual({p.name for p in run.folder.iterdir()}, {"playlist.m3u8"} | {s.uri for s in playlist.segments})

    def test_nothing_of_a_question_is_a_tag(self):
        """Quotes, line ends and controls stay outside; a question stays one value."""
        tags = [tag for tag in self.plain()[1].ranges.values() if tag["X-QUESTION"] != "a ball"]
        self.assertTrue(tags)
        for tag in tags:
            self.assertRegex(tag["X-QUESTION"], r"^say 'hi',X-A='1' #EXT-X-ENDLIST  .*end$")
            self.assertEqual(set(tag), {"ID", "CLASS", "START-DATE", "END-DATE", "DURATION", "X-TITLE", "X-QUESTION", "X-CONFIDENCE"})

    def test_it_plays(self):
        """With ffmpeg, where that is installed, and with GStreamer; nothing of it is torn or out of order."""
        run, playlist = self.plain()
        expected = sum(s.duration for s in playlist.segments) / FRAME_S
        played = cases.run(["gst-launch-1.0", "-v", "uridecodebin", f"uri={run.path.as_uri()}", "!", "video/x-raw", "!", "identity", "silent=false",
                            "!", "fakesink", "sync=false"])
        self.assertEqual(played.returncode, 0, played.stderr)
        self.assertAlmostEqual(played.stdout.count("last-message = chain"), expected, delta=3)
        if shutil.which("ffmpeg"):
            played = cases.run(["ffmpeg", "-v", "warning", "-i", run.path, "-f", "null", "-"])
            self.assertEqual((played.returncode, played.stderr.strip()), (0, ""))

    def test_m3u8_reads_it(self):
        """A reader that others have written finds the same segments and ranges, also when some have left."""
        try:
            import m3u8  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("the Python module m3u8 is not installed (tests/extras.sh)")
        short = self.runs["short"]
        for ours, text in [(self.plain()[1], self.plain()[1].text), (short.until(lambda playlist: playlist.first > 2 and playlist), None)]:
            theirs = m3u8.loads(text or ours.text)
            self.assertEqual([s.uri for s in theirs.segments], [s.uri for s in ours.segments])
            self.assertEqual([s.program_date_time.timestamp() for s in theirs.segments], [s.start for s in ours.segments])
            self.assertEqual((theirs.media_sequence, theirs.discontinuity_sequence, theirs.target_duration, theirs.is_endlist),
                             (ours.first, ours.first_discontinuity, ours.target, ours.ended))
            found = {tag.id: tag for segment in theirs.segments for tag in segment.dateranges}
            shown = {name: tag for name, tag in ours.ranges.items()}
            self.assertEqual(set(found), set(shown))
            for name, tag in found.items():
                self.assertEqual((tag.start_date, tag.end_date, tag.class_), tuple(shown[name].get(a) for a in ("START-DATE", "END-DATE", "CLASS")))
                self.assertEqual(dict(tag.x_client_attrs)["x_title"].strip('"'), shown[name]["X-TITLE"])

    def test_one_that_goes_on_is_open(self):
        """Without an end until it has one, at the latest with the camera's; what was given then is given again, under the same ID."""
        camera = Server(0, "--codec", "h264")
        self.addCleanup(camera.kill)
        run = self.quick("open", uri=camera.uri, VIDI_SCRIPTED_ANSWER="0.50-1.00")
        seen = run.until(lambda playlist: next((tag for tag in playlist.ranges.values() if "DURATION" not in tag), None))
        self.assertNotIn("END-DATE", seen)
        camera.kill()
        closed = run.until(lambda playlist: "DURATION" in playlist.ranges[seen["ID"]] and playlist.ranges[seen["ID"]])
        self.assertEqual({name: closed[name] for name in seen}, seen)
        self.assertGreater(seconds(closed["END-DATE"]), seconds(closed["START-DATE"]))

    def test_segments_leave_with_their_ranges(self):
        """Playlist and folder stay bounded, and the numbers count what has left."""
        run = self.runs["short"]
        # More files than that are more of them for ever, but for a moment in which nobody clears away; a hit may be late as well.
        few_files = lambda: len(list(run.folder.iterdir())) < 2 * (3 + 2) + 4  # noqa: E731
        playlist = run.until(lambda playlist: playlist.first > 10 and playlist.ranges and few_files() and playlist)
        self.assertLess(sum(s.duration for s in playlist.segments), 3 + 2)
        self.assertLess(len(playlist.ranges), 5)
        for tag in playlist.ranges.values():
            self.assertGreaterEqual(seconds(tag.get("END-DATE", tag["START-DATE"])), playlist.segments[0].start)
        run.end()

    def test_a_hit_that_comes_too_late_is_said_once(self):
        """Its segments have left: it is not in the playlist."""
        run = self.runs["late"]
        run.wait_line("a hit is not in the playlist, .*--hls-keep")
        run.wait_hits(2)
        playlist = run.read()
        for tag in playlist.ranges.values():  # there is none, unless the stream was late as well
            self.assertGreaterEqual(seconds(tag.get("END-DATE", tag["START-DATE"])), playlist.segments[0].start)
        run.end()
        self.assertEqual(run.said().count("not in the playlist"), 1)

@unittest.skipUnless(HAS_ENCODER, "no encoder of H.264 is installed")
class Folders(Published):
    RUNS = {"full": (SHORT, {}), "gone": (SHORT, {}), "taken": (SHORT, {})}

    def test_a_disk_without_room_costs_segments_alone(self):
        """Said once; the watching goes on, and the stream comes back with the room, after a discontinuity."""
        run = self.runs["full"]
        run.wait_hits(2)
        room = run.limit_files(5000)
        run.wait_line("cannot be published in .*the watching goes on")
        run.wait_hits(2)
        run.limit_files(room)
        run.wait_line("published again in")
        run.wait_hits(1)
        playlist, said = run.end(), run.said()
        self.assertEqual((said.count("cannot be published"), said.count("watching test")), (1, 1), said)
        self.assertIn(True, [s.discontinuity for s in playlist.segments])
        self.check_dates(run, playlist)

    def test_a_folder_that_goes_away_comes_back(self):
        """It is made again, and the stream goes on in it."""
        run = self.runs["gone"]
        run.until(lambda playlist: playlist.segments)
        run.folder.rename(self.top / "elsewhere")  # at once, and with what is written meanwhile
        run.wait_line("cannot be published in .*the watching goes on")
        run.wait_line("published again in")
        run.wait_hits(1)
        last = run.end().segments[-1]
        self.assertTrue((run.folder / last.uri).exists())

    def test_a_folder_of_somebody_else_is_left_alone(self):
        """Another program's playlist, another vidi-watch's folder, a source in it: one sentence, and nothing is changed."""
        other = self.top / "other"
        other.mkdir()
        (other / "playlist.m3u8").write_text("#EXTM3U\n#EXTINF:1,\na.ts\n")
        run = self.quick("other")
        run.wait_line("is no playlist of vidi-watch, expected a folder without one")
        self.assertEqual(run.wait_end(), 1)
        self.assertEqual(run.path.read_text(), "#EXTM3U\n#EXTINF:1,\na.ts\n")
        run.path.unlink()
        film = other / "vidi-1-1-000001.ts"
        film.write_bytes(b"mine")
        run = self.quick("other", uri=film.as_uri())
        run.wait_line("the source lies in the folder of --hls, expected another folder")
        self.assertEqual((run.wait_end(), film.read_bytes()), (2, b"mine"))
        self.runs["taken"].until(lambda playlist: playlist.segments)
        run = self.quick("taken")
        run.wait_line("another vidi-watch publishes in .*, expected a folder for this one")
        self.assertEqual(run.wait_end(), 1)
        self.runs["taken"].end()

    def test_a_kill_never_tears_the_playlist(self):
        """Whoever reads it at any moment has a whole one; the next run goes on with its numbers and clears away the rest."""
        folder, n_read, over, torn = self.top / "killed", 0, threading.Event(), []

        def read_on():
            nonlocal n_read
            while not over.wait(0.001):
                try:
                    Playlist((folder / "playlist.m3u8").read_text())
                    n_read += 1
                except FileNotFoundError:
                    pass
                except ValueError as error:
                    torn.append(error)

        reader = threading.Thread(target=read_on)
        reader.start()
        dice, expected, discontinuity, old = random.Random(5), 0, 0, set()
        try:
            for _ in range(3):
                run = self.quick("killed", "--hls-segment", "0.5")
                run.until(lambda playlist, least=expected: playlist.first >= least)
                over.wait(2 * dice.random())  # any moment will do
                run.kill()
                playlist = run.read()
                self.assertGreaterEqual(playlist.first_discontinuity, discontinuity)
                for segment in playlist.segments:
                    packets(folder / segment.uri)
                self.assertFalse(old & {p.name for p in folder.iterdir()})
                old = {p.name for p in folder.glob("vidi-*.ts")}
                expected, discontinuity = playlist.next, playlist.first_discontinuity + 1
        finally:
            over.set()
            reader.join()
        self.assertEqual(torn, [])
        self.assertGreater(n_read, 100)


class Cameras(Published):
    @classmethod
    def serve(cls, *arguments):
        server = Server(0, *arguments)
        cls.addClassCleanup(server.kill)
        return server.uri

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs["vp8"] = cls.quick("vp8", uri=cls.serve("--codec", "vp8"))
        if HAS_ENCODER:
            cls.runs["h264"] = cls.quick("h264", uri=cls.serve("--codec", "h264"))
        if HAS_ENCODER and ENGINE:
            # Over TCP: a busy machine loses none of it.
            uri = cls.serve("--codec", "h264", str(cases.CLIP)).replace("rtsp:", "rtspt:")
            cls.runs["clip"] = cls.start("clip", "--window", "10", "--stride", "10", "--latency", "500", uri=uri, query=TRUTH, VIDI_ENGINE=ENGINE)

    @unittest.skipUnless(HAS_ENCODER, "no encoder of H.264 is installed")
    def test_dates_are_those_of_the_camera(self):
        """Which tells its clock over RTCP: hits and segments have it, and sound of another kind has become AAC."""
        run = self.runs["h264"]
        while run.wait_hits(1)[0]["clock"] != "camera":
            pass  # its first report has not come
        n_dated, off = 0, []
        for _ in range(20):  # PTS follow the arrival of packets, which a busy machine delays: some may be off
            hit = run.wait_hits(1)[0]
            self.assertEqual(hit["clock"], "camera")
            begin = seconds(hit["time"])
            playlist = run.until(lambda playlist, begin=begin: playlist.segments[-1].stop > begin + 1 and playlist)
            off.append(min((abs(seconds(tag["START-DATE"]) - begin) for tag in playlist.ranges.values()), default=None))
            n_dated += off[-1] is not None and off[-1] < 0.05
            if n_dated == 3:
                break
        self.assertEqual(n_dated, 3, off)
        self.check_dates(run, run.end(), within=CLOCK_STEP_S)

    def test_what_hls_does_not_take_is_said(self):
        """Pictures of VP8 are not encoded again: one sentence, and the watching goes on."""
        run = self.runs["vp8"]
        run.wait_line("pictures of video/x-vp8 cannot be published in HLS, expected H.264 or H.265")
        run.wait_hits(2)
        run.watch.process.send_signal(signal.SIGINT)
        self.assertEqual(run.wait_end(), 0)
        self.assertFalse(run.path.exists())

    @unittest.skipUnless(ENGINE and HAS_ENCODER, "the engine is not built, or no encoder of H.264 is installed")
    def test_hits_of_a_camera_fit_the_truth(self):
        """The bundled clip, with the bundled model: each range begins and ends where the thing is seen or heard, within 1.1 s."""
        run, found = self.runs["clip"], set()
        while found != set(TRUTH):
            found.add(run.wait_hits(1)[0]["query"])
        run.until(lambda playlist: {tag["X-QUESTION"] for tag in playlist.ranges.values()} == set(TRUTH))
        playlist = run.end()
        self.check_dates(run, playlist, within=CLOCK_STEP_S, mostly=0.04)  # a busy machine's stall moves two of them
        begin = playlist.segments[0].start
        end = next((segment.start for segment in playlist.segments if segment.discontinuity), float("inf"))  # the server plays it again
        for tag in playlist.ranges.values():
            if seconds(tag["START-DATE"]) >= end:
                continue
            start, stop = TRUTH[tag["X-QUESTION"]]
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
            env = {**SCRIPTED, "VIDI_SCRIPTED_ANSWER": "0.25-0.50 " + 20000 * "x", "GST_PLUGIN_PATH": str(cases.BUILD / "gst")}
            made = cases.run(["gst-launch-1.0", "-q", *pipeline.split()], env=cases.environment(**env))
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
