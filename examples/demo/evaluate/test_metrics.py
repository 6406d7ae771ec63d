"""The numbers of evaluate.py on ranges that can be reckoned by hand. Run: python3 -m unittest (in this folder)."""
import unittest

import metrics


class Ranges(unittest.TestCase):
    def test_union_joins_what_overlaps_or_touches(self):
        self.assertEqual(metrics.union([(5, 7), (1, 2), (2, 3), (6, 9)]), [(1, 3), (5, 9)])

    def test_union_of_a_range_inside_another(self):
        self.assertEqual(metrics.union([(0, 10), (2, 3)]), [(0, 10)])

    def test_union_drops_empty_and_reversed_ranges(self):
        self.assertEqual(metrics.union([(3, 3), (5, 4)]), [])

    def test_seconds_count_what_overlaps_once(self):
        self.assertEqual(metrics.seconds([(0, 4), (2, 6), (10, 11)]), 7)

    def test_intersection_has_a_piece_for_each_common_stretch(self):
        self.assertEqual(metrics.intersection([(0, 5), (8, 12)], [(4, 9), (11, 20)]), [(4, 5), (8, 9), (11, 12)])

    def test_ranges_that_touch_have_nothing_in_common(self):
        self.assertEqual(metrics.intersection([(0, 5)], [(5, 9)]), [])

    def test_close_gaps_keeps_long_ones(self):
        self.assertEqual(metrics.close_gaps([(0, 1), (2.4, 3), (4.5, 5)], 1.5), [(0, 3), (4.5, 5)])


class TemporalIou(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(metrics.temporal_iou([(1, 3)], [(1, 3)]), 1)

    def test_half_found(self):
        self.assertEqual(metrics.temporal_iou([(0, 5)], [(0, 10)]), 0.5)

    def test_shifted(self):
        self.assertAlmostEqual(metrics.temporal_iou([(1, 5)], [(0, 4)]), 3 / 5)

    def test_one_of_two_ranges(self):
        self.assertEqual(metrics.temporal_iou([(0, 2)], [(0, 2), (6, 8)]), 0.5)

    def test_overlapping_answers_count_once(self):
        self.assertEqual(metrics.temporal_iou([(0, 3), (2, 4)], [(0, 4)]), 1)

    def test_false_alarm_and_miss(self):
        self.assertEqual(metrics.temporal_iou([(0, 3)], []), 0)
        self.assertEqual(metrics.temporal_iou([], [(0, 3)]), 0)

    def test_rightly_nothing(self):
        self.assertEqual(metrics.temporal_iou([], []), 1)


class PrecisionRecall(unittest.TestCase):
    def test_over_seconds_of_all_questions(self):
        pairs = [([(0, 4)], [(0, 2)]), ([(10, 12)], [(10, 16)])]
        precision, recall = metrics.precision_recall(pairs)
        self.assertAlmostEqual(precision, 4 / 6)
        self.assertAlmostEqual(recall, 4 / 8)

    def test_nothing_found_has_no_precision(self):
        self.assertEqual(metrics.precision_recall([([], [(0, 2)])]), (None, 0))

    def test_nothing_at_all(self):
        self.assertEqual(metrics.precision_recall([]), (None, None))


class Highlights(unittest.TestCase):
    TRUTH = [(0, 2, "dog"), (5, 7, "dog"), (3, 6, "saying goal")]

    def test_exact(self):
        self.assertEqual(metrics.highlight_match(self.TRUTH, self.TRUTH), 1)

    def test_missing_label_counts_0(self):
        self.assertEqual(metrics.highlight_match([(3, 6, "saying goal")], self.TRUTH), 0.5)

    def test_wrong_label_counts_0_and_the_true_one_as_well(self):
        found = [(0, 2, "cat"), (5, 7, "cat"), (3, 6, "saying goal")]
        self.assertAlmostEqual(metrics.highlight_match(found, self.TRUTH), 1 / 3)

    def test_ranges_of_one_label_are_taken_together(self):
        self.assertEqual(metrics.highlight_match([(0, 2, "dog"), (3, 6, "saying goal")], self.TRUTH), 0.75)

    def test_nothing_there_nothing_found(self):
        self.assertEqual(metrics.highlight_match([], []), 1)


class Mean(unittest.TestCase):
    def test_of_some_and_of_none(self):
        self.assertEqual(metrics.mean([1, 2]), 1.5)
        self.assertIsNone(metrics.mean([]))


if __name__ == "__main__":
    unittest.main()
