"""TimeLens-Bench: recall of the answer at three thresholds and its mean IoU. README.md says what is reckoned."""
from ranges import clipped, iou, mean

THRESHOLDS = [0.3, 0.5, 0.7]


def score(questions, answers):
    """{name: 0 to 1}; of `answers`, [(start, stop, ...)] by the question's key, the first range counts."""
    values = []
    for question in questions:
        first = clipped(answers.get(question.key, [])[:1], question.duration)
        values.append(iou(first[0], question.truth[0]) if first else 0.0)
    scores = {f"R1@{threshold}": mean([value >= threshold for value in values]) for threshold in THRESHOLDS}
    scores["mIoU"] = mean(values)
    return scores
