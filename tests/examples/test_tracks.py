#!/usr/bin/env python3
"""Which of several tracks is watched: by the file's flags, by what it is, or by the command line."""
import pathlib
import tempfile
import unittest

import cases
import media

PROGRAM = cases.BUILD / "examples/vidi-ask"
MATROSKA_FLAG_DEFAULT = b"\x88\x81"  # EBML id and length of FlagDefault


TRACK_UID = b"\x73\xc5\x88"  # of 8 bytes


def set_language(sound, code):
    return f"{sound} ! taginject tags=language-code={code}"


class Tracks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.made.cleanup)
        cls.folder = pathlib.Path(cls.made.name)
        # Silence first, the clip's sound second; German and English.
        for _ in range(10):  # the muxer's track numbers are random, and one in 256 is a byte shorter than flagged() takes
            cls.two_sounds = media.make(cls.folder / "sounds.mkv", "matroskamux", media.PICTURES + " ! queue ! m.video_0",
                                        set_language(media.silence(), "de") + " ! queue ! m.audio_0",
                                        set_language(media.SOUND, "en") + " ! queue ! m.audio_1")
            if cls.two_sounds.read_bytes().count(TRACK_UID) >= 3:
                break

    def ask(self, *arguments):
        return cases.run([PROGRAM, *arguments])

    def assert_hears(self, result, track, heard):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.count(f"hears track {track} of 2"), 1, result.stderr)
        self.assertEqual("nothing found" not in result.stdout, heard, result.stdout)

    def flagged(self, name, flags):
        """The file of two sounds with FlagDefault of its tracks, in their order, put in: matroskamux writes none."""
        data, at = self.two_sounds.read_bytes(), 0
        path = self.folder / name
        for flag in flags:
            # TrackUID of a track, 8 bytes long, becomes one of 4 bytes with a FlagDefault (and a Void byte) in front.
            at = data.index(TRACK_UID, at)
            uid = data[at + 7:at + 11]
            data = data[:at] + MATROSKA_FLAG_DEFAULT + bytes([flag]) + b"\xec\x80"[:1] + b"\x80" + b"\x73\xc5\x83" + uid[:3] + data[at + 11:]
            at += 11
        path.write_bytes(data)
        return path

    def test_the_default_flag_decides(self):
        """Of two tracks of sound the one is heard that the file calls its default; without a flag it is the first."""
        for flags, track, heard in [((1, 0, 1), 2, True), ((1, 1, 0), 1, False), ((1, 1, 1), 1, False)]:
            with self.subTest(flags=flags):
                film = self.flagged("flagged.mkv", flags)
                self.assert_hears(self.ask(film, "someone saying goal"), track, heard)

    def test_a_track_is_named_by_number_or_language(self):
        """--audio-track takes what the user knows of the track, in any form."""
        for wish, track, heard in [("2", 2, True), ("en", 2, True), ("eng", 2, True), ("English", 2, True), ("de", 1, False)]:
            with self.subTest(wish=wish):
                result = self.ask("--audio-track", wish, self.two_sounds, "someone saying goal")
                self.assert_hears(result, track, heard)

    def test_a_track_that_is_not_there_is_refused(self):
        """A number or a language that the file lacks is one sentence with what there is."""
        for option, wish, part in [("--audio-track", "3", "1 to 2"), ("--audio-track", "fr", "German"), ("--video-track", "2", "only track")]:
            with self.subTest(wish=wish):
                result = self.ask("--quiet", option, wish, self.two_sounds, "a dog")
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertIn(option, result.stderr)
                self.assertIn(part, result.stderr)

    def test_a_still_is_no_film(self):
        """A track with one picture, whatever its codec, is not watched while another has more."""
        still = "videotestsrc num-buffers=1 ! video/x-raw,width=320,height=180 ! "
        for codec in ("jpegenc", "x265enc ! h265parse", "vp8enc"):
            with self.subTest(codec=codec):
                film = media.make(self.folder / "still.mkv", "matroskamux", still + codec + " ! queue ! m.video_0",
                                  media.PICTURES + " ! queue ! m.video_1", media.SOUND + " ! queue ! m.audio_0")
                result = self.ask(film, "a dog")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("watches track 2 of 2", result.stderr)
                self.assertNotIn("nothing found", result.stdout)

    def test_a_chosen_video_track_is_watched(self):
        """--video-track 1 watches the first of two films, 2 the second."""
        bars = f"videotestsrc num-buffers={media.N_PICTURES} ! video/x-raw,width=64,height=64,framerate=25/1 ! vp8enc deadline=1 cpu-used=8"
        film = media.make(self.folder / "films.mkv", "matroskamux", bars + " ! queue ! m.video_0",
                          media.PICTURES + " ! queue ! m.video_1", media.SOUND + " ! queue ! m.audio_0")
        found = [("nothing found" not in self.ask("--video-track", n, film, "a dog").stdout) for n in ("1", "2")]
        self.assertEqual(found, [False, True])


if __name__ == "__main__":
    cases.main(__name__)
