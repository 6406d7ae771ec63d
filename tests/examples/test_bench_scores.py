#!/usr/bin/env python3
"""The scores of vidi-bench on answers that can be reckoned by hand; the reckoning stands beside each."""
import sys
import unittest

import cases

sys.path.insert(0, str(cases.BUILD / "examples/vidi-bench"))  # the program is a zip file of its modules
import qvhighlights_score  # noqa: E402
import timelens_score  # noqa: E402
import vue_tr_score  # noqa: E402
from questions import Question  # noqa: E402

DURATION = 100.0
EXACT = 1e-9


def question(truth, key="1", duration=DURATION, saliency=None):
    return Question(key, key, "video", duration, "a dog", truth, saliency)


class Scores(unittest.TestCase):
    def assert_scores(self, found, **expected):
        for name, value in expected.items():
            self.assertAlmostEqual(found[name], value, delta=EXACT, msg=name)


class VueTr(Scores):
    def of(self, answer, truth, duration=DURATION):
        return vue_tr_score.score([question(truth, duration=duration)], {"1": answer})

    def assert_areas(self, found, iou, precision, recall):
        self.assert_scores(found, **{"IoU AUC": iou, "precision AUC": precision, "recall AUC": recall})

    def test_several_ranges(self):
        """Ranges of one question are one answer: what they share over what they cover, in whole seconds."""
        # Answer 2-6 and 10-12 (6 s), truth 3-6 and 11-15 (7 s), shared 3-6 and 11-12 (4 s).
        found = self.of([(2.3, 5.7), (10, 12)], [(3, 6), (11, 15)])
        self.assert_scores(found, **{"mean IoU": 4 / 9, "mean precision": 4 / 6, "mean recall": 4 / 7})
        # 4/9 reaches the thresholds 0 to 0.44, 4/6 those to 0.66, 4/7 those to 0.57; the last trapezoid is a half one.
        self.assert_areas(found, 0.445, 0.665, 0.575)

    def test_ranges_that_overlap_count_once(self):
        """An answer that names the same seconds twice, in any order, is no longer for it."""
        found = self.of([(6, 9), (3, 7)], [(3, 15)])  # 6 of 12 s
        self.assert_scores(found, **{"mean IoU": 0.5, "mean precision": 1, "mean recall": 0.5})

    def test_nothing_found(self):
        """An empty answer is 0 in all, also at the threshold 0."""
        found = self.of([], [(3, 9)])
        self.assertEqual(set(found.values()), {0})

    def test_wrong_place(self):
        """An answer that shares nothing with the truth reaches the threshold 0 alone: half a trapezoid."""
        found = self.of([(20, 30)], [(3, 9)])
        self.assert_areas(found, 0.005, 0.005, 0.005)
        self.assert_scores(found, **{"mean IoU": 0})

    def test_beyond_the_end(self):
        """What lies beyond the video is cut off; what lies there alone is an empty answer."""
        self.assert_areas(self.of([(15, 30)], [(15, 20)], duration=20.0), 1, 1, 1)
        self.assert_areas(self.of([(25, 30)], [(15, 20)], duration=20.0), 0, 0, 0)
        self.assert_areas(self.of([(-5, 2)], [(0, 2)], duration=20.0), 1, 1, 1)

    def test_one_second(self):
        """Starts go down and ends go up to whole seconds: a moment is its second."""
        self.assert_areas(self.of([(3.2, 3.4)], [(3, 4)]), 1, 1, 1)
        self.assert_areas(self.of([(3.9, 4.1)], [(3, 4)]), 0.505, 0.505, 1)  # seconds 3 and 4: half of them true
        self.assert_areas(self.of([(3, 3)], [(3, 4)]), 0, 0, 0)  # no time at all

    def test_truth_of_fractions(self):
        """The truth is rounded as the answer is."""
        self.assert_areas(self.of([(3, 9)], [(3.5, 8.2)]), 1, 1, 1)

    def test_threshold_is_reached_exactly(self):
        """29 of 100 seconds reach the threshold 0.29."""
        self.assert_areas(self.of([(0, 29)], [(0, 100)]), 0.295, 1, 0.295)

    def test_mean_over_questions(self):
        """The curve is the share of all questions: one right, one empty, one half right."""
        questions = [question([(3, 9)], key) for key in "123"]
        found = vue_tr_score.score(questions, {"1": [(3, 9)], "3": [(3, 6)]})
        self.assert_scores(found, **{"IoU AUC": (1 + 0 + 0.505) / 3, "precision AUC": 2 / 3, "mean IoU": 0.5})


