#!/usr/bin/env python3
"""vidi-bench with the bundled model, on cuts of the bundled clip whose truth is known: the three sets from truth to score."""
import json
import pathlib
import shutil
import tempfile
import unittest

import cases
import media

PROGRAM = cases.BUILD / "examples/vidi-bench"
ASK = cases.BUILD / "examples/vidi-ask"
TRUTH = {question["query"]: question["ranges"] for question in json.loads((cases.SOURCE / "examples/demo/truth.json").read_text())[0]["questions"]}
# Of each cut, which begins with the clip, its seconds and what is asked about it.
CUTS = {"room": (10, ["a phone"]), "park_0.0_18.0": (18, ["a phone", "a dog", "someone saying goal"]), "whole": (40, ["a dog", "a car", "a trophy", "a car horn"])}
EDGE_S = 1.1  # how far the bundled model's edges are off at most


def cut(path, seconds):
    """The first seconds of the clip, without encoding."""
    pictures = media.PICTURES.replace(f"eos-after={media.N_PICTURES}", f"eos-after={25 * seconds}")
    sound = media.SOUND.replace(f"eos-after={media.N_SOUNDS}", f"eos-after={48000 * seconds // 1024}")
    return media.make(path, "matroskamux", pictures, sound)


class EndToEnd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.videos = cls.folder / "videos"
        (cls.videos / "deeper").mkdir(parents=True)
        cut(cls.videos / "room.mkv", 10)
        cut(cls.videos / "deeper/park_0.0_18.0.MKV", 18)
        shutil.copy(cases.CLIP, cls.videos / "whole.mp4")
        (cls.videos / "sound.mp4").write_bytes(b"no film at all")
        (cls.videos / "torn.mp4").write_bytes(cases.CLIP.read_bytes()[:200000])

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name) / "answers.json"
        self.truth = pathlib.Path(folder.name) / "truth.json"

    def bench(self, benchmark, *arguments):
        result = cases.run([PROGRAM, benchmark, "--truth", self.truth, "--json", *arguments])
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout), result.stderr

    def ask(self, benchmark, *arguments):
        return self.bench(benchmark, "--videos", self.videos, "--out", self.out, *arguments)

    def vue_tr(self, *others):
        rows = [{"query_id": f"{video} {query}", "video_id": video, "duration": seconds, "query": query, "gt": TRUTH[query]}
                for video, (seconds, queries) in CUTS.items() for query in queries]
        self.truth.write_text(json.dumps([*rows, *others]))
        return rows

    def assert_near(self, ranges, expected):
        self.assertEqual(len(ranges), len(expected), ranges)
        for found, true in zip(sorted(ranges), expected):
            self.assertAlmostEqual(found[0], true[0], delta=EDGE_S)
            self.assertAlmostEqual(found[1], true[1], delta=EDGE_S)

    def windows(self, video):
        """When the windows began that the model saw of it, from what vidi-ask keeps."""
        rows = [json.loads(line) for path in (self.out.parent / (self.out.name + ".batch")).glob("*.jsonl") for line in path.read_text().splitlines()]
        return {row["window_start_ns"] for row in rows if row["kind"] == "window" and video in row["uri"]}

    def test_vue_tr(self):
        """Answers are those of vidi-ask about each film alone, near the truth; a missing and two broken films are said and count as empty."""
        lost = [{"query_id": n, "video_id": video, "duration": 40, "query": "a dog", "gt": [[12, 16]]} for n, video in enumerate(["sound", "torn", "away"])]
        truth = self.vue_tr(*lost)
        found, said = self.ask("vue-tr", "--window", "0")
        self.assertEqual((found["missing"], sorted(found["failed"]), found["answered"], found["scored"]), (["away"], ["sound", "torn"], 8, 11))
        for part in ("1 of 6 videos are not in", "sound.mp4", "torn.mp4"):
            self.assertIn(part, said)

        answers = {row["query_id"]: row["answer"] for row in json.loads(self.out.read_text())}
        self.assertEqual(list(answers), [row["query_id"] for row in truth])
        for row in truth:
            self.assert_near(answers[row["query_id"]], row["gt"])
        alone = cases.run([ASK, "--quiet", "--json", "--window", "0", self.videos / "whole.mp4", *CUTS["whole"][1]])
        for hit in cases.hits_in(alone.stdout):
            self.assertAlmostEqual(answers["whole " + hit["query"]][0][0], hit["start"], delta=0.001)

        scores = found["scores"]
        self.assertGreater(scores["answered"]["IoU AUC"], 0.7)
        for name, value in scores["all"].items():
            self.assertAlmostEqual(value, scores["answered"][name] * 8 / 11, delta=1e-9)
        self.assertEqual(self.bench("vue-tr", "--score-only", self.out)[0]["scores"], scores)

    def test_qvhighlights(self):
        """The windows are near the truth, and the surest clip lies in the highlight."""
        lines = [{"qid": n, "vid": "park_0.0_18.0", "duration": 18, "query": query, "relevant_windows": [window],
                  "relevant_clip_ids": list(range(window[0] // 2, window[1] // 2)), "saliency_scores": [[4, 0, 0]] * (window[1] // 2 - window[0] // 2)}
                 for n, (query, window) in enumerate([("a phone", [4, 10]), ("a dog", [12, 16])])]
        self.truth.write_text("\n".join(map(json.dumps, lines)))
        scores = self.ask("qvhighlights")[0]["scores"]["all"]
        rows = [json.loads(line) for line in self.out.read_text().splitlines()]
        self.assert_near(rows[1]["pred_relevant_windows"], [(12, 16)])
        self.assertEqual([len(row["pred_saliency_scores"]) for row in rows], [9, 9])
        self.assertEqual((scores["R1@0.5"], scores["mAP@0.5"], scores["HIT@1"]), (1, 1, 1))

    def test_timelens(self):
        """The answers are near the truth; a question about what is not there has none."""
        self.truth.write_text(json.dumps({"room": {"duration": 10.0, "spans": [[4.0, 9.0], [1.0, 2.0]], "queries": ["A phone.", "a guitar"]}}))
        scores = self.ask("timelens")[0]["scores"]["all"]
        rows = json.loads(self.out.read_text())
        self.assert_near(rows["room.mp4>>>A phone>>>[4.0, 9.0]"]["timestamps"], [(4, 9)])
        self.assertEqual(rows["room.mp4>>>a guitar>>>[1.0, 2.0]"]["timestamps"], [])
        self.assertEqual((scores["R1@0.3"], scores["R1@0.7"]), (0.5, 0.5))

    def test_windows(self):
        """--window 0 is one window over the whole film, 10 several; each has a file of its own, and the same hits."""
        self.truth.write_text(json.dumps([{"query_id": 1, "video_id": "park_0.0_18.0", "duration": 18, "query": "a phone", "gt": [[4, 9]]}]))
        self.ask("vue-tr", "--window", "0")
        self.assertEqual(len(self.windows("park_0.0_18.0")), 1)
        self.assert_near(json.loads(self.out.read_text())[0]["answer"], [(4, 9)])
        self.out = self.out.parent / "other.json"
        self.ask("vue-tr", "--window", "10")
        self.assertGreater(len(self.windows("park_0.0_18.0")), 1)
        self.assert_near(json.loads(self.out.read_text())[0]["answer"], [(4, 9)])

    def test_what_is_kept_is_not_asked_again(self):
        """Where the answers were lost, what vidi-ask has kept is taken: no model is asked, and the file is the same."""
        self.truth.write_text(json.dumps({"room": {"duration": 10.0, "spans": [[4.0, 9.0]], "queries": ["a phone"]}}))
        self.ask("timelens")
        answers = self.out.read_bytes()
        kept = {path: path.stat().st_mtime_ns for path in pathlib.Path(f"{self.out}.batch").glob("*.jsonl")}
        self.out.unlink()
        self.ask("timelens")
        self.assertEqual(self.out.read_bytes(), answers)
        self.assertEqual({path: path.stat().st_mtime_ns for path in pathlib.Path(f"{self.out}.batch").glob("*.jsonl")}, kept)


if __name__ == "__main__":
    cases.main(__name__)
