"""How close the found ranges come to the true ones. A range is (start, stop) in seconds; a list of them means their union.

No dependency but the standard library; test_metrics.py holds the cases.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from ranges import seconds, union  # noqa: E402


def intersection(some, others):
    """What both cover."""
    others = union(others)
    return union((max(a, c), min(b, d)) for a, b in union(some) for c, d in others)


def close_gaps(ranges, shortest):
    """The union, with gaps shorter than `shortest` seconds closed."""
    joined = []
    for start, stop in union(ranges):
        if joined and start - joined[-1][1] < shortest:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


def temporal_iou(found, truth):
    """Seconds in both over seconds in either; nothing found where nothing is counts 1."""
    common = seconds(intersection(found, truth))
    either = seconds(found) + seconds(truth) - common
    return common / either if either > 0 else 1.0


def precision_recall(pairs):
    """Of [(found, truth)]: the share of found seconds that are true, and of true seconds that are found.

    None where there is nothing to divide by.
    """
    common = sum(seconds(intersection(found, truth)) for found, truth in pairs)
    found_s = sum(seconds(found) for found, _ in pairs)
    true_s = sum(seconds(truth) for _, truth in pairs)
    return common / found_s if found_s else None, common / true_s if true_s else None


def highlight_match(found, truth):
    """Of events (start, stop, label): the mean over all labels, found or true, of the label's temporal IoU.

    A label that was missed, and one that is not there, counts 0.
    """
    labels = sorted({label for _, _, label in [*found, *truth]})
    if not labels:
        return 1.0
    return sum(temporal_iou(of_label(found, label), of_label(truth, label)) for label in labels) / len(labels)


def of_label(events, label):
    return [(start, stop) for start, stop, its in events if its == label]


def mean(values):
    """None of nothing."""
    values = list(values)
    return sum(values) / len(values) if values else None
