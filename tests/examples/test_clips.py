#!/usr/bin/env python3
"""--clips: every hit as a film of its own that plays, holds the hit, and keeps sound and picture together."""
import collections
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

import cases
import media

PROGRAM = cases.BUILD / "examples/vidi-export"
SYNC_S = 0.04  # sound against picture, at most
HOSTILE = ["../../x", "/etc/passwd", "a\0b", "x" * 300, "\U0001f436 dog", "-rf", "..", "a\nb", "\u202ecod", "", " ", "$(reboot)", "a|b<c>:*?\""]
NEEDS_FFPROBE = unittest.skipUnless(shutil.which("ffprobe"), "ffprobe (Debian's ffmpeg) is not here")


def packets(film):
    """(kind, hash of its bytes, time in seconds) of every packet."""
    shown = cases.run(["ffprobe", "-v", "error", "-show_entries", "packet=codec_type,pts_time,data_hash", "-show_data_hash", "md5", "-of", "json", film])
    if shown.returncode or shown.stderr:
        raise AssertionError(f"{film}: {shown.stderr}")
    return [(one["codec_type"], one["data_hash"], float(one["pts_time"])) for one in json.loads(shown.stdout)["packets"] if "pts_time" in one]


def has_element(name):
    return cases.run(["gst-inspect-1.0", "--exists", name]).returncode == 0


