"""VUE-TR and VUE-TR-V2: their truth, and their form of answers."""
import json

from fields import checked, field, ranges_of, read_json, true_ranges_of
from problem import shown
from questions import question_of
import vue_tr_score

TASK = "temporal_retrieval"


def read_truth(path):
    questions = []
    for number, row in enumerate(read_json(path, list), 1):
        where = f"{shown(path)}, question {number}"
        question = question_of(checked(row, dict, where), ("query_id", "video_id", "duration", "query"), where)
        question.truth = true_ranges_of(row, "gt", where)
        questions.append(question)
    return questions


def read_rows(path):
    """(key, row) of every answer in a file."""
    for number, row in enumerate(read_json(path, list), 1):
        where = f"{shown(path)}, answer {number}"
        key = str(field(checked(row, dict, where), "query_id", int, where))
        ranges_of(row, "answer", where)
        yield key, row


def row_of(question, hits):
    """Of hits (start, stop, confidence), which lie in the video: its ranges in the order of time."""
    return {"query_id": question.identifier, "video_id": question.video, "duration": question.duration, "query": question.text,
            "answer": [[start, stop] for start, stop, _ in sorted(hits)], "task": TASK}


def text_of_rows(rows):
    return "[" + ",".join("\n " + json.dumps(row) for row in rows) + "\n]\n"


def score(questions, rows):
    return vue_tr_score.score(questions, {key: [tuple(one[:2]) for one in row["answer"]] for key, row in rows.items()})