class QvHighlights(Scores):
    def of(self, windows, truth, duration=DURATION):
        return qvhighlights_score.score([question(truth, duration=duration)], {"1": windows})

    def test_several_windows(self):
        """Each window takes the true one that is closest; one that takes none lowers the precision of those behind it."""
        # IoU 1 and 0.8, and a wrong one. Up to 0.8 (7 thresholds) both are found: AP 1; above it one of two: AP 1/2.
        found = self.of([(30, 50, 0.9), (12, 20, 0.8), (60, 70, 0.7)], [(10, 20), (30, 50)])
        self.assert_scores(found, **{"R1@0.5": 1, "R1@0.7": 1, "mAP": (7 * 1 + 3 * 0.5) / 10, "mAP@0.5": 1, "mAP@0.75": 1})

    def test_wrong_window_first(self):
        """Wrong, right, right: precision 1/2 and 2/3 at the two recalls; at the first the better one counts as well."""
        found = self.of([(60, 70, 0.9), (10, 20, 0.8), (30, 50, 0.7)], [(10, 20), (30, 50)])
        self.assert_scores(found, **{"R1@0.5": 0, "mAP": 2 / 3, "mAP@0.75": 2 / 3})

    def test_true_window_is_taken_once(self):
        """Right, the same again, right: precision 1 and 2/3, each for half of the recall."""
        found = self.of([(10, 20, 0.9), (10, 20, 0.8), (30, 50, 0.7)], [(10, 20), (30, 50)])
        self.assert_scores(found, mAP=5 / 6)

    def test_second_closest_is_taken(self):
        """A window whose closest true one is taken takes the next that is close enough."""
        # The second window has IoU 1 with 10-20 (taken) and 9/11 with 11-21: at 0.5 to 0.8 it is a hit.
        found = self.of([(10, 20, 0.9), (10, 20, 0.8)], [(10, 20), (11, 21)])
        self.assert_scores(found, mAP=(7 * 1 + 3 * 0.5) / 10)

    def test_equally_close(self):
        """Of two true windows that are equally close the last one is taken, which leaves the first to the next window."""
        # 12-20 shares 6 of 10 s with each of them: IoU 0.6. Had it taken 10-18, nothing close were left for the second window.
        found = self.of([(12, 20, 0.9), (10, 18, 0.8)], [(10, 18), (14, 22)])
        self.assert_scores(found, **{"mAP@0.5": 1, "mAP@0.75": 0.25})  # at 0.75: wrong, then right

    def test_order(self):
        """mAP goes by the scores, R1 by the first window of the list."""
        found = self.of([(60, 70, 0.1), (10, 20, 0.9)], [(10, 20)])
        self.assert_scores(found, **{"R1@0.5": 0, "mAP": 1})

    def test_best_of_several_true_windows(self):
        """R1 compares the first window with the closest true one."""
        self.assert_scores(self.of([(30, 44, 0.9)], [(10, 20), (30, 50)]), **{"R1@0.5": 1, "R1@0.7": 1})  # 14/20
        self.assert_scores(self.of([(30, 43, 0.9)], [(10, 20), (30, 50)]), **{"R1@0.5": 1, "R1@0.7": 0})  # 13/20

    def test_nothing_found(self):
        """An empty list, no answer and the empty window that stands for nothing found are 0."""
        for windows in ([], [(0, 0, 0)]):
            self.assertEqual(set(self.of(windows, [(10, 20)]).values()), {0})
        self.assertEqual(set(qvhighlights_score.score([question([(10, 20)])], {}).values()), {0})

    def test_beyond_the_end(self):
        """What lies beyond the video is cut off; a window that lies there alone is a wrong one, and does not vanish."""
        self.assert_scores(self.of([(30, 60, 0.9)], [(30, 40)], duration=40.0), **{"R1@0.7": 1, "mAP": 1})
        self.assert_scores(self.of([(50, 60, 0.9), (30, 40, 0.8)], [(30, 40)], duration=40.0), **{"R1@0.5": 0, "mAP": 0.5})

    def test_one_second(self):
        """Half of a window of two seconds: IoU 1/2 reaches the first of the ten thresholds."""
        self.assert_scores(self.of([(3, 5, 0.9)], [(3, 4)]), **{"R1@0.5": 1, "R1@0.7": 0, "mAP": 0.1, "mAP@0.75": 0})
        self.assert_scores(self.of([(3, 4, 0.9)], [(3, 4)]), mAP=1)

    def test_eleventh_window(self):
        """Ten windows count, the first ten of the list."""
        wrong = [(60 + n, 61 + n, 0.9) for n in range(10)]
        self.assert_scores(self.of([*wrong[:9], (10, 20, 0.5)], [(10, 20)]), mAP=0.1)
        self.assert_scores(self.of([*wrong, (10, 20, 0.5)], [(10, 20)]), mAP=0)

    def test_surest_clip(self):
        """HIT@1: one of three annotators called the clip with the first highest score very good (4)."""
        saliency = [[0, 0, 0], [3, 3, 3], [1, 4, 1], [0, 0, 0]]
        asked = [question([(2, 6)], duration=8.0, saliency=saliency)]

        def hit(scores):
            return qvhighlights_score.score(asked, {}, {"1": scores} if scores is not None else {"2": [1]})["HIT@1"]
        self.assertEqual([hit([0, 0, 1, 1]), hit([0, 1, 0.5, 0]), hit([0, 0, 0, 0, 1]), hit([]), hit(None)], [1, 0, 0, 0, 0])

    def test_no_hit_without_saliency(self):
        """HIT@1 is left out where truth or answers have no scores of clips."""
        self.assertNotIn("HIT@1", qvhighlights_score.score([question([(2, 6)])], {}, {"1": [1]}))
        self.assertNotIn("HIT@1", qvhighlights_score.score([question([(2, 6)], saliency=[[4, 4, 4]])], {}, {}))

    def test_mean_over_questions(self):
        """One right, one not answered: half of each."""
        questions = [question([(10, 20)], key) for key in "12"]
        found = qvhighlights_score.score(questions, {"1": [(10, 20, 0.9)]})
        self.assert_scores(found, **{"R1@0.5": 0.5, "R1@0.7": 0.5, "mAP": 0.5})


