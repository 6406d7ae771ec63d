"""The row that train/readiness.py changes adds what is wanted where answers begin, and little elsewhere. Run: python3 -m unittest (in this folder)."""
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "train"))
try:
    import readiness
    import torch
except ImportError as error:  # without torch
    raise unittest.SkipTest(str(error))


class Readiness(unittest.TestCase):
    def test_the_change_adds_what_is_wanted_to_first_states_alone(self):
        """Three kinds of states, each around a centre of its own: single questions, those about two, and what comes later in an answer."""
        generator = torch.Generator().manual_seed(1)
        single, pair, later = (torch.randn(1, 192, generator=generator) + 0.1 * torch.randn(500, 192, generator=generator) for _ in range(3))
        wanted = torch.cat([torch.full((500,), 2.0), torch.full((500,), -0.5)])
        change = readiness.direction(torch.cat([single, pair]), wanted, later)
        for states, value in ((single, 2.0), (pair, -0.5), (later, 0.0)):
            self.assertAlmostEqual(float((states @ change).mean()), value, delta=0.1)

    def test_as_many_questions_about_two_as_about_one(self):
        asked = readiness.ask(random.Random(1))
        self.assertEqual([two for _, two in asked], [False] * readiness.QUESTIONS + [True] * readiness.QUESTIONS)


if __name__ == "__main__":
    unittest.main()
