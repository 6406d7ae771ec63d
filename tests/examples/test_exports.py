#!/usr/bin/env python3
"""vidi-export, and each form read back by the program it is for: the same frame in all of them."""
import csv
import fractions
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

import cases

PROGRAM = cases.BUILD / "examples/vidi-export"
RATES = ["24000/1001", "25/1", "30000/1001", "30/1", "60000/1001"]
N_SECONDS = 3700
Fraction = fractions.Fraction

READ_OTIO = """
import json, sys
import opentimelineio as otio
name, path, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
if name == "edl":
    film = otio.adapters.read_from_file(path, rate=rate)
    first = otio.opentime.from_timecode(sys.argv[4], rate).to_frames()
    found = [clip.source_range.start_time.to_frames() - first for clip in film.find_clips()]
elif name == "otio":
    film = otio.adapters.read_from_file(path)
    found = [marker.marked_range.start_time.to_frames() for marker in list(film.find_clips())[0].markers]
elif name == "otio-cuts":
    film = otio.adapters.read_from_file(path)
    found = [clip.source_range.start_time.to_frames() for clip in film.video_tracks()[0]]
else:
    film = otio.adapters.read_from_file(path)[0]
    found = [marker.marked_range.start_time.to_frames() for marker in list(film.find_clips())[0].markers]
print(json.dumps(found))
"""


def otio_python():
    """An interpreter that has OpenTimelineIO with its adapters; none: nothing."""
    for python in [cases.BUILD / "extras/bin/python", pathlib.Path(sys.executable)]:
        wants = "import opentimelineio as o; assert {'cmx_3600', 'fcpx_xml'} <= set(o.adapters.available_adapter_names())"
        if python.exists() and subprocess.run([python, "-c", wants], capture_output=True).returncode == 0:
            return python
    return None


OTIO = otio_python()


def frames_of(code, rate, first="00:00:00:00"):
    """The frame that a time code counts, by SMPTE ST 12-1."""
    def number(text):
        h, m, s, f = (int(part) for part in re.split("[:;]", text))
        minutes, dropped = 60 * h + m, nominal // 15 if rate.denominator == 1001 and nominal % 30 == 0 else 0
        return (60 * minutes + s) * nominal + f - dropped * (minutes - minutes // 10)

    nominal = round(rate)
    return number(code) - number(first)


def ms_of(text):
    h, m, s, ms = (int(part) for part in re.split("[:.,]", text))
    return 3600000 * h + 60000 * m + 1000 * s + ms


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def export(self, *arguments, **options):
        return cases.run([PROGRAM, *arguments], cwd=self.folder, **options)

    def hits(self, *rows, **film):
        """A file of hits, (title, start, stop) each."""
        path = self.folder / "hits.jsonl"
        lines = [{"type": "media", "uri": "file:///films/a%20film.mp4", "duration": N_SECONDS, **film}]
        lines += [{"query": title, "start": float(start), "stop": float(stop), "confidence": 0.5} for title, start, stop in rows]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def assert_refused(self, result, status, *parts):
        """One sentence that names the parts, nothing on stdout."""
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)