class TimeLens(Scores):
    def of(self, answer, truth, duration=DURATION):
        return timelens_score.score([question(truth, duration=duration)], {"1": answer})

    def assert_all(self, found, *expected):
        self.assert_scores(found, **dict(zip(["R1@0.3", "R1@0.5", "R1@0.7", "mIoU"], expected)))

    def test_part_of_the_truth(self):
        """Shared over covered time; a threshold counts where it is reached exactly."""
        self.assert_all(self.of([(0, 7)], [(0, 10)]), 1, 1, 1, 0.7)
        self.assert_all(self.of([(5, 15)], [(0, 10)]), 1, 0, 0, 5 / 15)
        self.assert_all(self.of([(20, 30)], [(0, 10)]), 0, 0, 0, 0)

    def test_several_ranges(self):
        """The first range counts."""
        self.assert_all(self.of([(0, 10), (20, 30)], [(0, 10)]), 1, 1, 1, 1)
        self.assert_all(self.of([(20, 30), (0, 10)], [(0, 10)]), 0, 0, 0, 0)

    def test_nothing_found(self):
        """An empty answer is 0, and so is a moment without length."""
        self.assert_all(self.of([], [(0, 10)]), 0, 0, 0, 0)
        self.assert_all(self.of([(5, 5)], [(0, 10)]), 0, 0, 0, 0)

    def test_beyond_the_end(self):
        """What lies beyond the video is cut off."""
        self.assert_all(self.of([(15, 35)], [(15, 20)], duration=20.0), 1, 1, 1, 1)
        self.assert_all(self.of([(25, 35)], [(15, 20)], duration=20.0), 0, 0, 0, 0)

    def test_one_second(self):
        """Fractions stay: half a second of one."""
        self.assert_all(self.of([(3, 3.5)], [(3, 4)]), 1, 1, 0, 0.5)

    def test_mean_over_questions(self):
        """A question without an answer is one of them."""
        questions = [question([(0, 10)], key) for key in "12"]
        self.assert_all(timelens_score.score(questions, {"1": [(0, 4)]}), 0.5, 0, 0, 0.2)


if __name__ == "__main__":
    cases.main(__name__)
