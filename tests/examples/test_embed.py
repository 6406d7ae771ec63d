#!/usr/bin/env python3
"""The two smallest applications print the hit and end; what they lack is said."""
import importlib.util
import sys
import unittest

import cases

PROGRAM = [cases.BUILD / "examples/embed"]
SCRIPT = [sys.executable, cases.SOURCE / "examples/embed/embed.py"]
DOG = r"^a dog: 1[123]\.\d s to 1[567]\.\d s$"
HAS_GI = importlib.util.find_spec("gi") is not None


def run(program, *arguments):
    env = cases.environment(GST_PLUGIN_PATH=str(cases.BUILD / "gst"))
    return cases.run([*program, *arguments], env=env)


class Embed(unittest.TestCase):
    def check(self, program):
        result = run(program, cases.CLIP, cases.CHECKPOINT, "a dog")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout.strip(), DOG)
        broken = run(program, cases.CLIP, "/no/checkpoint", "a dog")
        self.assertEqual(broken.returncode, 1)
        self.assertIn("/no/checkpoint", broken.stderr)
        self.assertIn("usage:", run(program).stderr)

    def test_program(self):
        """embed.cpp prints the dog at its seconds, and the element's sentence when there is no checkpoint."""
        self.check(PROGRAM)

    @unittest.skipUnless(HAS_GI, "python3-gi is not installed")
    def test_script(self):
        """embed.py does the same through gi."""
        self.check(SCRIPT)

    @unittest.skipUnless(HAS_GI, "python3-gi is not installed")
    def test_script_takes_several_questions(self):
        """embed.py asks several questions, also with quotes, commas and brackets in them."""
        result = run(SCRIPT, cases.CLIP, cases.CHECKPOINT, "a phone", "a dog", 'saying "goal", <loud>')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^a phone: [345]\.\d s to [89]\.\d s$")
        self.assertRegex(result.stdout, "(?m)" + DOG)


if __name__ == "__main__":
    cases.main(__name__)
