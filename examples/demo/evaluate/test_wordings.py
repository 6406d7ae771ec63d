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

    def test_training_never_has_the_unseen_ones(self):
        trained = world.SEEN_TEMPLATES + world.HELD_TEMPLATES + world.SPEECH_TEMPLATES
        self.assertFalse(set(trained) & set(world.UNSEEN_TEMPLATES + world.UNSEEN_SPEECH))

    def test_every_question_is_a_whole_sentence_about_its_thing(self):
        rng = random.Random(1)
        for name in world.SEEN:
            for _ in range(200):
                text = world.ask_seen(name, rng)
                self.assertNotRegex(text, r"[{}]|^ | $|  |\b(a|an|the|one|some|this) (a|an|the) ")
                phrases = world.split(world.SEEN[name][1])
                self.assertTrue(any(world.bare(phrase)[:-1] in text.lower() for phrase in phrases), text)

    def test_what_is_typed_about_a_sound_or_word_names_it(self):
        rng = random.Random(2)
        for index, name in enumerate(world.HEARD):
            for _ in range(200):
                text = world.ask_typed(index, rng)
                self.assertNotRegex(text, r"[{}]|^ | $|  |\b(a|an|the) (a|an|the) ")
                names = [name[7:]] if index < len(world.WORDS) else [world.bare(p) for p in world.split(world.SOUNDS[name])]
                self.assertTrue(any(n.lower() in text.lower() for n in names), text)

    def test_bare_nouns_are_typed_with_and_without_a_capital(self):
        rng, beep = random.Random(3), world.HEARD.index("a beep")
        typed = {world.ask_typed(beep, rng) for _ in range(500)}
        self.assertLessEqual({"beep", "Beep", "a beep", "sound of a beep", "beep sounds", "hear a beep"}, typed)

    def test_only_known_sounds_are_alike(self):
        self.assertLessEqual({name for row in world.ALIKE for name in row}, set(world.SOUNDS))

    def test_plurals(self):
        cases = {"a puppy": "puppies", "a bus": "", "a wrench": "wrenches", "a dog": "dogs", "a monkey": "monkeys", "a knife": "",
                 "a bunch of grapes": "", "grapes": "", "an aircraft": "", "a fish": "", "a box": "boxes"}
        self.assertEqual({phrase: world.plural(phrase) for phrase in cases}, cases)


if __name__ == "__main__":
    unittest.main()
