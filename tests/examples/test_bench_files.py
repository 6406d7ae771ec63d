#!/usr/bin/env python3
"""vidi-bench without a model: truth that it reads, answers that it writes and goes on with, with a program in vidi-ask's place
that says what a table has."""
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import unittest

import cases

PROGRAM = cases.BUILD / "examples/vidi-bench"
# As vidi-ask --batch: for each line of the list, by the file's name, what the table `told.json` beside it has: an error, or hits
# by question. "end": it ends there with status 1. "wait": it opens told.fifo and waits. What it was asked goes into asked.jsonl.
STAND_IN = """#!/usr/bin/python3
import json, os, sys, urllib.parse
here = os.path.dirname(os.path.abspath(__file__))
told = json.load(open(here + "/told.json"))
listed, out = sys.argv[sys.argv.index("--batch") + 1], sys.argv[sys.argv.index("--out") + 1]
asked = open(here + "/asked.jsonl", "a")
for number, line in enumerate(map(json.loads, open(listed))):
    name = os.path.basename(urllib.parse.unquote(line["uri"]))
    answer = told.get(name, {})
    print(json.dumps({"file": name, **line, "options": sys.argv[5:]}), file=asked, flush=True)
    if answer == "end":
        sys.exit(1)
    if answer == "wait":
        with open(here + "/told.fifo", "w") as fifo:
            fifo.write("here")
            fifo.flush()
            sys.stdin = open(here + "/never.fifo")
    end = {"type": "file", "line": number + 1, "uri": line["uri"], "key": f"key{number}", "status": "ok"}
    if isinstance(answer, str):
        end.update(status="failed", error=answer)
    else:
        with open(f"{out}/key{number}.jsonl", "w") as file:
            for query, hits in answer.items():
                for start, stop, confidence in hits if query in line["queries"] else []:
                    print(json.dumps({"kind": "hit", "query": query, "start_ns": int(start * 1e9), "stop_ns": int(stop * 1e9), "confidence": confidence}), file=file)
            print(json.dumps({"kind": "file", "query": None, "status": "ok", "stop_ns": told.get(name + " length", 0) * 10**9}), file=file)
    print(json.dumps(end), flush=True)
"""
VUE_TR = [{"query_id": 1, "video_id": "park", "duration": 20.0, "query": "a dog", "gt": [[12, 16]]},
          {"query_id": 2, "video_id": "park", "duration": 20.0, "query": "a cat", "gt": [[1, 2], [5, 6]]},
          {"query_id": "x3", "video_id": "street", "duration": 30, "query": "a car", "gt": [[0, 4]]}]
QV = {"qid": 7, "query": "a dog", "duration": 20, "vid": "park_0.0_20.0", "relevant_windows": [[12, 16]],
      "relevant_clip_ids": [6, 7], "saliency_scores": [[4, 1, 1], [3, 3, 3]]}
