"""QVHighlights: recall of the surest window, average precision of all, and whether the surest clip is a highlight. README.md says
what is reckoned."""
from ranges import clipped, iou, mean

THRESHOLDS = [step / 100 for step in range(50, 100, 5)]
MOST_WINDOWS = 10
VERY_GOOD = 4


def best_iou(window, truth):
    return max(iou(window, true) for true in truth)


def hits_in_order(windows, truth, threshold):
    """For each window, the surest first, whether it takes a true one: the closest that is still free and close enough, of equally
    close ones the last, as the set's own scorer has it."""
    free = set(range(len(truth)))
    hits = []
    for window in windows:
        closest = max(free, key=lambda index: (iou(window, truth[index]), index), default=None)
        is_hit = closest is not None and iou(window, truth[closest]) >= threshold
        if is_hit:
            free.remove(closest)
        hits.append(is_hit)
    return hits


def average_precision(hits, n_true):
    """The area under precision over recall, where the precision at a recall is the best at that recall or a higher one."""
    precisions, n_hits = [], 0
    for n, is_hit in enumerate(hits, 1):
        n_hits += is_hit
        if is_hit:
            precisions.append(n_hits / n)
    best, total = 0.0, 0.0
    for precision in reversed(precisions):
        best = max(best, precision)
        total += best / n_true
    return total


def is_highlight(scores, saliency):
    """Whether one of the three annotators called the clip with the highest score, the first of equal ones, very good."""
    if not scores:
        return False
    surest = max(range(len(scores)), key=lambda clip: scores[clip])
    return surest < len(saliency) and max(saliency[surest]) >= VERY_GOOD


def windows_of(question, answers):
    """The first ten, the surest first."""
    windows = clipped(answers.get(question.key, [])[:MOST_WINDOWS], question.duration)
    return sorted(windows, key=lambda window: -window[2])


def score(questions, answers, clip_scores=None):
    """{name: 0 to 1}; `answers` has [(start, stop, confidence)] and `clip_scores` a number for each 2 s by the question's key."""
    top, precisions = [], []
    for question in questions:
        first = clipped(answers.get(question.key, [])[:1], question.duration)
        top.append(best_iou(first[0], question.truth) if first else 0.0)
        windows = windows_of(question, answers)
        precisions.append([average_precision(hits_in_order(windows, question.truth, threshold), len(question.truth))
                           for threshold in THRESHOLDS])
    scores = {f"R1@{threshold}": mean([value >= threshold for value in top]) for threshold in (0.5, 0.7)}
    by_threshold = [mean(column) for column in zip(*precisions)]
    scores |= {"mAP": mean(by_threshold), "mAP@0.5": by_threshold[THRESHOLDS.index(0.5)],
               "mAP@0.75": by_threshold[THRESHOLDS.index(0.75)]}
    if clip_scores and all(question.saliency is not None for question in questions):
        scores["HIT@1"] = mean([is_highlight(clip_scores.get(question.key), question.saliency) for question in questions])
    return scores