class Clips(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.clips = self.folder / "clips"

    def hits(self, rows):
        path = self.folder / "hits.jsonl"
        path.write_text("".join(json.dumps({"query": title or None, "label": title or "none", "start": start, "stop": stop}) + "\n" for title, start, stop in rows))
        return path

    def cut(self, film, rows, *options, before=(), **more):
        return cases.run([*before, PROGRAM, self.hits(rows), "--media", film, "--clips", self.clips, *options], **more)

    def index(self):
        return json.loads((self.clips / "index.json").read_text())["clips"]

    def duration(self, path):
        shown = cases.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path])
        self.assertEqual((shown.returncode, shown.stderr), (0, ""), path)
        return float(shown.stdout)

    def play(self, path):
        """To its end, as a player does."""
        shown = cases.run(["gst-launch-1.0", "-q", "playbin", f"uri={path.as_uri()}", "video-sink=fakesink", "audio-sink=fakesink"])
        self.assertEqual((shown.returncode, shown.stderr), (0, ""), path)

    def assert_all_play(self):
        """Every picture and all sound of every clip is decoded, without a complaint."""
        for clip in self.index():
            played = cases.run(["ffmpeg", "-v", "error", "-i", self.clips / clip["file"], "-f", "null", "-"])
            self.assertEqual((played.returncode, played.stderr), (0, ""), clip["file"])

    def assert_no_half_files(self):
        names = sorted(path.name for path in self.clips.iterdir())
        if not names:
            return  # none was complete, so there is no index either
        self.assertEqual(names, sorted(["index.json", *(clip["file"] for clip in self.index())]))

    def assert_clips(self, film, rows):
        """All are there, hold their hits where the index says, and every packet is one of the film's, in step."""
        clips = self.index()
        self.assertEqual(len(clips), len(rows))
        self.assert_no_half_files()
        all_packets = packets(film)
        often = collections.Counter((kind, digest) for kind, digest, _ in all_packets)  # silence is
        known = {(kind, digest): time for kind, digest, time in all_packets if often[kind, digest] == 1}
        n_compared = collections.Counter()
        for clip in clips:
            found = packets(self.clips / clip["file"])
            base = clip["start"] - clip["start_in_clip"]
            for kind in ["video", "audio"]:
                off = [known[kind, digest] - time - base for one, digest, time in found if one == kind and (kind, digest) in known]
                self.assertLess(max(map(abs, off), default=0), SYNC_S, f"{clip['file']}: {kind}")
                n_compared[kind] += len(off)
            seen = [time for kind, _, time in found if kind == "video"]
            self.assertLessEqual(min(seen), clip["start_in_clip"])
            self.assertGreaterEqual(max(seen), clip["stop_in_clip"] - SYNC_S)
        self.assertGreater(min(n_compared["video"], n_compared["audio"]), 10 * len(rows))

    def test_another_programs_index_stays(self):
        """An index.json that is not ours, and one that is read, are refused before the work; where nothing could be cut the old one stays."""
        self.clips.mkdir()
        index = self.clips / "index.json"
        index.write_text('{"name": "my package"}')
        result = self.cut(cases.CLIP, [("a dog", 12, 16)])
        self.assertEqual(result.returncode, 1)
        self.assertIn("of another program", result.stderr)
        self.assertEqual(index.read_text(), '{"name": "my package"}')
        shutil.copy(self.hits([("a dog", 12, 16)]), index)
        result = cases.run([PROGRAM, index, "--media", cases.CLIP, "--clips", self.clips])
        self.assertEqual(result.returncode, 1)
        self.assertIn("is read", result.stderr)

    @NEEDS_FFPROBE
    def test_thirty_hits_of_the_bundled_film(self):
        """Each holds its hit; hits at the beginning and at the end, of no length, and that overlap as well."""
        rows = [(f"hit {i}", i * 1.3, i * 1.3 + i % 4) for i in range(28)] + [("first", 0, 0), ("last", 39.96, 40)]
        result = self.cut(cases.CLIP, rows)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_clips(cases.CLIP, rows)
        self.assert_all_play()
        self.play(self.clips / self.index()[7]["file"])

    @NEEDS_FFPROBE
    def test_one_key_frame_in_ten_seconds(self):
        """A clip begins with the key frame before, however far that is, and is not longer after its hit for that."""
        if not has_element("x264enc"):
            self.skipTest("x264enc (gstreamer1.0-plugins-ugly) is not here")
        film = media.make(self.folder / "film.mp4", "mp4mux", media.DECODED_PICTURES + " ! x264enc key-int-max=250 speed-preset=ultrafast ! h264parse", media.SOUND)
        rows = [(f"hit {i}", i * 0.55, i * 0.55 + 0.5) for i in range(30)]
        result = self.cut(film, rows)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_clips(film, rows)
        self.assert_all_play()
        late = self.index()[16]
        self.assertGreater(late["start_in_clip"], 8)
        self.assertLess(self.duration(self.clips / late["file"]), late["stop_in_clip"] + 1.5)

    @NEEDS_FFPROBE
    def test_other_containers(self):
        """A transport stream, Matroska, WebM and AVI are cut as well; what does not go into MP4 goes into Matroska. All play."""
        films = {"film.ts": lambda path: media.transport_stream(path), "film.mkv": lambda path: media.make(path, "matroskamux", media.PICTURES, media.SOUND),
                 "film.avi": lambda path: media.make(path, "avimux", media.DECODED_PICTURES + " ! jpegenc", media.DECODED_SOUND + " ! audio/x-raw,format=S16LE")}
        if has_element("vp8enc") and has_element("opusenc"):
            films["film.webm"] = lambda path: media.make(path, "webmmux", media.DECODED_PICTURES + " ! vp8enc deadline=1 keyframe-max-dist=50", media.DECODED_SOUND + " ! opusenc")
        for name, make in films.items():
            with self.subTest(name=name):
                shutil.rmtree(self.clips, ignore_errors=True)
                result = self.cut(make(self.folder / name), [("a phone", 4, 9), ("a dog", 12, 16)])
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(result.stderr, f"vidi-export: wrote 2 clips into {self.clips}, and what is in them into its index.json.\n")
                if name != "film.mkv":  # whether its pictures come with decode times depends on GStreamer
                    self.assertEqual({pathlib.Path(clip["file"]).suffix for clip in self.index()}, {".mp4" if name == "film.ts" else ".mkv"})
                for clip in self.index():
                    path = self.clips / clip["file"]
                    self.play(path)
                    self.assertGreaterEqual(self.duration(path), clip["stop_in_clip"])

    @NEEDS_FFPROBE
    def test_exact_clips(self):
        """--clips-exact begins and ends where it is to, within two frames, and plays."""
        result = self.cut(cases.CLIP, [("a phone", 4.5, 9), ("the end", 39, 40)], "--clips-exact", "--margin", "0.5")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_no_half_files()
        first, last = self.index()
        self.assertAlmostEqual(first["start_in_clip"], 0.5, delta=0.001)
        self.assertAlmostEqual(self.duration(self.clips / first["file"]), 5.5, delta=0.08)
        self.assertAlmostEqual(self.duration(self.clips / last["file"]), 1.5, delta=0.1)
        self.play(self.clips / first["file"])

    @NEEDS_FFPROBE
    def test_a_turned_film_stays_turned(self):
        """As phones write it: the clip is shown as the film is, and an encoded one is turned itself."""
        film = self.folder / "film.mp4"
        data = bytearray(cases.CLIP.read_bytes())
        matrix = data.index(b"tkhd") + 4 + 40
        data[matrix:matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 360 << 16, 0, 1 << 30)
        film.write_bytes(data)
        for options, expected in [([], ["640", "360", "-90"]), (["--clips-exact"], ["360", "640", None])]:
            self.assertEqual(self.cut(film, [("a dog", 12, 13)], *options).returncode, 0)
            shown = cases.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height:stream_side_data=rotation", "-of", "json",
                               self.clips / self.index()[0]["file"]])
            stream = json.loads(shown.stdout)["streams"][0]
            rotation = stream.get("side_data_list", [{}])[0].get("rotation")
            self.assertEqual([str(stream["width"]), str(stream["height"]), rotation and str(rotation)], expected)

    def test_more_at_once_than_files_may_be_open(self):
        """Sixty clips of the same moment are all there."""
        rows = [(f"hit {i}", 10, 11) for i in range(60)]
        result = self.cut(cases.CLIP, rows)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(self.index()), 60)
        self.assert_no_half_files()

    def test_a_film_that_breaks_off(self):
        """Of a hit that is not in it as a whole there is no clip: one sentence, status 1; the others are there."""
        film = media.make(self.folder / "film.mkv", "matroskamux", media.PICTURES, media.SOUND)
        whole = film.read_bytes()
        film.write_bytes(whole[:len(whole) // 2])
        result = self.cut(film, [("early", 2, 3), ("late", 15, 16)])
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertEqual([clip["query"] for clip in self.index()], ["early"])
        self.assert_no_half_files()

    def test_hostile_titles_stay_in_the_folder(self):
        """No title names a place, a command or an option: every clip is one file in the folder, and index.json says which."""
        rows = [(title, i, i + 0.5) for i, title in enumerate(HOSTILE)]
        before = sorted(path.name for path in self.folder.iterdir())
        result = self.cut(cases.CLIP, rows)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_no_half_files()
        self.assertEqual(len(self.index()), len(rows))
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted([*before, "clips", "hits.jsonl"]))
        self.assertIn("05 \U0001f436 dog 0-00-04.mp4", [clip["file"] for clip in self.index()])

    def test_a_full_disk_is_one_sentence(self):
        """Clips that are complete stay, the one that does not fit leaves nothing, and the index has what is there."""
        rows = [("short", 0, 0.1), ("all of it", 1, 39)]
        result = self.cut(cases.CLIP, rows, "--margin", "0", before=["bash", "-c", 'ulimit -f 200; exec "$@"', "-"])
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn("02 all of it 0-00-01 is not written: ", result.stderr)
        self.assertEqual([clip["query"] for clip in self.index()], ["short"])
        self.assert_no_half_files()

    def test_the_film_is_not_overwritten(self):
        """A folder in which the film has the name of a clip is refused; so is one that is a file."""
        self.clips.mkdir()
        film = pathlib.Path(shutil.copy(cases.CLIP, self.clips / "01 a dog 0-00-12.mp4"))
        result = self.cut(film, [("a dog", 12, 16)])
        self.assertEqual(result.returncode, 1)
        self.assertIn("is read, expected another file to write", result.stderr)
        self.assertEqual(film.read_bytes(), cases.CLIP.read_bytes())
        result = cases.run([PROGRAM, self.hits([("a", 1, 2)]), "--media", cases.CLIP, "--clips", film])
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (1, 1), result.stderr)

    def test_it_stops_at_ctrl_c(self):
        """SIGTERM in the middle: status 1 and one sentence, no half file."""
        film = media.make(self.folder / "film.avi", "avimux", media.DECODED_PICTURES + " ! jpegenc")
        hits = self.hits([(str(i), 0, 18) for i in range(40)])
        with subprocess.Popen([PROGRAM, hits, "--media", film, "--clips", self.clips, "--clips-exact"], stderr=subprocess.PIPE, text=True) as process:
            while not any(self.clips.glob("*.mkv*")) and not any(self.clips.glob("*.mp4*")):
                self.assertIsNone(process.poll(), "it ended before it was stopped")
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=cases.LIMIT_S)[1]
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("stopped before the end", said)
        self.assert_no_half_files()

    def test_a_film_that_cannot_be_cut_is_said(self):
        """No film, a text, sound alone: one sentence, status 1."""
        text = self.folder / "film.txt"
        text.write_text("no film at all\n" * 100)
        sound = self.folder / "sound.ogg"
        media.launch(f"audiotestsrc num-buffers=50 ! vorbisenc ! oggmux ! filesink location={sound}")
        for film in [text, sound]:
            result = self.cut(film, [("a", 1, 2)])
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        result = cases.run([PROGRAM, self.hits([("a", 1, 2)]), "--clips", self.clips])
        self.assertIn("expected --media", result.stderr)


if __name__ == "__main__":
    cases.main(__name__)
