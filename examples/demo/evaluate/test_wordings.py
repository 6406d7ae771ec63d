"""The wordings of questions. Run: python3 -m unittest (in this folder)."""
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "train"))
import world  # noqa: E402


class Wordings(unittest.TestCase):
    def test_unseen_ones_name_the_thing_and_leave_no_gap(self):
        """Each template is met many times."""
        for seed in range(100):
            wording = world.unseen_wording("a phone", random.Random(seed))
            self.assertIn("phone", wording)
            self.assertNotIn("{", wording)
            self.assertNotIn("any a ", wording)


if __name__ == "__main__":
    unittest.main()
