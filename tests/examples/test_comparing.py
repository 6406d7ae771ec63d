#!/usr/bin/env python3
"""vidi-ask --compare-precision: how far the chosen mode and the reference agree on the bundled clip."""
import math
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import cases

PROGRAM = cases.BUILD / "examples/vidi-ask"
QUESTIONS = ["a dog", "a phone", "someone saying goal", "a guitar"]
COMPARE = ["--compare-precision", "--weights", "int8"]
NATIVE = ["--compare-precision", "--weights", "native", "--keys", "native"]
WINDOWS, N_WINDOWS = ["--window", "20", "--stride", "10"], 3  # on the clip
ROUNDING = 1e-4  # of ln(confidence): products of other sizes sum up in other orders


def ask(*arguments, **options):
    return cases.run([PROGRAM, *arguments], **options)


def objects(result):
    return cases.hits_in(result.stdout)


def expected_of(chosen, reference):
    """What two runs say that find each question once at most: hits of both, of one alone, the shift of the edges, the rms."""
    ours, theirs = ({hit["query"]: hit for hit in run} for run in (chosen, reference))
    assert (len(ours), len(theirs)) == (len(chosen), len(reference)), "a question was found twice"
    both = [(ours[query], theirs[query]) for query in ours.keys() & theirs.keys()
            if ours[query]["start"] <= theirs[query]["stop"] and theirs[query]["start"] <= ours[query]["stop"]]
    shift = max((abs(one[edge] - other[edge]) for one, other in both for edge in ("start", "stop")), default=None)
    squares = [math.log(one["confidence"] / other["confidence"]) ** 2 for one, other in both]
    rms = math.sqrt(sum(squares) / len(squares)) if squares else None
    return [len(both), len(ours) - len(both), len(theirs) - len(both)], shift, rms


