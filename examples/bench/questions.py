"""A question of a benchmark with its true answer, as every set's reader makes it."""
import dataclasses

from fields import checked, field
from problem import Problem, shown

LONGEST_S = 1000000  # what is kept by clips must have a bound


@dataclasses.dataclass
class Question:
    key: str                # its identifier as a text; names its answer in the file of answers
    identifier: object      # as the truth has it: a whole number or a text
    video: str              # the video's identifier, in most sets its file's name without the ending
    duration: float         # of the video, seconds
    text: str               # what is asked
    truth: list = None      # [(start, stop)] in seconds; None where the set keeps it to itself
    saliency: list = None   # QVHighlights: for each clip of 2 s its three annotators' scores


def asked(text, where):
    """The question as it is asked: one line."""
    line = " ".join(text.split())
    if not line:
        raise Problem(f"{where}: expected a question, found an empty one")
    if "\0" in line or any(0xd800 <= ord(c) <= 0xdfff for c in line):
        raise Problem(f"{where}: expected a question, found one that is no text")
    return line


def question_of(row, names, where):
    """Of an object whose fields have these names, for identifier, video, duration and text."""
    identifier, video, duration, text = names
    found = field(row, identifier, int, where)
    return Question(str(found), found, video_of(field(row, video, int, where), f'{where}, "{video}"'),
                    duration_of(field(row, duration, float, where), f'{where}, "{duration}"'),
                    asked(field(row, text, str, where), f'{where}, "{text}"'))


def video_of(identifier, where):
    if not str(identifier).strip():
        raise Problem(f"{where}: expected a video's identifier, found an empty one")
    return str(identifier)


def duration_of(seconds, where):
    if not 0 < checked(seconds, float, where) <= LONGEST_S:
        raise Problem(f"{where}: expected the video's seconds, above 0 and at most {LONGEST_S}, found {float(seconds):g}")
    return float(seconds)


def without_repeats(questions, path, say):
    """The first of those that have one identifier; the others are said."""
    first = {}
    for question in questions:
        if question.key in first:
            say(f"{shown(path)}: {shown(question.key)} stands more than once: the first one counts")
        first.setdefault(question.key, question)
    if not first:
        raise Problem(f"{shown(path)}: expected questions, found none")
    return list(first.values())
