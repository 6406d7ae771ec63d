"""What training asks about a clip is answered rightly, also where it asks for what is nearly there. Run: python3 -m unittest (in this folder)."""
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "train"))
try:
    import asking
    import numpy as np
    import plan
except ImportError as error:  # without numpy
    raise unittest.SkipTest(str(error))
import world  # noqa: E402

WAVES = len(world.HEARD)


def clips(count, near, questions):
    bank = plan.Bank([[0]] * len(world.SEEN), [0], [[wave] for wave in range(WAVES)], [WAVES], [WAVES + 1], np.full(WAVES + 2, 0.6), [0])
    return [plan.draw_clip(random.Random(seed), bank, 40, 2.0, 1.0, 1.0, near, questions) for seed in range(count)]


def absent_share(found):
    asked = [question for clip in found for question in clip.questions]
    return sum(not ranges for _, _, ranges, _, _ in asked) / len(asked)


class Asking(unittest.TestCase):
    def test_answers_say_the_ranges(self):
        for clip in clips(100, 0.8, 12):
            self.assertEqual(len(clip.questions), 12)
            for _, answer, ranges, _, _ in clip.questions:
                self.assertEqual(answer, world.ranges_text(ranges))

    def test_near_ones_are_not_there(self):
        """Each way, on clips that hold enough for it."""
        met = set()
        for clip in clips(100, 0.0, 6):
            for way in ("near_heard", "near_medium", "near_pair", "apart"):
                asker = asking.Asker(random.Random(1), clip)
                if getattr(asker, way)():
                    met.add(way)
                    self.assertEqual([answer for _, answer, _, _, _ in asker.asked], [world.NOTHING], way)
        self.assertEqual(len(met), 4)

    def test_like_sounds_are_silent_and_beside_a_heard_one(self):
        for clip in clips(100, 0.0, 6):
            asker = asking.Asker(random.Random(2), clip)
            for kind in asker.like_heard(asking.CONFUSED):
                self.assertNotIn(kind, asker.heard)
                self.assertTrue(any(kind in row and set(row) & set(asker.heard) for row in asking.CONFUSED))

    def test_pairs_are_asked_for_together_and_apart(self):
        met = set()
        for clip in clips(100, 0.0, 6):
            for way, there in (("together", True), ("apart", False)):
                asker = asking.Asker(random.Random(3), clip)
                getattr(asker, way)()
                for _, _, ranges, mask, sound in asker.asked:
                    met.add(way)
                    self.assertEqual(bool(ranges), there)
                    self.assertTrue(mask.any() and sound)
        self.assertEqual(met, {"together", "apart"})

    def test_near_questions_bring_more_that_are_absent(self):
        self.assertGreater(absent_share(clips(200, 0.8, 12)), absent_share(clips(200, 0.0, 6)) + 0.05)

    def test_only_what_the_world_has_is_near(self):
        self.assertLessEqual({name for row in world.CONFUSED for name in row}, set(world.HEARD))
        self.assertLessEqual(set(world.MADE_BY), set(world.SOUNDS))
        self.assertLessEqual({thing for things in world.MADE_BY.values() for thing in things}, set(world.SEEN))


if __name__ == "__main__":
    unittest.main()