class Comparing(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def assert_refused(self, result, status, *parts):
        """One sentence on stderr that names the parts."""
        self.assertEqual(result.returncode, status, result.stderr)
        sentences = [line for line in result.stderr.splitlines() if line.startswith("vidi-ask: ")]
        self.assertEqual(len(sentences), 1, result.stderr)
        for part in parts:
            self.assertIn(part, sentences[0])

    def hits(self, *arguments):
        result = ask("--json", *WINDOWS, *arguments, cases.CLIP, *QUESTIONS)
        self.assertEqual(result.returncode, 0, result.stderr)
        return objects(result)

    # ---- What is printed ----

    def test_agreement_is_that_of_two_runs(self):
        """The lines say what a run in either mode gives: how many hits agree, and of these the shift and the confidences."""
        lines = self.hits(*COMPARE)
        *questions, last = [line for line in lines if "type" in line]
        chosen, reference = self.hits("--weights", "int8"), self.hits()
        self.assertEqual([(hit["query"], hit["start"], hit["stop"]) for hit in lines if "type" not in hit],
                         [(hit["query"], hit["start"], hit["stop"]) for hit in chosen])
        self.assertEqual([line["query"] for line in questions], QUESTIONS)
        for line in [*questions, last]:
            of_it = [[hit for hit in run if hit["query"] == line.get("query", hit["query"])] for run in (chosen, reference)]
            counts, shift, rms = expected_of(*of_it)
            self.assertEqual([line[f"hits_{which}"] for which in ("both", "only_chosen", "only_reference")], counts)
            self.assertEqual(("largest_shift" in line, "rms_log_confidence" in line), (counts[0] > 0, counts[0] > 0))
            if counts[0] > 0:
                self.assertAlmostEqual(line["largest_shift"], shift, delta=1e-6)
                self.assertAlmostEqual(line["rms_log_confidence"], rms, delta=ROUNDING)

    def test_every_window_of_every_question_is_compared(self):
        """Each question in each window, as the sums over all say too; where all words are the same, so are all ranges."""
        *questions, last = [line for line in self.hits(*COMPARE) if "type" in line]
        for line in questions:
            self.assertEqual(line["windows"], N_WINDOWS)
            self.assertTrue(0 <= line["same_answers"] <= N_WINDOWS and 0 <= line["mean_iou"] <= 1)
            if line["same_answers"] == N_WINDOWS:
                self.assertEqual(line["mean_iou"], 1)
        for key in ("windows", "same_answers", "hits_both", "hits_only_chosen", "hits_only_reference"):
            self.assertEqual(last[key], sum(line[key] for line in questions))
        self.assertEqual((last["windows_only_chosen"], last["windows_only_reference"]), (0, 0))

    def test_modes_say_what_they_took(self):
        """The last line names both modes with times and memory; the reference has native weights, and more bytes of them."""
        result = ask("--json", *COMPARE, "--device", "cpu", cases.CLIP, "a dog")
        last = objects(result)[-1]
        self.assertEqual(last["type"], "comparison-all")
        chosen, reference = last["chosen"], last["reference"]
        form = ["device", "precision", "weights", "keys"]
        self.assertEqual([chosen[key] for key in form], ["cpu", "fp32", "int8", "native"])
        self.assertEqual([reference[key] for key in form], ["cpu", "fp32", "native", "native"])
        self.assertLess(chosen["weight_bytes"], reference["weight_bytes"])
        for mode in (chosen, reference):
            self.assertGreater(mode["load_time"], 0)
            self.assertTrue(0 < mode["inference_time"] <= mode["watch_time"], mode)

    def test_table_follows_the_usual_one(self):
        """First the hits as ever, then both modes and a row a question; stderr says that the file is watched again."""
        arguments = ["--device", "cpu", cases.CLIP, "a dog", "a guitar"]
        usual, result = ask("--weights", "int8", *arguments).stdout, ask(*COMPARE, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        table, modes, agreement = result.stdout.split("\n\n")
        self.assertEqual(table + "\n", usual)
        self.assertRegex(modes, r"(?m)^chosen: cpu, fp32, int8 weights  +\d+\.\d s .*MB$")
        self.assertRegex(modes, r"(?m)^reference: cpu, fp32  +\d+\.\d s .*MB$")
        rows = dict(re.findall(r"(?m)^(a dog|a guitar|all)  +(\d.*)$", agreement))
        self.assertRegex(rows["a dog"], r"^1 +[01] +[01]\.\d{3} +1 +0 +0 +\d\.\d\d s +\d\.\d{4}$")
        self.assertRegex(rows["a guitar"], r"^1 +[01] +[01]\.\d{3} +0 +0 +0 +- +-$")
        self.assertTrue(rows["all"].startswith("2 "))
        self.assertIn("both\nempty = 1", agreement)
        self.assertRegex(result.stderr, r"(?s)int8 weights\).*clip\.mp4 again on cpu \(fp32\)")

    def test_keys_are_compared_as_well(self):
        """Native weights with keys in 8 bits are another mode than the reference's."""
        result = ask("--compare-precision", "--keys", "int8", "--device", "cpu", cases.CLIP, "a dog")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^chosen: cpu, fp32, int8 keys  ")
        self.assertRegex(result.stdout, r"(?m)^reference: cpu, fp32  ")

    def test_highlights_are_compared(self):
        """Without a question there is one row, of the highlights."""
        result = ask(*COMPARE, "--task", "highlight", cases.CLIP)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^highlights  +1 ")

    def test_subtitles_are_the_chosen_mode_s(self):
        """A file is written once, with what the table says."""
        vtt, alone = self.folder / "both.vtt", self.folder / "alone.vtt"
        self.assertEqual(ask(*COMPARE, "--vtt", vtt, cases.CLIP, "a dog").returncode, 0)
        self.assertEqual(ask("--weights", "int8", "--vtt", alone, cases.CLIP, "a dog").returncode, 0)
        self.assertEqual(vtt.read_text(), alone.read_text())

    def test_a_refused_question_has_no_row(self):
        """The others are compared; the refusal is said once, with status 1 as ever."""
        result = ask(*COMPARE, cases.CLIP, "a dog", "<pad>")
        self.assert_refused(result, 1, "<pad>")
        self.assertRegex(result.stdout, r"(?m)^a dog  +1 ")
        self.assertNotIn("<pad>", result.stdout)

    # ---- What cannot be compared ----

    def test_bad_command_lines(self):
        """What cannot be compared is said in one sentence, with status 2 and before any work."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for arguments, part in [([*COMPARE, "-", "a dog"], "stdin"), ([*COMPARE, pipe, "a dog"], "pipe"),
                                ([*COMPARE, "--ask-more", cases.CLIP, "a dog"], "--ask-more"),
                                ([*NATIVE, cases.CLIP, "a dog"], "the reference itself"),
                                ([*NATIVE, "--precision", "fp32", "--device", "cpu", cases.CLIP, "a"], "the reference itself"),
                                ([*NATIVE, "--precision", "bf16", "--device", "cuda", cases.CLIP, "a"], "the reference itself")]:
            with self.subTest(arguments=arguments):
                result = ask(*arguments)
                self.assert_refused(result, 2, part, "--compare-precision")
                self.assertNotIn("Loading", result.stderr)

    def test_the_reference_is_known_by_its_device(self):
        """Where the device is chosen by itself, fp32 is the reference on the CPU: status 2 as soon as the model is loaded."""
        vtt = self.folder / "hits.vtt"
        result = ask("--compare-precision", "--precision", "fp32", "--vtt", vtt, cases.CLIP, "a dog",
                     env=cases.environment(CUDA_VISIBLE_DEVICES=""))
        self.assert_refused(result, 2, "the reference itself")
        self.assertEqual((result.stdout, vtt.exists()), ("", False))

    def test_a_reference_that_does_not_fit(self):
        """Its weights, or every window: the hits are told, one sentence says that nothing is compared, status 1."""
        for limit, part in [("24MB", "weights need"), ("28MB", "a window of")]:
            with self.subTest(limit=limit):
                result = ask(*COMPARE, "--device", "cpu", "--memory-limit", limit, "--window", "0", cases.CLIP, "a dog")
                self.assert_refused(result, 1, "nothing is compared, the reference (fp32)", part, "--memory-limit")
                self.assertRegex(result.stdout, r"^query .*\na dog  0:1.*\n$")

    def test_windows_that_the_reference_cannot_hold(self):
        """The others are compared, and one sentence counts those."""
        result = ask(*COMPARE, "--device", "cpu", "--memory-limit", "28MB", "--window", "38", "--stride", "20", cases.CLIP, "a dog")
        self.assert_refused(result, 0, "could not answer 1 of 2 windows, the others are compared", "--memory-limit")
        self.assertRegex(result.stdout, r"(?m)^a dog  +1 ")

    # ---- Ends ----

    def test_interrupt_stops_either_pass(self):
        """Ctrl-C ends the first pass and the second one with a sentence and status 1, and nothing is compared."""
        # So many windows that the pass is not over when the signal comes, on a slow machine either.
        for begun, stride, sentence in [(r"Watching .*clip\.mp4 on", "0.1", "the list is not complete"),
                                        (r"Watching .* again on", "1", "nothing is compared")]:
            with self.subTest(sentence=sentence), subprocess.Popen(
                    [PROGRAM, *COMPARE, "--window", "8", "--stride", stride, cases.CLIP, "a dog"],
                    stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                while not re.search(begun, process.stderr.readline()):
                    self.assertIsNone(process.poll())
                process.send_signal(signal.SIGINT)
                said, shown = process.stderr.read(), process.stdout.read()
                self.assertEqual(process.wait(cases.LIMIT_S), 1)
                self.assertIn(sentence, said)
                self.assertNotIn("agreement", shown)

    def test_a_full_disk_is_one_sentence(self):
        """What cannot be written ends it after the first pass."""
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, *COMPARE, cases.CLIP, "a dog"], stdout=full, stderr=subprocess.PIPE, text=True,
                                    stdin=subprocess.DEVNULL, timeout=cases.LIMIT_S)
        self.assert_refused(result, 1, "stdout cannot be written")
        self.assertNotIn("again", result.stderr)


if __name__ == "__main__":
    cases.main(__name__)