TIMELENS = {"park": {"duration": 20.0, "spans": [[12.0, 16.0], [1.0, 2]], "queries": ["A  dog appears. ", "a cat"]}}


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "vidi-bench"
        shutil.copy(PROGRAM, self.program)
        (self.folder / "vidi-ask").write_text(STAND_IN)
        (self.folder / "vidi-ask").chmod(0o755)
        self.videos = self.folder / "videos"
        self.videos.mkdir()
        self.out = self.folder / "answers.json"
        self.truth = self.folder / "truth.json"

    def given(self, truth=VUE_TR, told=None, videos=("park.mp4", "street.mp4")):
        """The truth as JSON, what the stand-in says, and files of these names."""
        self.truth.write_text(truth if isinstance(truth, str) else json.dumps(truth))
        (self.folder / "told.json").write_text(json.dumps(told or {}))
        for name in videos:
            (self.videos / name).parent.mkdir(parents=True, exist_ok=True)
            (self.videos / name).write_bytes(b"a film")

    def bench(self, *arguments, benchmark="vue-tr", status=0, **options):
        result = cases.run([self.program, benchmark, "--truth", self.truth, *arguments], **options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        return result

    def ask(self, *arguments, **options):
        return self.bench("--videos", self.videos, "--out", self.out, *arguments, **options)

    def scores(self, *arguments, **options):
        return json.loads(self.ask("--json", *arguments, **options).stdout)

    def asked(self):
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def answers(self):
        return json.loads(self.out.read_text())

    def assert_refused(self, result, *parts):
        """One sentence that names the parts, and nothing on stdout."""
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for part in parts:
            self.assertIn(str(part), result.stderr)

    # ---- What is written ----

    def test_vue_tr(self):
        """The answers are one list in the set's form: every question of both videos, ranges in the order of time, nothing beyond the end."""
        self.given(told={"park.mp4": {"a dog": [[15, 25, 0.9], [12, 13.5, 0.5]], "a cat": [[25, 30, 0.9]]}, "street.mp4": {"a car": [[0, 4, None]]}})
        self.ask()
        self.assertEqual(self.answers(), [
            {"query_id": 1, "video_id": "park", "duration": 20.0, "query": "a dog", "answer": [[12.0, 13.5], [15.0, 20.0]], "task": "temporal_retrieval"},
            {"query_id": 2, "video_id": "park", "duration": 20.0, "query": "a cat", "answer": [], "task": "temporal_retrieval"},
            {"query_id": "x3", "video_id": "street", "duration": 30.0, "query": "a car", "answer": [[0.0, 4.0]], "task": "temporal_retrieval"}])

    def test_order_of_the_truth(self):
        """Answers stand in the order of the questions, however their videos come; strange ones of an earlier file stay, behind them."""
        self.given([VUE_TR[0], VUE_TR[2], VUE_TR[1]])
        self.out.write_text(json.dumps([{"query_id": 77, "answer": []}, {"query_id": 2, "answer": [[1, 2]]}]))
        self.ask()
        self.assertEqual([row["query_id"] for row in self.answers()], [1, "x3", 2, 77])

    def test_qvhighlights(self):
        """A line a question: windows with their confidence, the surest first, and for each clip of 2 s what the surest hit covers of it."""
        self.given(json.dumps(QV) + "\n\n" + json.dumps({**QV, "qid": 8, "query": "a cat"}),
                   {"park_0.0_20.0.webm": {"a dog": [[0, 1, 0.5], [12, 15, 0.8]]}}, ["deeper/park_0.0_20.0.webm"])
        scores = self.scores(benchmark="qvhighlights")["scores"]["all"]
        lines = [json.loads(line) for line in self.out.read_text().splitlines()]
        self.assertEqual(lines[0], {"qid": 7, "query": "a dog", "vid": "park_0.0_20.0", "pred_relevant_windows": [[12.0, 15.0, 0.8], [0.0, 1.0, 0.5]],
                                    "pred_saliency_scores": [0.25, 0, 0, 0, 0, 0, 0.8, 0.4, 0, 0]})
        self.assertEqual(lines[1]["pred_relevant_windows"], [[0.0, 0.0, 0.0]])
        # Right in one of two, with IoU 3/4: at 0.5 to 0.75, six of the ten thresholds.
        self.assertEqual(scores, {"R1@0.5": 0.5, "R1@0.7": 0.5, "mAP": 0.3, "mAP@0.5": 0.5, "mAP@0.75": 0.5, "HIT@1": 0.5})

    def test_timelens(self):
        """An object with video, question and true time as the key, and the surest range."""
        self.given(TIMELENS, {"park.mp4": {"A dog appears": [[0, 1, 0.5], [13, 16, 0.8]]}}, ["park.mp4"])
        scores = self.scores(benchmark="timelens")["scores"]["all"]
        self.assertEqual(self.answers(), {
            "park.mp4>>>A dog appears>>>[12.0, 16.0]": {"timestamps": [[13.0, 16.0]], "answers": "The event happens in 13.0 - 16.0 seconds."},
            "park.mp4>>>a cat>>>[1.0, 2.0]": {"timestamps": [], "answers": ""}})
        self.assertEqual(scores, {"R1@0.3": 0.5, "R1@0.5": 0.5, "R1@0.7": 0.5, "mIoU": 0.375})

    def test_questions_of_a_video_are_asked_together(self):
        """One line a video; a question that two identifiers share is asked once and answers both; options go to vidi-ask."""
        self.given([*VUE_TR, {**VUE_TR[0], "query_id": 9, "query": " a\ndog "}], {"park.mp4": {"a dog": [[12, 16, 0.9]]}})
        self.ask("--window", "0", "--model", "M", "--jobs", "1", "--timeout", "9")
        self.assertEqual([(one["file"], one["queries"]) for one in self.asked()], [("park.mp4", ["a dog", "a cat"]), ("street.mp4", ["a car"])])
        self.assertEqual(self.asked()[0]["options"], ["--model", "M", "--window", "0", "--jobs", "1", "--timeout", "9"])
        self.assertEqual([row["answer"] for row in self.answers() if row["query_id"] in (1, 9)], [[[12.0, 16.0]]] * 2)

    def test_videos_by_identifier(self):
        """Any usual ending, in any case, in any folder below; odd names are names; an identifier is never a path."""
        names = ["-x", "100%25 ü#?", "a.b_1.0_2.0", "../truth"]
        self.given([{**VUE_TR[0], "query_id": i, "video_id": name} for i, name in enumerate(names)],
                   videos=["one/-x.MKV", "100%25 ü#?.avi", "a.b_1.0_2.0.mp4", "a.b_1.0_2.0.txt", "a.b_1.0_2.0.webm"])
        result = self.ask("--json")
        self.assertEqual(json.loads(result.stdout)["missing"], ["../truth"])
        self.assertIn("vidi-bench: a.b_1.0_2.0 in ", result.stderr)
        self.assertIn("more than once", result.stderr)
        self.assertEqual([one["file"] for one in self.asked()], ["-x.MKV", "100%25 ü#?.avi", "a.b_1.0_2.0.mp4"])

    # ---- What is missing, what fails ----

    def test_missing_videos(self):
        """Videos that are not there are listed, their questions count as empty answers, and the share stands beside both scores."""
        self.given(told={"park.mp4": {"a dog": [[12, 16, 0.9]], "a cat": [[1, 2, 0.9], [5, 6, 0.9]]}}, videos=["park.mp4"])
        result = self.ask()
        self.assertIn("1 of 2 videos are not in", result.stderr)
        self.assertIn("street", result.stderr)
        self.assertRegex(result.stdout, r"answered: 2 of 3 questions, 66\.7 %; videos missing: 1, failed: 0\n")
        self.assertRegex(result.stdout, r"(?m)^IoU AUC +66\.67 +100\.00$")
        self.assertEqual([row["query_id"] for row in self.answers()], [1, 2])

    def test_no_video_at_all(self):
        """Where no video is there, one sentence says under which names they were looked for, and nothing is written."""
        self.given(videos=[])
        self.assert_refused(self.ask(status=1), "none of the 2 videos", "park.mp4")
        self.assertFalse(self.out.exists())
        self.assert_refused(self.bench("--videos", self.truth, "--out", self.out, status=1), "--videos: expected a folder")

    def test_failed_video(self):
        """A film that cannot be watched is said; its questions count as empty answers and are open in the next run."""
        self.given(told={"park.mp4": {"a dog": [[12, 16, 0.9]]}, "street.mp4": "it has no pictures"})
        result = self.ask("--json", "--quiet")
        self.assertIn("vidi-bench: street: it has no pictures.\n", result.stderr)
        self.assertEqual(json.loads(result.stdout)["failed"], {"street": "it has no pictures"})
        self.assertEqual(json.loads(result.stdout)["answered"], 2)
        self.given(told={"street.mp4": {"a car": [[0, 4, 0.9]]}})
        self.assertEqual(self.scores()["answered"], 3)
        self.assertEqual([one["file"] for one in self.asked()], ["park.mp4", "street.mp4", "street.mp4"])

    def test_another_cut(self):
        """A film that is not as long as the truth says, by more than 2 s and 5 %, is said beside its score."""
        lengths = {"park.mp4 length": 22, "street.mp4 length": 33, "long.mp4 length": 104}
        self.given([*VUE_TR, {**VUE_TR[0], "query_id": 4, "video_id": "long", "duration": 100}], lengths, ["park.mp4", "street.mp4", "long.mp4"])
        result = self.ask("--json")
        self.assertIn("not as long as the truth says (another cut?): street (33.0 s, not 30 s)", result.stderr)
        self.assertEqual(json.loads(result.stdout)["other_lengths"], {"street": [33, 30]})

    # ---- Going on ----

    def test_goes_on_where_it_was(self):
        """A run that ended in the middle keeps what was answered; the next one asks the rest alone, and the score is that of one run."""
        told = {"park.mp4": {"a dog": [[12, 16, 0.9]]}, "street.mp4": {"a car": [[0, 3, 0.9]]}}
        self.given(told={**told, "street.mp4": "end"})
        self.assertIn("started again it goes on", self.ask(status=1).stderr)
        self.assertEqual([row["query_id"] for row in self.answers()], [1, 2])
        self.given(told=told)
        parts = self.scores()
        self.assertEqual([one["file"] for one in self.asked()], ["park.mp4", "street.mp4", "street.mp4"])
        self.assertEqual(self.scores(), parts)
        self.assertEqual(len(self.asked()), 3)  # nothing was open any more
        self.out = self.folder / "once.json"
        self.assertEqual(self.scores(), parts)

    def test_other_settings(self):
        """Answers of other settings do not go into the same file: one sentence names the setting."""
        self.given(told={"park.mp4": "end"})
        self.ask("--window", "9", status=1)  # nothing was answered: the next one is the first
        self.given()
        self.ask("--window", "0")
        self.out.unlink()
        self.assert_refused(self.ask("--window", "60", status=1), "--window 0", "--window 60", "another --out")
        self.assert_refused(self.ask(status=1), "--window 0", "no --window")
        self.ask("--window", "0", "--jobs", "3")

    def test_ended_from_outside(self):
        """SIGTERM ends vidi-ask with it; the next run goes on."""
        self.given(told={"park.mp4": {}, "street.mp4": "wait"})
        for name in ("told.fifo", "never.fifo"):
            os.mkfifo(self.folder / name)
        running = subprocess.Popen([self.program, "vue-tr", "--truth", self.truth, "--videos", self.videos, "--out", self.out],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(running.kill)
        fifo = os.open(self.folder / "told.fifo", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, fifo)
        waits = select.poll()
        waits.register(fifo, select.POLLIN | select.POLLHUP)

        def read():
            self.assertTrue(waits.poll(cases.LIMIT_S * 1000), "the stand-in did not come, or does not end")
            return os.read(fifo, 4)
        self.assertEqual(read(), b"here")
        running.send_signal(signal.SIGTERM)
        self.assertEqual(read(), b"")  # its other end is closed: the stand-in has ended
        self.assertEqual(running.wait(cases.LIMIT_S), 128 + signal.SIGTERM)
        self.given()
        self.assertEqual(self.scores()["answered"], 3)

    # ---- Truth and answers of others ----

    def test_truth_of_another_shape(self):
        """Each gets one sentence that names the field, and nothing is asked."""
        row = VUE_TR[0]
        for truth, *parts in [
                ("{", "expected JSON"), ("{}", "expected a list, found an object"), ("[]", "expected questions, found none"),
                ("[1]", "question 1: expected an object, found a number"), ([{**row, "gt": [[1]]}], '"gt"', "range of 2 numbers"),
                ([{**row, "gt": [[1, "2"]]}], '"gt"', "expected a number, found a text"), ([{**row, "gt": [[3, 2]]}], '"gt"', "ends before it begins"),
                ([{name: row[name] for name in row if name != "video_id"}], 'expected the field "video_id"', '"query_id"'),
                ([{**row, "duration": "20"}], '"duration"', "expected a number"), ([{**row, "duration": 0}], '"duration"'), ([{**row, "duration": 1e300}], '"duration"'),
                ([{**row, "query": "  "}], '"query"', "empty"), ([{**row, "query": "\ud800"}], '"query"', "no text"),
                ([{**row, "query_id": None}], '"query_id"', "null"), ([{**row, "query_id": True}], '"query_id"', "true or false"),
                (json.dumps([row]).replace("20.0", "NaN"), "NaN is no number"), (json.dumps([row]).replace("20.0", "1e999"), '"duration"'),
                (json.dumps([row]).replace("20.0", "1" + "0" * 400), '"duration"'), (json.dumps([row]).replace("20.0", "1" + "0" * 5000), "expected JSON"),
                ('[{"query_id": 1, "query_id": 2}]', '"query_id" stands twice'), ("[" * 100000, "expected JSON")]:
            with self.subTest(truth=str(truth)[:80]):
                self.given(truth)
                self.assert_refused(self.ask(status=1), self.truth, *parts)
                self.assertEqual((self.asked(), self.out.exists()), ([], False))

    def test_truth_of_the_other_sets_in_another_shape(self):
        """Likewise, by line and by video."""
        for benchmark, truth, *parts in [
                ("qvhighlights", json.dumps(QV) + "\n{]", "line 2"), ("qvhighlights", json.dumps([QV]), "line 1: expected an object"),
                ("qvhighlights", json.dumps({**QV, "saliency_scores": [[1, 2, 3]]}), '"saliency_scores"', '"relevant_clip_ids"'),
                ("qvhighlights", json.dumps({**QV, "relevant_clip_ids": [6, 10]}), '"relevant_clip_ids"', "0 to 9"),
                ("qvhighlights", json.dumps({**QV, "saliency_scores": [[1, 2, 3], [1]]}), '"saliency_scores"', "3 scores"),
                ("timelens", {"park": {"duration": 1, "spans": [], "queries": ["a"]}}, "video park", '"spans"'),
                ("timelens", {"park": []}, "video park", "expected an object, found a list"), ("timelens", [], "expected an object, found a list")]:
            with self.subTest(truth=str(truth)[:80]):
                self.given(truth)
                self.assert_refused(self.ask(benchmark=benchmark, status=1), self.truth, *parts)

    def test_no_such_truth(self):
        """A file that is not there, a folder and bytes that are no text are a sentence each."""
        self.assert_refused(self.ask(status=1), self.truth, "No such file")
        self.truth.write_bytes(b"\xff\xfe[")
        self.assert_refused(self.ask(status=1), "UTF-8")
        self.truth = self.videos
        self.assert_refused(self.ask(status=1), "Is a directory")

    def test_repeated_question(self):
        """An identifier that stands twice is said, and counts once."""
        self.given([*VUE_TR, {**VUE_TR[0], "query": "a horse"}])
        result = self.ask("--json")
        self.assertIn("1 stands more than once: the first one counts", result.stderr)
        self.assertEqual(json.loads(result.stdout)["questions"], 3)
        self.assertNotIn("a horse", self.asked()[0]["queries"])

    def test_truth_that_is_kept_secret(self):
        """A split without times is asked and written; that there is no score is said."""
        self.given(json.dumps({name: QV[name] for name in ("qid", "query", "duration", "vid")}), videos=["park_0.0_20.0.mp4"])
        result = self.ask(benchmark="qvhighlights")
        self.assertIn("there is no score", result.stderr)
        self.assertEqual(len(self.out.read_text().splitlines()), 1)
        self.assertNotIn("R1", result.stdout)

    def test_question_without_a_true_range(self):
        """It is in no score, which is said."""
        self.given([*VUE_TR, {**VUE_TR[0], "query_id": 4, "gt": []}, {**VUE_TR[0], "query_id": 5, "gt": [[3, 3]]}])
        result = self.ask("--json")
        self.assertIn("questions without a true range: 2;", result.stderr)
        self.assertEqual(json.loads(result.stdout)["scored"], 3)

    def test_score_only(self):
        """Answers that are there are scored without videos; those that are missing, strange or there twice are said."""
        self.given(told={"park.mp4": {"a dog": [[12, 16, 0.9]]}})
        asked = self.scores()
        again = json.loads(self.bench("--score-only", self.out, "--json").stdout)
        self.assertEqual(again, asked)
        rows = self.answers()
        self.out.write_text(json.dumps([rows[0], {"query_id": 1, "answer": []}, {"query_id": 77, "answer": [[1, 2]]}]))
        result = self.bench("--score-only", self.out)
        self.assertIn("1 stands more than once", result.stderr)
        self.assertIn("answers about no question of the truth: 1;", result.stderr)
        self.assertRegex(result.stdout, r"answered: 1 of 3 questions, 33\.3 %\n")
        self.assertRegex(result.stdout, r"(?m)^IoU AUC +33\.33 +100\.00$")

    def test_answer_that_ends_before_it_begins(self):
        """Models say such things: it is a wrong answer, and no reason to refuse the others."""
        self.given()
        self.out.write_text(json.dumps([{"query_id": 1, "answer": [[16, 12]]}, {"query_id": "x3", "answer": [[0, 4]]}]))
        scores = json.loads(self.bench("--score-only", self.out, "--json").stdout)["scores"]
        self.assertEqual(scores["answered"]["IoU AUC"], 0.5)

    def test_score_only_of_other_forms(self):
        """TimeLens-Bench's answers may have another ending and other numbers in their keys, and an object a line; QVHighlights' no scores of clips."""
        self.given(TIMELENS)
        answers = self.folder / "others.jsonl"
        answers.write_text('{"park.avi>>>A dog appears>>>(12, 16.00)": {"timestamps": [[12, 16]]}}\n{"park.avi>>>a cat>>>[1, 2]": {"timestamps": []}}\n')
        found = json.loads(self.bench("--score-only", answers, "--json", benchmark="timelens").stdout)
        self.assertEqual((found["answered"], found["scores"]["all"]["mIoU"]), (2, 0.5))
        self.given(json.dumps(QV))
        answers.write_text('{"qid": 7, "pred_relevant_windows": [[12, 16, 0.5]]}')
        result = self.bench("--score-only", answers, benchmark="qvhighlights")
        self.assertIn("HIT@1 is left out", result.stderr)
        self.assertRegex(result.stdout, r"(?m)^mAP +100\.00$")

    def test_answers_of_another_shape(self):
        """A file that is no file of answers is a sentence, and stays as it is."""
        for benchmark, truth, answers, *parts in [
                ("vue-tr", VUE_TR, "my letters", "expected JSON"), ("vue-tr", VUE_TR, "", "expected JSON"),
                ("vue-tr", VUE_TR, '[{"query_id": 1, "answer": [[1, NaN]]}]', "NaN is no number"),
                ("vue-tr", VUE_TR, '[{"query_id": 1}]', 'answer 1: expected the field "answer"'),
                ("qvhighlights", json.dumps(QV), '{"qid": 7, "pred_relevant_windows": [[1, 2]]}', '"pred_relevant_windows"', "3 numbers"),
                ("qvhighlights", json.dumps(QV), '{"qid": 7, "pred_relevant_windows": [], "pred_saliency_scores": ["1"]}', '"pred_saliency_scores"'),
                ("timelens", TIMELENS, '{"park.mp4": {"timestamps": []}}', "answer park.mp4", ">>>"),
                ("timelens", TIMELENS, '{"park.mp4>>>a cat>>>[1, 2]": {"answers": "never"}}', '"timestamps"')]:
            with self.subTest(answers=answers):
                self.given(truth, videos=["park.mp4", "street.mp4", "park_0.0_20.0.mp4"])
                self.out.write_text(answers)
                self.assert_refused(self.ask(benchmark=benchmark, status=1), self.out, *parts)
                self.assert_refused(self.bench("--score-only", self.out, benchmark=benchmark, status=1), self.out, *parts)
                self.assertEqual(self.out.read_text(), answers)

    # ---- Files of the user's ----

    def test_out_is_not_what_is_read(self):
        """The truth, a film, a link to either and a folder are refused as --out and stay."""
        self.given()
        for name in ("truth", "film", "hard"):
            self.out = self.folder / name
            source = self.truth if name == "truth" else self.videos / "park.mp4"
            (os.link if name == "hard" else os.symlink)(source, self.out)
            self.assert_refused(self.ask(status=1), "--out", "which is read")
            self.assertEqual((self.asked(), (self.videos / "park.mp4").read_bytes()), ([], b"a film"))
        self.out = self.videos
        self.assert_refused(self.ask(status=1), "--out: expected a file")
        self.out = "-"
        self.assert_refused(self.ask(status=1), "expected a file of answers, found -")
        self.out = self.folder / "no/answers.json"
        self.assert_refused(self.ask(status=1), "--out: there is no folder")

    def test_link_to_answers(self):
        """A link stays one: what it names is replaced."""
        self.given()
        target = self.folder / "target.json"
        self.out.symlink_to(target)
        self.ask()
        self.assertTrue(self.out.is_symlink())
        self.assertEqual(len(json.loads(target.read_text())), 3)

    def test_replaced_whole(self):
        """Who has the old answers open reads them to their end: the new ones are another file."""
        self.given()
        self.out.write_text(json.dumps([{"query_id": 1, "answer": []}]))
        with open(self.out) as old:
            self.ask()
            self.assertEqual(len(json.load(old)), 1)
        self.assertEqual(len(self.answers()), 3)

    def test_no_room(self):
        """Where the answers cannot be written one sentence says so, and the file that was there stays whole."""
        self.given([{**VUE_TR[0], "query_id": n} for n in range(200)], {"park.mp4": {}})
        kept = [{"query_id": 0, "answer": []}]
        self.out.write_text(json.dumps(kept))

        def little_room():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        result = self.ask(status=1, preexec_fn=little_room)
        self.assertIn("answers.json: File too large", result.stderr)
        self.assertEqual(self.answers(), kept)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])

    # ---- The command line ----

    def test_command_line(self):
        """What is not understood is one sentence and status 2."""
        self.given()
        for words, part in [(["foo"], "invalid choice: 'foo'"), ([], "required"), (["vue-tr"], "--truth"),
                            (["vue-tr", "--truth", "x"], "expected --videos DIR and --out FILE"), (["vue-tr", "--truth", "x", "--videos", "y"], "--out FILE"),
                            (["vue-tr", "--truth", "x", "--score-only", "y", "--out", "z"], "--score-only asks nothing"),
                            (["vue-tr", "--truth", "x", "--windows", "0"], "--windows")]:
            result = cases.run([self.program, *words])
            self.assertEqual(result.returncode, 2, words)
            self.assert_refused(result, part, "See vidi-bench --help.")

    def test_stdout_is_full(self):
        """A score that cannot be printed is one sentence and status 1; the answers stay."""
        self.given()
        with open("/dev/full", "w") as full:
            result = subprocess.run([self.program, "vue-tr", "--truth", self.truth, "--videos", self.videos, "--out", self.out],
                                    stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=cases.LIMIT_S)
        self.assertEqual((result.returncode, result.stderr.splitlines()[-1]), (1, "vidi-bench: stdout: No space left on device."))
        self.assertNotIn("Traceback", result.stderr)
        self.assertEqual(len(self.answers()), 3)

    def test_vidi_ask_is_not_there(self):
        """Without vidi-ask one sentence says where it is looked for."""
        self.given()
        (self.folder / "vidi-ask").unlink()
        self.assert_refused(self.ask(status=1, env=cases.environment(PATH="/usr/bin:/bin")), "expected vidi-ask beside vidi-bench")


if __name__ == "__main__":
    cases.main(__name__)
