"""QVHighlights: its truth, and its form of answers."""
import json

from fields import checked, field, ranges_of, read_json_lines, true_ranges_of
from problem import Problem
from questions import question_of
import qvhighlights_score

CLIP_S = 2
N_ANNOTATORS = 3


def read_truth(path):
    questions = []
    for where, row in read_json_lines(path):
        question = question_of(row, ("qid", "vid", "duration", "query"), where)
        if "relevant_windows" in row:  # the test split keeps them to itself
            question.truth = true_ranges_of(row, "relevant_windows", where)
        if "saliency_scores" in row:
            question.saliency = saliency_of(row, n_clips(question), where)
        questions.append(question)
    return questions


def n_clips(question):
    return max(1, int(question.duration / CLIP_S))


def saliency_of(row, n, where):
    """Three scores for each clip of the video: 0 for those that are in no window."""
    clips, scores = field(row, "relevant_clip_ids", list, where), field(row, "saliency_scores", list, where)
    if len(clips) != len(scores):
        raise Problem(f'{where}: expected as many "saliency_scores" as "relevant_clip_ids", {len(clips)}, found {len(scores)}')
    table = [[0.0] * N_ANNOTATORS for _ in range(n)]
    for clip, given in zip(clips, scores):
        if type(clip) is not int or not 0 <= clip < n:
            raise Problem(f'{where}, "relevant_clip_ids": expected clips 0 to {n - 1}, found {clip!r}')
        if len(checked(given, list, f'{where}, "saliency_scores"')) != N_ANNOTATORS:
            raise Problem(f'{where}, "saliency_scores": expected {N_ANNOTATORS} scores a clip, found {len(given)}')
        table[clip] = [checked(one, float, f'{where}, "saliency_scores"') for one in given]
    return table


def read_rows(path):
    for where, row in read_json_lines(path):
        key = str(field(row, "qid", int, where))
        ranges_of(row, "pred_relevant_windows", where, n_numbers=3)
        if "pred_saliency_scores" in row:
            for one in field(row, "pred_saliency_scores", list, where):
                checked(one, float, f'{where}, "pred_saliency_scores"')
        yield key, row


def row_of(question, hits):
    """Windows with the surest first. Nothing found is one empty window: the set's published scorer takes no empty list."""
    windows = sorted(hits, key=lambda hit: (-hit[2], hit[0]))
    return {"qid": question.identifier, "query": question.text, "vid": question.video,
            "pred_relevant_windows": [list(window) for window in windows] or [[0.0, 0.0, 0.0]],
            "pred_saliency_scores": clip_scores(hits, n_clips(question))}


def clip_scores(hits, n):
    """The model gives no scores of clips: the highest confidence of a hit, times its share of the clip."""
    scores = [0.0] * n
    for clip in range(n):
        begin, end = clip * CLIP_S, (clip + 1) * CLIP_S
        shares = [confidence * max(0.0, min(stop, end) - max(start, begin)) / CLIP_S for start, stop, confidence in hits]
        scores[clip] = round(max(shares, default=0.0), 6)
    return scores


def text_of_rows(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def score(questions, rows):
    return qvhighlights_score.score(questions, {key: [tuple(one[:3]) for one in row["pred_relevant_windows"]] for key, row in rows.items()},
                                    {key: row["pred_saliency_scores"] for key, row in rows.items() if "pred_saliency_scores" in row})