class Exports(Case):
    def at_rate(self, rate, *options):
        """Every form of hits at 0, at an hour and at the last frame; the frames that they are at."""
        exact = Fraction(rate)
        last = int(N_SECONDS * exact) - 1
        frames = [0, 12345, int(3600 * exact), last]
        rows = [(f"hit {frame}", frame / exact, (frame + 1) / exact) for frame in frames]
        # 1 ms into the frame, where that is no frame's beginning
        rows[2] = (rows[2][0], 3600, 3600 + 1 / exact)
        names = ["vtt", "srt", "jsonl", "csv", "otio", "otio-cuts", "edl", "fcpxml", "premiere-csv", "llc", "ffmetadata", "mkv-chapters"]
        pairs = [part for name in names for part in (name, self.folder / name)]
        rates = {} if options else {"frame_rate": rate}
        result = self.export(self.hits(*rows, **rates), *pairs, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return exact, frames

    def text(self, name):
        return (self.folder / name).read_bytes().decode("utf-16" if name == "premiere-csv" else "utf-8")

    def frames_in_texts(self, exact):
        """By name of the form, what plain reading finds, rounded down as a player does."""
        def shown(seconds):
            return int((Fraction(seconds) + Fraction(1, 10**6)) * exact)

        vtt = re.findall(r"^(\S+) --> ", self.text("vtt"), re.M)
        srt = re.findall(r"^(\S+) --> ", self.text("srt"), re.M)
        table = list(csv.DictReader(io.StringIO(self.text("csv"), newline="")))
        markers = list(csv.DictReader(io.StringIO(self.text("premiere-csv"), newline=""), dialect="excel-tab"))
        edl = re.findall(r"^\d{3}  001      V     C        (\S+) ", self.text("edl"), re.M)
        fcpxml = [marker.get("start")[:-1] for marker in ET.fromstring(self.text("fcpxml")).iter("marker")]
        segments = json.loads(self.text("llc"))["cutSegments"]
        ffmetadata = re.findall(r"^START=(\d+)$", self.text("ffmetadata"), re.M)
        chapters = [e.text for e in ET.fromstring(self.text("mkv-chapters")).iter("ChapterTimeStart")]
        return {"vtt": [shown(Fraction(ms_of(t), 1000)) for t in vtt], "srt": [shown(Fraction(ms_of(t), 1000)) for t in srt],
                "jsonl": [shown(hit["start"]) for hit in cases.hits_in(self.text("jsonl"))],
                "csv": [shown(row["start"]) for row in table], "csv frames": [int(row["start_frame"]) for row in table],
                "csv codes": [frames_of(row["start_timecode"], exact) for row in table],
                "premiere-csv": [frames_of(row["In"], exact) for row in markers],
                "edl": [frames_of(code, exact, "01:00:00:00") for code in edl],
                "fcpxml": [int(Fraction(start) * exact) for start in fcpxml],
                "llc": [shown(segment["start"]) for segment in segments],
                "ffmetadata": [shown(Fraction(int(ms), 1000)) for ms in ffmetadata],
                "mkv-chapters": [shown(Fraction(int(t[:2]) * 3600 + int(t[3:5]) * 60 + int(t[6:8])) + Fraction(int(t[9:]), 10**9)) for t in chapters]}

    def test_the_frame_is_the_same_in_all(self):
        """At the usual rates, and at one that --fps says: at 0, at an hour and at the last frame, read without any other program."""
        for rate, *options in [*([rate] for rate in RATES), ["24000/1001", "--fps", "23.976"]]:
            with self.subTest(rate=rate, options=options):
                exact, frames = self.at_rate(rate, *options)
                for name, found in self.frames_in_texts(exact).items():
                    self.assertEqual(found, frames, name)

    def test_drop_frame_counting_is_said(self):
        """At 29.97 and 59.94 the EDL is a drop-frame one, elsewhere not, and 23.976 is 3.6 s behind after an hour."""
        for rate in RATES:
            self.at_rate(rate)
            self.assertIn("FCM: DROP FRAME" if rate in ("30000/1001", "60000/1001") else "FCM: NON-DROP FRAME", self.text("edl"))
            self.assertIn({"24000/1001": "01:59:56:09", "25/1": "02:00:00:00", "30/1": "02:00:00:00"}.get(rate, "02:00:00;0"[:9]), self.text("edl"))

    @unittest.skipUnless(OTIO, "OpenTimelineIO with its adapters is not here (tests/extras.sh installs it)")
    def test_opentimelineio_reads_the_frames(self):
        """otio, otio-cuts, edl and fcpxml by PyPI's readers. That of FCPXML counts whole frames a second only, and rounds down in floats."""
        for rate in RATES:
            exact, frames = self.at_rate(rate)
            for name, extension in [("otio", "otio"), ("otio-cuts", "otio"), ("edl", "edl"), ("fcpxml", "fcpxml")]:
                with self.subTest(rate=rate, name=name):
                    path = self.folder / f"read.{extension}"
                    shutil.copy(self.folder / name, path)
                    code = "01:00:00;00" if exact in (Fraction(30000, 1001), Fraction(60000, 1001)) else "01:00:00:00"
                    read = cases.run([OTIO, "-W", "ignore", "-c", READ_OTIO, name, path, str(float(exact)), code])
                    self.assertEqual(read.returncode, 0, read.stderr)
                    found = json.loads(read.stdout)
                    if name != "fcpxml":
                        self.assertEqual(found, frames)
                    elif exact.denominator == 1:
                        for one, expected in zip(found, frames, strict=True):
                            self.assertIn(expected - one, (0, 1))
                    else:
                        self.assertEqual(len(found), len(frames))

    def chapters_of(self, film):
        shown = cases.run(["ffprobe", "-v", "error", "-show_chapters", "-of", "json", film])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        return [(float(one["start_time"]), one["tags"]["title"]) for one in json.loads(shown.stdout)["chapters"]]

    ROWS = [("a = b; # \\ <x>", 0, 2), ("a dog", 12.04, 16), ("the last", 39.96, 40)]

    @unittest.skipUnless(shutil.which("ffmpeg") and shutil.which("ffprobe"), "ffmpeg is not here")
    def test_ffmpeg_takes_the_chapters(self):
        """ffmpeg -map_metadata makes MP4 and Matroska whose chapters ffprobe shows at the right times, with their titles."""
        self.assertEqual(self.export(self.hits(*self.ROWS), "ffmetadata", "c.txt").returncode, 0)
        for name in ["out.mp4", "out.mkv"]:
            made = cases.run(["ffmpeg", "-v", "error", "-i", cases.CLIP, "-i", "c.txt", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", name], cwd=self.folder)
            self.assertEqual(made.returncode, 0, made.stderr)
            found = self.chapters_of(self.folder / name)
            self.assertEqual([title for _, title in found], [row[0] for row in self.ROWS])
            for (start, _), row in zip(found, self.ROWS):
                self.assertAlmostEqual(start, row[1], delta=0.0011)

    @unittest.skipUnless(shutil.which("mkvmerge") and shutil.which("ffprobe"), "mkvmerge is not here (tests/extras.sh installs it)")
    def test_mkvmerge_takes_the_chapters(self):
        """mkvmerge --chapters makes a file whose chapters ffprobe shows at the right times, with their titles."""
        self.assertEqual(self.export(self.hits(*self.ROWS), "mkv-chapters", "c.xml").returncode, 0)
        made = cases.run(["mkvmerge", "-q", "-o", "out.mkv", "--chapters", "c.xml", cases.CLIP], cwd=self.folder)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        found = self.chapters_of(self.folder / "out.mkv")
        self.assertEqual([title for _, title in found], [row[0] for row in self.ROWS])
        for (start, _), row in zip(found, self.ROWS):
            self.assertAlmostEqual(start, row[1], delta=1e-6)

    @unittest.skipUnless(all(map(shutil.which, ["ffmpeg", "ffprobe", "mkvmerge"])), "ffmpeg or mkvmerge is not here (tests/extras.sh installs them)")
    def test_chapters_keep_their_frames(self):
        """At every rate ffprobe shows each chapter in its hit's frame: at 0, at an hour and at the last frame of a film of more than an hour."""
        film = self.folder / "film.mkv"
        made = cases.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color=s=16x16:r=1:d={N_SECONDS}", "-c:v", "mjpeg", film])
        self.assertEqual(made.returncode, 0, made.stderr)
        for rate in RATES:
            exact, frames = self.at_rate(rate)
            makers = {"meta.mkv": ["ffmpeg", "-y", "-v", "error", "-i", film, "-i", "ffmetadata", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", "meta.mkv"],
                      "meta.mp4": ["ffmpeg", "-y", "-v", "error", "-i", film, "-i", "ffmetadata", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", "meta.mp4"],
                      "merged.mkv": ["mkvmerge", "-q", "-o", "merged.mkv", "--chapters", "mkv-chapters", film]}
            for name, maker in makers.items():
                with self.subTest(rate=rate, name=name):
                    made = cases.run(maker, cwd=self.folder)
                    self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
                    starts = [Fraction(start).limit_denominator(10**6) for start, _ in self.chapters_of(self.folder / name)]
                    self.assertEqual([int((start + Fraction(1, 10**6)) * exact) for start in starts], frames)

    # ---- The rate ----

    def film_with(self, name, rate=None):
        """5 s of pictures at a rate; without one they come at odd times."""
        film = self.folder / name
        if rate:
            pipeline = f"videotestsrc num-buffers=150 ! video/x-raw,width=64,height=48,framerate={rate} ! jpegenc ! matroskamux ! filesink location={film}"
            made = cases.run(["gst-launch-1.0", "-q", *pipeline.split()])
        else:
            made = cases.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=rate=30:size=64x48:duration=5", "-vf",
                              "settb=1/1000,setpts=PTS+mod(N*7\\,13)*2", "-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-c:v", "mjpeg", film])
        self.assertEqual(made.returncode, 0, made.stderr)
        return film

    def test_the_rate_is_read_from_the_film(self):
        """--media: the exact fraction, from a container that counts milliseconds."""
        for rate in RATES:
            film = self.film_with("film.mkv", rate)
            result = self.export(self.hits(("a", 1, 2)), "--media", film, "jsonl", "-")
            self.assertEqual(json.loads(result.stdout.splitlines()[0])["frame_rate"], rate, result.stderr)

    @unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not here")
    def test_a_variable_rate_is_said(self):
        """Frames are counted at the nearest usual rate, which is said; --fps says another without a word."""
        film = self.film_with("film.mkv")
        hits = self.hits(("a", 1, 2))
        result = self.export(hits, "--media", film, "edl", "a.edl")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("variable rate, frames are counted at ", result.stderr)
        result = self.export(hits, "--media", film, "csv", "-", "--fps", "24000/1001")
        self.assertEqual(result.stderr, "")
        self.assertIn(",23,47,", result.stdout)
        self.assertTrue(json.loads(self.export(hits, "--media", film, "jsonl", "-").stdout.splitlines()[0])["variable_frame_rate"])

    def test_without_a_rate_no_frame_is_counted(self):
        """One sentence that names --fps, and no file; forms that count milliseconds are written."""
        hits = self.hits(("a", 1, 2))
        self.assert_refused(self.export(hits, "edl", "a.edl"), 1, "pictures a second are not known", "--fps")
        self.assertFalse((self.folder / "a.edl").exists())
        self.assertEqual(self.export(hits, "vtt", "a.vtt").returncode, 0)

    # ---- What it reads and writes ----

    def test_names_and_standard_output(self):
        """--export NAME writes beside nothing: a file in this folder, named after the hits or the film, and says so; - is stdout."""
        result = self.export(self.hits(("a", 1, 2), frame_rate="25/1"), "--export", "edl", "-e", "csv=-")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.startswith("start,stop,"))
        self.assertEqual(result.stderr, "vidi-export: wrote hits.edl.\n")
        self.assertTrue((self.folder / "hits.edl").exists())
        piped = self.export("-", "csv", "-", stdin=(self.folder / "hits.jsonl").read_text())
        self.assertEqual(piped.stdout, result.stdout)

    def test_nothing_of_the_users_is_destroyed(self):
        """An output that is the film, the hits, or a link to either is refused, and so are two of one name; all stay as they were."""
        film = pathlib.Path(shutil.copy(cases.CLIP, self.folder / "film.mp4"))
        (self.folder / "link").symlink_to(film)
        hits = self.hits(("a", 1, 2), frame_rate="25/1", uri=film.as_uri())
        before = film.read_bytes(), hits.read_bytes()
        for arguments in (["csv", film], ["csv", "link"], ["csv", hits], ["csv", "x", "srt", "x"], ["csv", "x", "srt", "./x"]):
            self.assert_refused(self.export(hits, *arguments), 1)
        self.assertEqual((film.read_bytes(), hits.read_bytes()), before)
        self.assertFalse((self.folder / "x").exists())

    def test_wrong_command_lines_are_one_sentence(self):
        """What was expected, and what was found; status 2."""
        hits = self.hits(("a", 1, 2))
        for arguments, part in [([], "expected a file of hits"), ([hits], "expected what to write"), ([hits, "csv"], "expected a file after csv"),
                                ([hits, "avi", "x"], "expected vtt, srt"), ([hits, "csv", "x", "--fps", "fast"], "--fps: expected"),
                                ([hits, "csv", "x", "--start-timecode", "1"], "--start-timecode: expected"), ([hits, "csv", "x", "--margin", "2"], "expected --clips"),
                                ([hits, "--clips", "x", "--margin", "-1"], "--margin: expected")]:
            self.assert_refused(self.export(*arguments), 2, part)

    def test_wrong_hits_are_one_sentence(self):
        """What cannot be read, with its line; status 1, no file."""
        for text, part in [("", None), ("{", "line 1: expected"), ("\x00\x01", "line 1: expected"), ('{"query":"a","start":2,"stop":1}', "line 1: expected a stop")]:
            path = self.folder / "odd.jsonl"
            path.write_text(text)
            result = self.export(path, "csv", "x.csv")
            if part is None:
                self.assertEqual(result.returncode, 0, result.stderr)  # no hit is no error
                (self.folder / "x.csv").unlink()
            else:
                self.assert_refused(result, 1, "odd.jsonl", part)
                self.assertFalse((self.folder / "x.csv").exists())
        self.assert_refused(self.export(self.folder, "csv", "x.csv"), 1, "folder")
        self.assert_refused(self.export("nowhere", "csv", "x.csv"), 1, "cannot be read")
        self.assert_refused(self.export(self.hits(), "--media", "nowhere.mp4", "csv", "x.csv"), 1, "no such file")

    def test_what_is_there_stays(self):
        """Behind a redirected stdout nothing is replaced, and a file that stdout goes to is no other output; a film's own subtitles stay."""
        hits = self.hits(("a dog", 1, 2))
        log = self.folder / "log.txt"
        log.write_text("earlier\n")
        with open(log, "a") as out:
            result = subprocess.run([PROGRAM, hits, "jsonl", "/dev/stdout"], cwd=self.folder, stdout=out, stderr=subprocess.PIPE, text=True, timeout=cases.LIMIT_S)
        self.assertEqual((result.returncode, log.read_text().count("\n")), (0, 3), result.stderr)
        self.assertTrue(log.read_text().startswith("earlier\n"))
        with open(log, "a") as out:
            result = subprocess.run([PROGRAM, hits, "csv", log], cwd=self.folder, stdout=out, stderr=subprocess.PIPE, text=True, timeout=cases.LIMIT_S)
        self.assertEqual(result.returncode, 1)
        self.assertIn("where stdout goes", result.stderr)
        own = self.folder / "film.srt"
        own.write_text("the film's own")
        shutil.copy(cases.CLIP, self.folder / "film.mp4")
        self.assertEqual(self.export(hits, "--media", "film.mp4", "--export", "srt").returncode, 0)
        self.assertEqual(own.read_text(), "the film's own")
        self.assertIn("a dog", (self.folder / "film.hits.srt").read_text())

    def test_hits_that_cannot_be_read(self):
        """A read error and a line without end are a sentence, never an empty list; a confidence lies in 0 to 1."""
        for source, part in [("/proc/self/mem", "read to its end"), ("/dev/zero", "at most 1 MiB")]:
            self.assert_refused(cases.run([PROGRAM, source, "csv", "-"]), 1, part)
        bad = self.folder / "bad.jsonl"
        bad.write_text('{"query":"a","start":1,"stop":2,"confidence":1e300}\n')
        self.assert_refused(cases.run([PROGRAM, bad, "csv", "-"]), 1, "confidence from 0 to 1")

    def test_a_hit_of_no_length_and_quotes(self):
        """A cue of no length lasts a millisecond, as WebVTT asks for; a quote in a title leaves Premiere's table seven columns."""
        hits = self.hits(('"quoted', 1, 1), frame_rate="25/1")
        self.assertEqual(self.export(hits, "vtt", "a.vtt", "premiere-csv", "a.csv").returncode, 0)
        self.assertIn("00:00:01.000 --> 00:00:01.001", (self.folder / "a.vtt").read_text())
        table = list(csv.reader(io.StringIO((self.folder / "a.csv").read_bytes().decode("utf-16"), newline=""), dialect="excel-tab"))
        self.assertEqual([len(row) for row in table], [7, 7])
        self.assertEqual(table[1][0], '"quoted')

    def test_a_start_time_code_that_is_none(self):
        """A number that drop-frame counting leaves out is refused."""
        hits = self.hits(("a", 1, 2), frame_rate="30000/1001")
        self.assert_refused(self.export(hits, "edl", "x", "--start-timecode", "00:01:00:00"), 1, "there is no frame 00:01:00:00")
        self.assertEqual(self.export(hits, "edl", "x", "--start-timecode", "10:00:00:00").returncode, 0)
        self.assertIn("10:00:00;29 ", (self.folder / "x").read_text())

    def test_few_chapters_are_no_file(self):
        """youtube with less than three: one sentence, no file; what else was asked for is written."""
        result = self.export(self.hits(("a", 1, 2)), "youtube", "y.txt", "vtt", "a.vtt")
        self.assert_refused(result, 1, "youtube: expected three chapters")
        self.assertFalse((self.folder / "y.txt").exists())
        self.assertTrue((self.folder / "a.vtt").exists())

    def test_a_full_disk_is_said(self):
        """One sentence, and the old file is as it was."""
        old = self.folder / "old.csv"
        old.write_text("old")
        script = 'ulimit -f 0; exec "$@"'
        result = cases.run(["bash", "-c", script, "-", PROGRAM, self.hits(("a", 1, 2)), "csv", old])
        self.assert_refused(result, 1, "cannot be written")
        self.assertEqual(old.read_text(), "old")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["hits.jsonl", "old.csv"])


if __name__ == "__main__":
    cases.main(__name__)
