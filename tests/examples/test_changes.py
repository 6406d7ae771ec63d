#!/usr/bin/env python3
"""Files whose streams change in the middle: vidi-ask watches both halves, ends, and its times go on."""
import pathlib
import tempfile
import unittest

import cases
import media

PROGRAM = cases.BUILD / "examples/vidi-ask"
EVENTS = {"a phone": (4, 9), "a dog": (12, 16), "someone saying goal": (9.5, 12.6)}


class Changes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.made.cleanup)
        cls.folder = pathlib.Path(cls.made.name)
        cls.first = media.transport_stream(cls.folder / "first.ts")

    def watch(self, film, *options):
        """{query: [(start, stop)]}"""
        result = cases.run([PROGRAM, "--quiet", "--json", *options, film, *EVENTS])
        self.assertEqual(result.returncode, 0, result.stderr)
        hits = cases.hits_in(result.stdout)
        return {query: sorted((h["start"], h["stop"]) for h in hits if h["query"] == query) for query in EVENTS}

    def assert_in_both(self, found, query, halves=(0, 1)):
        start, stop = EVENTS[query]
        self.assertEqual(len(found[query]), len(halves), found)
        for half, (begin, end) in zip(halves, found[query]):
            self.assertAlmostEqual(begin, start + half * media.PART_S, delta=1.1)
            self.assertAlmostEqual(end, stop + half * media.PART_S, delta=1.1)

    def assert_all_in_both(self, film, *options):
        found = self.watch(film, *options)
        for query in EVENTS:
            self.assert_in_both(found, query)

    def test_new_pids_and_a_clock_that_begins_anew(self):
        """A programme map with other PIDs, whose times begin at 0 again: with one decoder, several, and short windows."""
        second = media.transport_stream(self.folder / "pids.ts", first_pid=300)
        film = media.join(self.folder / "new-pids.ts", self.first, second)
        for options in [[], ["--decoders", "1"], ["--window", "8"]]:
            with self.subTest(options=options):
                self.assert_all_in_both(film, *options)

    def test_other_codecs(self):
        """H.264 and AAC become H.265 and MP2, under the same PIDs."""
        second = media.transport_stream(self.folder / "h265.ts", media.DECODED_PICTURES + " ! x265enc speed-preset=ultrafast ! h265parse",
                                        media.DECODED_SOUND + " ! avenc_mp2 ! mpegaudioparse")
        self.assert_all_in_both(media.join(self.folder / "codecs.ts", self.first, second))

    def test_sound_that_goes_away(self):
        """The second half has no sound: its pictures are watched, and it ends."""
        second = media.transport_stream(self.folder / "mute.ts", sound="")
        for options in [[], ["--window", "8"]]:
            with self.subTest(options=options):
                found = self.watch(media.join(self.folder / "less.ts", self.first, second), *options)
                self.assert_in_both(found, "a dog")
                self.assert_in_both(found, "someone saying goal", halves=[0])

    def test_sound_that_comes(self):
        """The first half has no sound, the second has: it is heard."""
        mute = media.transport_stream(self.folder / "mute.ts", sound="")
        second = media.transport_stream(self.folder / "second.ts", first_pid=300)
        found = self.watch(media.join(self.folder / "more.ts", mute, second))
        self.assert_in_both(found, "a dog")
        self.assert_in_both(found, "someone saying goal", halves=[1])

    def test_sound_that_goes_away_and_comes_back(self):
        """Sound, no sound, sound: what is said in the first and the third part is heard."""
        mute = media.transport_stream(self.folder / "mute.ts", sound="")
        third = media.transport_stream(self.folder / "third.ts", first_pid=300)
        found = self.watch(media.join(self.folder / "three.ts", self.first, mute, third))
        self.assert_in_both(found, "a phone", halves=[0, 1, 2])
        self.assert_in_both(found, "someone saying goal", halves=[0, 2])

    def test_pictures_that_go_away(self):
        """The second half is sound alone: it ends, and the first half is as it was."""
        second = media.transport_stream(self.folder / "radio.ts", pictures="", first_pid=300)
        found = self.watch(media.join(self.folder / "radio-last.ts", self.first, second))
        self.assert_in_both(found, "a phone", halves=[0])

    def test_chained_ogg(self):
        """An Ogg file that consists of two has the events of both."""
        parts = [media.make(self.folder / name, "oggmux", media.DECODED_PICTURES + " ! theoraenc speed-level=2 quality=40 ! queue",
                            media.DECODED_SOUND + " ! vorbisenc ! queue") for name in ("first.ogv", "second.ogv")]
        serials = {part.read_bytes()[14:18] for part in parts}  # of the first page: chosen at random
        self.assertEqual(len(serials), 2)
        self.assert_all_in_both(media.join(self.folder / "chain.ogv", *parts))


if __name__ == "__main__":
    cases.main(__name__)
