#!/usr/bin/env python3
"""vidi-ask with files that do not come whole: one sentence at the end, and status 1; with all others status 0."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import cases
import media

PROGRAM = cases.BUILD / "examples/vidi-ask"


class Losses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.made.cleanup)
        cls.folder = pathlib.Path(cls.made.name)
        cls.matroska = media.make(cls.folder / "film.mkv", "matroskamux", media.PICTURES + " ! queue", media.SOUND + " ! queue")
        cls.mp4 = media.make(cls.folder / "film.mp4", "mp4mux faststart=true", media.PICTURES + " ! queue", media.SOUND + " ! queue")

    def ask(self, *arguments, **options):
        return cases.run([PROGRAM, "--quiet", *arguments], **options)

    def damaged(self, film, name, damage):
        data = bytearray(film.read_bytes())
        path = self.folder / (name + film.suffix)
        path.write_bytes(damage(data, len(data)))
        return path

    def assert_said(self, result, *parts):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for part in parts:
            self.assertRegex(result.stderr, part)

    def test_whole_files_are_whole(self):
        """Status 0, and nothing to say, for a file as it was made."""
        for film in (self.matroska, self.mp4, cases.CLIP):
            result = self.ask(film, "a phone")
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_file_that_breaks_off(self):
        """A recording that was cut short says how much of it came; what was found is listed."""
        for film in (self.matroska, self.mp4):
            with self.subTest(film.suffix):
                result = self.ask(self.damaged(film, "short", lambda data, n: data[:n * 6 // 10]), "a phone")
                self.assert_said(result, r"only \d+ of 18 s")
                self.assertIn("a phone", result.stdout)

    def test_a_file_of_which_little_came(self):
        """Nothing but the beginning of a film is said, too, however little it is: its header tells the length."""
        for film in (self.matroska, self.mp4):
            for share in (0.06, 0.15):
                with self.subTest(film.suffix, share=share):
                    result = self.ask(self.damaged(film, "beginning", lambda data, n: data[:max(6000, int(n * share))]), "a phone")
                    self.assertEqual((result.returncode, len(result.stderr.splitlines())), (1, 1), result.stderr)

    def test_damage_in_the_middle(self):
        """Bytes that were overwritten or lost in the middle: seconds that nobody could decode are counted."""
        def zeroed(data, n):
            data[n * 3 // 10:n * 7 // 10] = bytes(n * 7 // 10 - n * 3 // 10)
            return data
        for film, damage in [(self.matroska, zeroed), (self.mp4, zeroed),
                             (self.matroska, lambda data, n: data[:n * 3 // 10] + data[n * 7 // 10:])]:
            with self.subTest(film.suffix):
                self.assert_said(self.ask(self.damaged(film, "damaged", damage), "a phone"), r"only \d+ of \d+ s")

    def test_sound_that_nobody_decodes(self):
        """Sound in a codec without a decoder: the picture is watched, and the last word is that the sound was not."""
        env = cases.environment(GST_PLUGIN_FEATURE_RANK="avdec_aac:NONE,avdec_aac_fixed:NONE,avdec_aac_latm:NONE,faad:NONE,fdkaacdec:NONE")
        result = self.ask(self.mp4, "a phone", env=env)
        self.assert_said(result, "sound was not heard.*AAC")
        self.assertIn("a phone", result.stdout)

    def test_one_picture_is_said_to_be_one(self):
        """A still, whatever its container, gets the true reason."""
        still = "videotestsrc num-buffers=1 ! video/x-raw,width=320,height=180 ! "
        for name, rest in [("still.png", "pngenc"), ("still.jpg", "jpegenc"), ("still.mkv", "vp8enc ! matroskamux")]:
            with self.subTest(name):
                media.launch(f"{still}{rest} ! filesink location={self.folder / name}")
                self.assert_said(self.ask(self.folder / name, "a phone"), "single picture")

    def test_sound_that_begins_late(self):
        """Sound that begins after more pictures than decodebin keeps of itself is waited for and heard."""
        big = media.DECODED_PICTURES + " ! jpegenc quality=100"
        late = "audiotestsrc num-buffers=40 samplesperbuffer=4800 timestamp-offset=14000000000 ! audio/x-raw,rate=48000,channels=1 ! avenc_aac ! aacparse"
        film = media.make(self.folder / "late.mkv", "matroskamux", big + " ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0",
                          late + " ! queue")
        result = self.ask(film, "a phone")
        self.assertGreater(film.stat().st_size, 9 << 20)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertNotIn("nothing found", result.stdout)

    # ---- What a demuxer makes of it ----

    def test_a_short_track_is_a_track(self):
        """Sound of 3 s in a film of 18 s, in an MP4 as well: it is heard, in its place."""
        goal = "audiotestsrc num-buffers=30 samplesperbuffer=4800 timestamp-offset=9000000000 ! audio/x-raw,rate=48000,channels=1 ! avenc_aac ! aacparse"
        for muxer, name in [("mp4mux", "short.mp4"), ("qtmux", "short.mov"), ("matroskamux", "short.mkv")]:
            with self.subTest(name):
                film = media.make(self.folder / name, muxer, media.PICTURES + " ! queue", goal + " ! queue")
                result = self.ask(film, "a dog")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertNotIn("nothing found", result.stdout)

    def test_a_song_with_a_cover(self):
        """One picture and 18 s of sound: the sound is asked, whatever the container."""
        cover = media.PICTURES.replace(f"eos-after={media.N_PICTURES}", "eos-after=2")  # one comes
        for muxer, name in [("mp4mux", "song.mp4"), ("qtmux", "song.mov"), ("matroskamux", "song.mkv")]:
            with self.subTest(name):
                film = media.make(self.folder / name, muxer, cover + " ! queue", media.SOUND + " ! queue")
                result = self.ask(film, "someone saying goal")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertRegex(result.stdout, r"someone saying goal  0:(09|10)\.")

    def test_a_track_that_the_demuxer_leaves_out(self):
        """Sound that the header names and the demuxer does not offer is sound that was not heard."""
        def unknown(data, n):
            return data.replace(b"mp4a", b"xyza")
        self.assert_said(self.ask(self.damaged(self.mp4, "unknown", unknown), "a phone"), "sound was not heard")

    def test_recordings_joined_as_bytes(self):
        """Times that begin anew in the middle go on instead: what each part shows and says is found at its time in the whole, once."""
        webm = (media.DECODED_PICTURES + " ! vp8enc deadline=1 cpu-used=8 ! queue", media.DECODED_SOUND + " ! vorbisenc ! queue")
        mute = (webm[0], media.silence() + " ! avdec_aac ! audioconvert ! vorbisenc ! queue")
        for muxer, branches, other in [("matroskamux", (media.PICTURES + " ! queue", media.SOUND + " ! queue"), (media.PICTURES + " ! queue", media.silence() + " ! queue")),
                                       ("webmmux", webm, mute)]:
            with self.subTest(muxer):
                spoken, silent = media.make(self.folder / "spoken", muxer, *branches), media.make(self.folder / "silent", muxer, *other)
                for parts, goals in [((spoken, silent), [9.5]), ((silent, spoken), [27.5])]:
                    result = self.ask("--json", media.join(self.folder / "joined.mkv", *parts), "a dog", "someone saying goal")
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    hits = cases.hits_in(result.stdout)
                    for query, times in [("a dog", [12, 30]), ("someone saying goal", goals)]:
                        starts = sorted(hit["start"] for hit in hits if hit["query"] == query)
                        self.assertEqual(len(starts), len(times), hits)
                        for found, expected in zip(starts, times):
                            self.assertAlmostEqual(found, expected, delta=1.1)

    def test_a_clip_that_was_cut_off(self):
        """AVI and WAV say how long they are in their first bytes."""
        film = media.make(self.folder / "film.avi", "avimux", media.DECODED_PICTURES + " ! jpegenc ! queue", media.DECODED_SOUND + " ! queue")
        result = self.ask(film, "a phone")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assert_said(self.ask(self.damaged(film, "short", lambda data, n: data[:n // 2]), "a phone"), r"cut off: \d+ of \d+ bytes")

    def test_a_damaged_transport_stream(self):
        """Packets that are none in the middle are said, as a share of the file."""
        film = media.transport_stream(self.folder / "damaged.ts")
        def zeroed(data, n):
            data[n * 3 // 10:n * 6 // 10] = bytes(n * 6 // 10 - n * 3 // 10)
            return data
        self.assert_said(self.ask(self.damaged(film, "zeroed", zeroed), "a phone"), r"(29|30|31) % of it is damaged")

    def test_a_transport_stream_whose_clock_pauses(self):
        """Right times, or the sentence that they are not: never wrong ones with status 0."""
        rare = media.PICTURES + " ! avdec_h264 ! videorate ! video/x-raw,framerate=1/6 ! videoconvert ! avenc_mpeg4 ! mpeg4videoparse"
        film = media.make(self.folder / "rare.ts", "mpegtsmux", rare + " ! queue ! m.sink_256", media.SOUND + " ! queue ! m.sink_257")
        result = self.ask("--json", film, "someone saying goal")
        if result.returncode:
            self.assert_said(result, "times are not to be trusted, since GStreamer")
        else:
            hits = cases.hits_in(result.stdout)
            self.assertEqual(len(hits), 1)
            self.assertAlmostEqual(hits[0]["start"], 9.5, delta=1.1)

    # ---- Standard input ----

    def test_a_file_is_piped_in(self):
        """`-` is standard input: the same hits as from the file, also as the stream comes."""
        stream = media.transport_stream(self.folder / "film.ts")
        for film in (stream, self.mp4):
            with self.subTest(film.suffix), open(film, "rb") as data:
                result = subprocess.run([PROGRAM, "--quiet", "-", "a dog"], stdin=data, capture_output=True, text=True, timeout=cases.LIMIT_S)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertNotIn("nothing found", result.stdout)

    def test_what_is_piped_in_without_a_stream_ends(self):
        """Bytes in which no stream is found end with a sentence when they end, and so does a GIF, where its demuxer would not stop (before 1.26)."""
        packets = b"".join(b"\x47\x01\x00\x10" + bytes([i % 251]) * 184 for i in range(400))
        frame = b"!\xf9\x04\x00\x0a\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
        gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00" + 20 * frame + b";"
        reads_gif = int(re.search(r"version 1\.(\d+)", cases.run(["gst-launch-1.0", "--version"]).stdout)[1]) >= 26
        for name, data, n, said in [("packets.ts", packets, 2, "tsdemux finds no stream in it"), ("dots.gif", gif, 6, "" if reads_gif else "cannot read a GIF")]:
            with self.subTest(name):
                (self.folder / name).write_bytes(data)
                for _ in range(n):
                    with subprocess.Popen(["cat", self.folder / name], stdout=subprocess.PIPE) as cat:
                        result = subprocess.run([PROGRAM, "--quiet", "-", "a phone"], stdin=cat.stdout, capture_output=True, text=True, timeout=cases.LIMIT_S)
                    if said:
                        self.assert_said(result, said)
                    else:
                        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_stdin_cannot_serve_twice(self):
        """The film and the questions cannot both come from standard input."""
        result = self.ask("--ask-more", "-", "a dog")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("--ask-more", result.stderr)

    def test_blank_questions_are_refused(self):
        """A question of blanks alone, of any alphabet, is no question."""
        for blank in ("", "  ", "\t\n", "\u3000\u00a0", "\u200b"):
            result = self.ask(self.mp4, "a dog", blank)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("question is empty", result.stderr)


if __name__ == "__main__":
    cases.main(__name__)
