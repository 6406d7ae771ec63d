"""TimeLens-Bench (Charades, ActivityNet and QVHighlights, a file each): its truth, and its form of answers."""
import json
import os

from fields import checked, field, parsed, range_of, ranges_of, read_json, text_of, true_ranges_of
from problem import Problem, shown
from questions import Question, asked, duration_of, video_of
import timelens_score

SEPARATOR = ">>>"


def read_truth(path):
    questions = []
    for video, row in read_json(path, dict).items():
        where = f"{shown(path)}, video {shown(video)}"
        duration = duration_of(field(checked(row, dict, where), "duration", float, where), f'{where}, "duration"')
        spans, queries = true_ranges_of(row, "spans", where), field(row, "queries", list, where)
        if len(spans) != len(queries):
            raise Problem(f'{where}: expected as many "spans" as "queries", {len(queries)}, found {len(spans)}')
        for span, query in zip(spans, queries):
            text = asked_event(checked(query, str, f'{where}, "queries"'), f'{where}, "queries"')
            key = key_of(video_of(video, where), text, span)
            questions.append(Question(key, key, video, duration, text, truth=[span]))
    return questions


def asked_event(query, where):
    """As the set's own reader has it: one line, without full stops at its ends."""
    return asked(asked(query, where).strip(".").strip() or "", where)


def key_of(video, text, span):
    return f"{video}.mp4{SEPARATOR}{text}{SEPARATOR}{json.dumps(list(span))}"


def normal_key(key, where):
    """The same for every ending of the video's name and every way to write the numbers."""
    video, _, rest = key.partition(SEPARATOR)
    text, _, span = rest.rpartition(SEPARATOR)
    if not text:
        raise Problem(f'{where}: expected "video{SEPARATOR}question{SEPARATOR}[start, stop]"')
    ending = os.path.splitext(video)[1]
    name = video[:-len(ending)] if ending.lower() in (".mp4", ".mkv", ".webm", ".avi", ".mov") else video
    return key_of(name, text, range_of(parsed(span.replace("(", "[").replace(")", "]"), where), where))


def read_rows(path):
    """Of one object, or of an object a line."""
    text = text_of(path)
    lines = [text] if not str(path).endswith(".jsonl") else [line for line in text.split("\n") if line.strip()]
    for line in lines:
        for key, value in checked(parsed(line, shown(path)), dict, shown(path)).items():
            where = f"{shown(path)}, answer {shown(key)}"
            ranges_of(checked(value, dict, where), "timestamps", where)
            yield normal_key(key, where), (key, value)


def row_of(question, hits):
    """The surest range alone: an answer of this set is one event."""
    first = min(hits, key=lambda hit: (-hit[2], hit[0]), default=None)
    if not first:
        return question.identifier, {"timestamps": [], "answers": ""}
    start, stop, _ = first
    return question.identifier, {"timestamps": [[start, stop]], "answers": f"The event happens in {start} - {stop} seconds."}


def text_of_rows(rows):
    return "{" + ",".join(f"\n {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in rows) + "\n}\n"


def score(questions, rows):
    return timelens_score.score(questions, {key: [tuple(one[:2]) for one in value["timestamps"]] for key, (_, value) in rows.items()})
