"""VUE-TR and VUE-TR-V2: the areas under the curves of temporal IoU, precision and recall. README.md says what is reckoned."""
import math

from ranges import clipped, common_seconds, mean, seconds

N_STEPS = 100  # thresholds 0, 0.01 ... 1
NAMES = ["IoU", "precision", "recall"]


def whole_seconds(ranges):
    return [(math.floor(start), math.ceil(stop)) for start, stop, *_ in ranges if stop > start]


def overlap(answer, truth):
    """(IoU, precision, recall) of the unions of two lists of ranges; none where nothing was answered."""
    found, true = seconds(answer), seconds(truth)
    if not found:
        return None
    common = common_seconds(answer, truth)
    return common / (found + true - common), common / found, common / true


def area(values):
    """Under the share of the questions whose value is at least the threshold, by trapezoids. None reaches no threshold, not even 0."""
    curve = [mean([value is not None and value >= step / N_STEPS for value in values]) for step in range(N_STEPS + 1)]
    return (sum(curve) - (curve[0] + curve[-1]) / 2) / N_STEPS


def score(questions, answers):
    """{name: 0 to 1}; `answers` has [(start, stop, ...)] by the question's key."""
    triples = []
    for question in questions:
        answer = clipped(answers.get(question.key, []), question.duration)
        triples.append(overlap(whole_seconds(answer), whole_seconds(question.truth)))
    scores = {}
    for index, name in enumerate(NAMES):
        values = [triple and triple[index] for triple in triples]
        scores[f"{name} AUC"] = area(values)
        scores[f"mean {name}"] = mean([value or 0.0 for value in values])
    return scores
