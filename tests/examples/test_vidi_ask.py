#!/usr/bin/env python3
"""vidi-ask as a new user meets it, on the bundled clip with the bundled checkpoint."""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import cases

PROGRAM = cases.BUILD / "examples/vidi-ask"
ROUNDING = 1e-5  # of a confidence; 2e-7 was seen
ROW = re.compile(r"^(.+?) +(\d+):(\d\d\.\d) +(\d+):(\d\d\.\d) +([01]\.\d\d|\?)$")


def ask(*arguments, **options):
    return cases.run([PROGRAM, *arguments], **options)


def rows(table):
    """(title, start, stop) of every hit in the table, times in seconds."""
    found = [ROW.match(line) for line in table.splitlines()]
    return [(m[1], int(m[2]) * 60 + float(m[3]), int(m[4]) * 60 + float(m[5])) for m in found if m]


def without_decoders(*names):
    return cases.environment(GST_PLUGIN_FEATURE_RANK=",".join(name + ":NONE" for name in names))


class VidiAsk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_times(self, found, start, stop, within=1.1):
        self.assertAlmostEqual(found[-2], start, delta=within)
        self.assertAlmostEqual(found[-1], stop, delta=within)

    def json_hits(self, *arguments):
        """What --json says, line by line."""
        result = ask("--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return cases.hits_in(result.stdout)

    def assert_same_hits(self, found, expected):
        """The same questions and times in the same order. A confidence may differ in its last digits: pictures that came
        in other batches went through products of other sizes, which libraries sum up in other orders."""
        self.assertEqual([{**hit, "confidence": None} for hit in found],
                         [{**hit, "confidence": None} for hit in expected])
        for one, other in zip(found, expected):
            self.assertAlmostEqual(one["confidence"], other["confidence"], delta=ROUNDING)

    def assert_refused(self, result, status, *parts):
        """One sentence on stderr that names the parts, nothing on stdout."""
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        sentences = [line for line in result.stderr.splitlines() if line.startswith("vidi-ask: ")]
        self.assertEqual(len(sentences), 1, result.stderr)
        for part in parts:
            self.assertIn(part, sentences[0])

    def make_media(self, name, pipeline):
        path = self.folder / name
        made = cases.run(["gst-launch-1.0", "-q", *pipeline.split(), "!", "filesink", f"location={path}"])
        self.assertEqual(made.returncode, 0, made.stderr)
        return path

    # ---- What is found ----

    def test_table_has_hits_at_their_seconds_by_question(self):
        """The table lists the questions in their order with the true seconds, and says where nothing was found."""
        result = ask(cases.CLIP, "a dog", "a phone", "someone saying goal", "a guitar")
        self.assertEqual(result.returncode, 0, result.stderr)
        found = rows(result.stdout)
        self.assertEqual([row[0] for row in found], ["a dog", "a phone", "someone saying goal"])
        self.assert_times(found[0], 12, 16)
        self.assert_times(found[1], 4, 9)
        self.assert_times(found[2], 9.5, 12.6)
        self.assertRegex(result.stdout, r"a guitar +nothing found\n$")

    def test_plugin_is_found_without_being_told(self):
        """From the build tree the program needs neither GST_PLUGIN_PATH nor a certain working folder."""
        result = ask(cases.CLIP, "a dog", cwd=self.folder, env=cases.environment(GST_PLUGIN_PATH=None))
        self.assertEqual(len(rows(result.stdout)), 1, result.stderr)

    def test_says_what_it_does_unless_quiet(self):
        """Loading and watching are said on stderr; --quiet leaves stderr empty, but for what no switch keeps oneDNN from
        saying on arm64 where /sys does not tell the processor."""
        self.assertRegex(ask(cases.CLIP, "a dog").stderr, r"(?s)Loading .*Watching .*clip.mp4 on \w+")
        self.assertIn("on cpu (fp32)\n", ask(cases.CLIP, "a dog", "--device", "cpu").stderr)
        said = ask("--quiet", cases.CLIP, "a dog").stderr.splitlines()
        self.assertEqual([line for line in said if "MIDR_EL1" not in line], [])

    def test_json_lines_alone_are_on_stdout(self):
        """With --json every line of stdout is an object with the question and its seconds."""
        hits = self.json_hits(cases.CLIP, "a phone", "a guitar")
        self.assertEqual([hit["query"] for hit in hits], ["a phone"])
        self.assert_times((hits[0]["start"], hits[0]["stop"]), 4, 9)
        self.assertTrue(0 < hits[0]["confidence"] <= 1)

    def test_the_first_line_is_about_the_film(self):
        """With --json: what is known of it, by its header and by the times of its pictures; of what is piped in what the stream says."""
        film = json.loads(ask("--quiet", "--json", cases.CLIP, "a guitar").stdout)
        self.assertAlmostEqual(film.pop("duration"), 40.02, delta=0.02)
        self.assertEqual(film, {"type": "media", "query": "", "start": 0, "stop": 0, "uri": cases.CLIP.as_uri(), "frame_rate": "25/1", "width": 640, "height": 360, "has_audio": True})
        with open(cases.CLIP, "rb") as clip:
            piped = subprocess.run([PROGRAM, "--quiet", "--json", "-", "a guitar"], stdin=clip, capture_output=True, text=True, timeout=cases.LIMIT_S)
        film = json.loads(piped.stdout)
        self.assertEqual((film["uri"], film["frame_rate"], film["has_audio"]), ("fd://0", "25/1", True))

    def test_overlapping_windows_give_one_hit(self):
        """A hit that several windows see is in the table once, whole, also with ten seconds a window."""
        found = rows(ask("--window", "10", "--stride", "5", cases.CLIP, "a dog").stdout)
        self.assertEqual(len(found), 1)
        self.assert_times(found[0], 12, 16)

    def test_whole_file_is_one_window(self):
        """--window 0 asks once about the whole file."""
        found = rows(ask("--window", "0", cases.CLIP, "a dog").stdout)
        self.assertEqual(len(found), 1)
        self.assert_times(found[0], 12, 16)

    def test_decoders_side_by_side_change_no_hit(self):
        """With one decoder and with several the hits are the same, also with sound."""
        for options in [[], ["--window", "0"], ["--window", "10", "--stride", "5", "--rate", "2"]]:
            with self.subTest(options=options):
                hits = [self.json_hits(*options, "--decoders", n, cases.CLIP, "a dog", "someone saying goal")
                        for n in ["1", "0", "3"]]
                self.assertIn("a dog", [hit["query"] for hit in hits[0]])
                self.assert_same_hits(hits[1], hits[0])
                self.assert_same_hits(hits[2], hits[0])

    def test_min_confidence_leaves_out(self):
        """--min-confidence 1 leaves out what is not certain."""
        self.assertIn("nothing found", ask("--min-confidence", "1", cases.CLIP, "a phone").stdout)

    def test_highlights_have_titles(self):
        """--task highlight needs no question and lists titles by time."""
        found = rows(ask("--task", "highlight", cases.CLIP).stdout)
        self.assertIn("phone", [row[0] for row in found])
        self.assertEqual([row[1] for row in found], sorted(row[1] for row in found))

    # ---- Files it writes ----

    def test_subtitle_files_have_the_hits(self):
        """--vtt and --srt write a cue a hit, sorted by time, in their own notation."""
        vtt, srt = self.folder / "hits.vtt", self.folder / "hits.srt"
        result = ask("--vtt", vtt, "--srt", srt, cases.CLIP, "a dog", "a phone")
        self.assertEqual(result.returncode, 0, result.stderr)
        time = r"00:00:(\d\d)[.](\d{3})"
        cues = re.findall(rf"\n\n{time} --> {time}\n(.+)", vtt.read_text())
        self.assertTrue(vtt.read_text().startswith("WEBVTT\n"))
        self.assertEqual([cue[-1] for cue in cues], ["a phone", "a dog"])
        self.assert_times((float(cues[1][0]), float(cues[1][2])), 12, 16)
        time = time.replace("[.]", ",")
        cues = re.findall(rf"(?:^|\n\n)(\d+)\n{time} --> {time}\n(.+)", srt.read_text())
        self.assertEqual([(cue[0], cue[-1]) for cue in cues], [("1", "a phone"), ("2", "a dog")])

    def test_unwritable_file_is_said_before_the_work(self):
        """A subtitle file that cannot be written is an error before the model is loaded."""
        result = ask("--vtt", self.folder / "none/hits.vtt", cases.CLIP, "a dog")
        self.assert_refused(result, 1, "cannot be written")
        self.assertNotIn("Loading", result.stderr)

    def test_exports_are_written_after_the_table(self):
        """--export may be repeated and says where it wrote what it has named itself; --clips cuts the hits out."""
        film = pathlib.Path(shutil.copy(cases.CLIP, self.folder / "a film.mp4"))
        result = ask("--quiet", film, "a dog", "a phone", "--export", "edl", "-e", f"csv={self.folder}/hits.csv", "--clips", self.folder / "clips", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(rows(result.stdout)), 2)
        self.assertIn("vidi-ask: wrote a film.hits.edl.\n", result.stderr)
        self.assertIn("M:a dog", (self.folder / "a film.hits.edl").read_text())
        self.assertIn(",a phone,", (self.folder / "hits.csv").read_text())
        self.assertEqual(sorted(path.name for path in (self.folder / "clips").iterdir()),
                         ["01 a phone 0-00-04.mp4", "02 a dog 0-00-12.mp4", "index.json"])

    def test_an_export_alone_is_on_stdout(self):
        """--export NAME=- takes the table's place, and reads as what vidi-export writes of the same hits."""
        direct = ask("--quiet", cases.CLIP, "a dog", "-e", "csv=-")
        self.assertTrue(direct.stdout.startswith("start,stop,"), direct.stdout)
        later = cases.run([cases.BUILD / "examples/vidi-export", "-", "csv", "-"], stdin=ask("--quiet", "--json", cases.CLIP, "a dog").stdout)
        self.assertEqual(later.stdout, direct.stdout)

    def test_exports_that_cannot_be_are_said_before_the_work(self):
        """Two things on stdout, a form that is none, the film itself, clips of a pipe."""
        film = pathlib.Path(shutil.copy(cases.CLIP, self.folder / "film.mp4"))
        for arguments, status, part in [(["-e", "csv=-", "--json"], 2, "stdout is to be written twice"), (["-e", "avi"], 2, "expected vtt"),
                                        (["-e", f"csv={film}"], 1, "is read"), (["--clips", film], 1, "no folder"),
                                        (["-e", "edl", "--start-timecode", "00:00:00:25"], 1, "there is no frame")]:
            result = ask(film, "a dog", *arguments, cwd=self.folder)
            self.assert_refused(result, status, part)
            self.assertNotIn("Loading", result.stderr)
        self.assert_refused(ask("-", "a dog", "--clips", "clips", cwd=self.folder), 2, "expected one on a disk")
        self.assertEqual(film.read_bytes(), cases.CLIP.read_bytes())

    # ---- More questions ----

    def test_more_questions_are_answered_from_what_is_encoded(self):
        """--ask-more answers each line of stdin once, merged over overlapping windows, until an empty line."""
        result = ask("--ask-more", "--window", "10", "--stride", "5", cases.CLIP, "a phone",
                     stdin="a dog\nsomeone saying goal\n\na phone\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        found = rows(result.stdout)
        self.assertEqual([row[0] for row in found], ["a phone", "a dog", "someone saying goal"])
        self.assert_times(found[1], 12, 16)

    def test_more_questions_need_no_first_one(self):
        """--ask-more alone watches first and asks then, without a warning; with --json answers are lines, too."""
        result = ask("--ask-more", "--json", cases.CLIP, stdin="a dog\n")
        hits = cases.hits_in(result.stdout)
        self.assertEqual([hit["query"] for hit in hits], ["a dog"])
        self.assertNotIn("vidi-ask:", result.stderr)

    # ---- On a terminal ----

    def on_terminal(self, *arguments, typed=b""):
        """What a terminal shows of stderr, and the exit status."""
        try:
            master, slave = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal can be made here: {error}")
        with subprocess.Popen([PROGRAM, *arguments], stdin=slave, stdout=subprocess.DEVNULL, stderr=slave,
                              env=cases.environment(TERM="xterm")) as process:
            os.close(slave)
            os.write(master, typed)
            shown = b""
            try:
                while chunk := os.read(master, 65536):
                    shown += chunk
            except OSError:  # Linux's way to say that the other end is closed
                pass
            os.close(master)
            return shown.decode(), process.wait(cases.LIMIT_S)

    def test_bar_is_drawn_and_erased(self):
        """On a terminal there is a bar with percent, place and length of the file, and nothing of it remains."""
        shown, status = self.on_terminal("--window", "8", "--stride", "1", cases.CLIP, "a dog")
        self.assertEqual(status, 0)
        self.assertRegex(shown, r"Watching +\d+ % \[#*-*\] 0:\d\d of 0:40")
        self.assertRegex(shown, r"\d\.\dx  0:\d\d left")
        self.assertTrue(shown.endswith("\r\x1b[K"), shown[-80:])

    def test_terminal_is_prompted_for_questions(self):
        """With --ask-more a terminal shows a prompt for every question."""
        shown, status = self.on_terminal("--ask-more", cases.CLIP, "a dog", typed=b"a phone\n\n")
        self.assertEqual(status, 0)
        self.assertEqual(shown.count("> "), 2)

    def test_interrupt_stops_cleanly(self):
        """Ctrl-C ends the work with a sentence and status 1."""
        with subprocess.Popen([PROGRAM, "--window", "8", "--stride", "0.1", cases.CLIP, "a dog"],
                              stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            while "Watching" not in process.stderr.readline():
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            self.assertEqual(process.wait(cases.LIMIT_S), 1)
        self.assertIn("stopped before the end", rest)

    # ---- Names and streams ----

    def test_odd_names_and_uris(self):
        """Names with spaces, percent signs, quotes and other alphabets work, and so does a URI."""
        path = self.folder / "Übung 100% #1 \"дача\".mp4"
        shutil.copy(cases.CLIP, path)
        self.assertEqual(len(rows(ask(path, "a dog").stdout)), 1)
        self.assertEqual(len(rows(ask(cases.CLIP.as_uri(), "a dog").stdout)), 1)

    def test_name_with_control_characters_is_printed_safely(self):
        """A file's name cannot send escape sequences to the terminal."""
        result = ask(self.folder / "\x1b[31mred.mp4", "a dog")
        self.assert_refused(result, 1, "no such file")
        self.assertNotIn("\x1b", result.stderr)

    def test_file_without_sound(self):
        """A file without sound is watched all the same, and that is said."""
        path = self.make_media("mute.mkv", "videotestsrc num-buffers=100 pattern=black ! jpegenc ! matroskamux")
        result = ask(path, "a dog")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("no sound", result.stderr)

    def test_file_without_picture(self):
        """A file without a picture is refused with a sentence."""
        path = self.make_media("tone.wav", "audiotestsrc num-buffers=50 ! wavenc")
        self.assert_refused(ask(path, "a dog"), 1, "no picture")

    def test_file_with_a_second_picture_and_sound(self):
        """Of several pictures and sounds the first are watched."""
        video = "videotestsrc num-buffers=150 ! video/x-raw,width=64,height=64 ! vp8enc keyframe-max-dist=20 deadline=1 ! m."
        audio = "audiotestsrc num-buffers=200 ! avenc_aac ! m."
        path = self.folder / "tracks.mkv"
        made = cases.run(["gst-launch-1.0", "-q", "matroskamux", "name=m", "!", "filesink", f"location={path}",
                          *f"{video} {video} {audio} {audio}".split()])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(ask(path, "a dog").returncode, 0)

    def test_file_that_cannot_be_sought(self):
        """A pipe is read in one go, with the same answer."""
        path = self.folder / "pipe.ts"
        os.mkfifo(path)
        with open(os.devnull) as nothing, subprocess.Popen(
                ["gst-launch-1.0", "-q", "filesrc", f"location={cases.CLIP}", "!", "qtdemux", "!", "h264parse", "!",
                 "mpegtsmux", "!", "filesink", f"location={path}"], stdin=nothing) as writer:
            result = ask(path, "a dog")
            writer.wait(cases.LIMIT_S)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(rows(result.stdout)), 1)

    def test_single_picture(self):
        """One picture is no video: one sentence says what was expected."""
        path = self.make_media("still.mkv", "videotestsrc num-buffers=1 ! jpegenc ! matroskamux")
        result = ask(path, "a dog")
        self.assert_refused(result, 1, "two pictures")
        self.assertNotIn("no sound that can be decoded", result.stderr)

    def test_gif_is_no_film(self):
        """A GIF ends with a sentence: that of one picture, or where GStreamer never ends it (1.22), about that."""
        path = self.folder / "dot.gif"
        path.write_bytes(bytes.fromhex("47494638396101000100800000ffffff00000021f90400000000002c00000000010001000002024401003b"))
        self.assert_refused(ask(path, "a dog"), 1)

    def test_closed_standard_input(self):
        """A standard input that the caller has closed is an empty file."""
        result = cases.run(["sh", "-c", 'exec "$0" - "a dog" <&-', str(PROGRAM)])
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("stdin", result.stderr)

    def test_a_question_that_the_model_refuses(self):
        """The others are answered; status 1 and the reason, also with --quiet."""
        result = ask(cases.CLIP, "a dog", "<pad>", "--quiet")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^vidi-ask: query 1 is refused, the others are asked: .*<pad>.*\n$")
        self.assertIn("a dog  0:1", result.stdout)
        self.assertNotIn("nothing found", result.stdout)

    def test_a_decoder_of_byte_streams_alone(self):
        """Where openh264dec is the only one, which takes no H.264 as MP4 stores it, the file is watched all the same."""
        if cases.run(["gst-inspect-1.0", "--exists", "openh264dec"]).returncode:
            self.skipTest("openh264dec is not installed")
        env = without_decoders("avdec_h264", "vah264dec", "nvh264dec", "nvh264sldec", "v4l2h264dec", "vaapih264dec")
        result = ask(cases.CLIP, "a dog", "--quiet", env=env)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(rows(result.stdout)), 1)

    def test_missing_video_decoder_is_named(self):
        """Without a decoder for the picture the sentence names it."""
        env = without_decoders("avdec_h264", "openh264dec", "vah264dec", "nvh264dec", "v4l2h264dec", "vaapih264dec")
        result = ask(cases.CLIP, "a dog", env=env)
        self.assert_refused(result, 1, "H.264", "gstreamer1.0-libav")

    def test_missing_audio_decoder_is_named(self):
        """Without a decoder for the sound the picture is watched, and the decoder is named."""
        env = without_decoders("avdec_aac", "avdec_aac_fixed", "avdec_aac_latm", "faad", "fdkaacdec")
        result = ask(cases.CLIP, "a dog", env=env)
        self.assertEqual(len(rows(result.stdout)), 1, result.stderr)
        self.assertRegex(result.stderr, "no sound.*AAC")
        self.assertNotIn("codec_data", result.stderr)

    # ---- Refusals ----

    def test_bad_command_lines(self):
        """What the command line lacks or has wrong is said in one sentence, with status 2."""
        for arguments, part in [([], "expected a video file"), ([cases.CLIP], "what to look for"),
                                (["--frobnicate", cases.CLIP, "x"], "--frobnicate"),
                                (["--window", "-1", cases.CLIP, "x"], "--window"),
                                (["--window", "nan", cases.CLIP, "x"], "--window"),
                                (["--stride", "0", cases.CLIP, "x"], "--stride"),
                                (["--rate", "fast", cases.CLIP, "x"], "--rate"),
                                (["--decoders", "-1", cases.CLIP, "x"], "--decoders"),
                                (["--min-confidence", "2", cases.CLIP, "x"], "--min-confidence"),
                                (["--precision", "fp8", cases.CLIP, "x"], "--precision"),
                                (["--keys", "int4", cases.CLIP, "x"], "--keys: expected auto, native or int8"),
                                (["--memory-limit", "24GiB", cases.CLIP, "x"], "--memory-limit"),
                                (["--memory-limit", "-1", cases.CLIP, "x"], "--memory-limit"),
                                (["--task", "dance", cases.CLIP, "x"], "--task"),
                                ([cases.CLIP, ""], "question is empty"), ([cases.CLIP, b"\xff"], "UTF-8")]:
            with self.subTest(part=part):
                self.assert_refused(ask(*arguments), 2, part, "--help")

    def test_memory_limit(self):
        """What does not fit is said with its figures, for weights and for windows; where the towers have to leave, the answer is the same."""
        refused = ask("--memory-limit", "10MB", cases.CLIP, "a phone")
        self.assert_refused(refused, 1, "memory-limit allows 10.00 MB")
        native = ["--weights", "native", "--keys", "native"]
        failed = ask(*native, "--memory-limit", "30MB", "--window", "0", cases.CLIP, "a phone")
        self.assertEqual((failed.returncode, failed.stdout), (1, ""), failed.stderr)
        self.assertIn("memory-limit allows 30.00 MB", failed.stderr)
        self.assertIn("1 of 1 windows were not analysed", failed.stderr)
        usual, tight = (self.json_hits(*native, "--memory-limit", limit, cases.CLIP, "a phone") for limit in ("0", "33MB"))
        self.assertEqual(len(usual), 1)
        self.assert_same_hits(tight, usual)

    def test_several_devices(self):
        """With the model on two devices the hits are the same, and the page says where; a wrong list is one sentence."""
        options = ["--window", "10", "--stride", "5", cases.CLIP, "a dog", "someone saying goal"]
        self.assert_same_hits(self.json_hits("--device", "cpu,cpu", *options), self.json_hits("--device", "cpu", *options))
        self.assertIn("on cpu,cpu (fp32", ask("--device", "cpu,cpu", cases.CLIP, "a dog").stderr)
        split = ["--device", "cpu,cpu", "--split-windows"]
        self.assert_same_hits(self.json_hits(*split, *options), self.json_hits("--device", "cpu", *options))
        self.assertIn("on cpu,cpu (fp32", ask(*split, cases.CLIP, "a dog").stderr)
        for devices, sentence in [("cpu,,cpu", "expected no empty entry"), ("cpu,cuda:99", 'device "cuda:99" is not usable'), ("cpu,auto", '"auto" is none of')]:
            self.assert_refused(ask("--device", devices, cases.CLIP, "a dog"), 1, sentence)

    def test_less_memory_takes_a_smaller_form(self):
        """With nothing said but a limit that native weights are beyond, they have 8 bits; stderr says so, and why."""
        result = ask("--device", "cpu", "--memory-limit", "24MB", "--window", "20", cases.CLIP, "a phone")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^a phone  +0:0\d")
        self.assertIn("on cpu (fp32, int8 weights, int8 keys)", result.stderr)
        self.assertRegex(result.stderr, r"native weights and keys need \d+\.\d+ MB, 24\.00 MB are there")

    def test_bad_files(self):
        """A file that is missing, a folder or no video is named in the sentence."""
        text = self.folder / "notes.txt"
        text.write_text("no film\n" * 100)
        empty = self.folder / "empty.mp4"
        empty.write_bytes(b"")
        for path in [self.folder / "none.mp4", self.folder, text, empty]:
            with self.subTest(path=path):
                self.assert_refused(ask(path, "x"), 1, str(path))

    def test_a_track_that_cannot_be_watched_is_named(self):
        """Sound of more channels than are taken is named as what it is, with its format."""
        path = self.folder / "choir.mkv"
        made = cases.run(["gst-launch-1.0", "-q", "matroskamux", "name=m", "!", "filesink", f"location={path}",
                          *"videotestsrc num-buffers=20 ! video/x-raw,width=64,height=64,framerate=10/1 ! jpegenc ! queue ! m.".split(),
                          *"audiotestsrc num-buffers=20 samplesperbuffer=1600".split(), "!",
                          "audio/x-raw,format=S16LE,rate=16000,channels=100,channel-mask=(bitmask)0", "!", "queue", "!", "m."])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assert_refused(ask(path, "x"), 1, "Its sound cannot be watched", "audio/x-raw", "channels=(int)100")

    def test_bad_models(self):
        """A checkpoint folder that is missing or empty, and an unknown device, end with the element's sentence."""
        for arguments, part in [(["--model", self.folder / "none"], "none"), (["--model", self.folder], "config.json"),
                                (["--device", "abacus"], "abacus")]:
            with self.subTest(part=part):
                self.assert_refused(ask(*arguments, cases.CLIP, "x"), 1, part)

    def test_model_of_the_environment(self):
        """VIDI_MODEL names the model where --model does not; set to nothing it is the small one."""
        named = ask(cases.CLIP, "a dog", env=cases.environment(VIDI_MODEL="/no/such"))
        self.assertEqual(named.returncode, 1)
        self.assertIn("/no/such", named.stderr)
        for model, arguments in [("", ()), ("/no/such", ("--model", cases.CHECKPOINT))]:
            self.assertEqual(ask("-q", *arguments, cases.CLIP, "a dog", env=cases.environment(VIDI_MODEL=model)).returncode, 0)

    def test_missing_plugin_is_a_sentence(self):
        """A copy of the program that has no plugin beside it says where one was expected."""
        program = shutil.copy(PROGRAM, self.folder)
        env = cases.environment(GST_PLUGIN_PATH=None, GST_PLUGIN_SYSTEM_PATH="",
                                GST_REGISTRY=str(self.folder / "registry.bin"))
        self.assert_refused(cases.run([program, cases.CLIP, "x"], env=env), 1, "vidifilter", "GST_PLUGIN_PATH")


if __name__ == "__main__":
    cases.main(__name__)
