"""vidi-bench: asks the questions of a public benchmark, writes the answers in its form and scores them."""
import os
import signal
import sys
import time

from answer_file import AnswerFile
from arguments import parse_arguments, passed_options
from asking import Asking
from problem import Problem, shown
from questions import without_repeats
from report import Report, missing_sentence
from settings import keep_settings
from sets import SETS
from videos import found_in

WRITE_EVERY_S = 1


def say(sentence):
    print(f"vidi-bench: {sentence}.", file=sys.stderr, flush=True)


def clipped_hits(hits, duration):
    """Within the video; what is left of nothing is dropped."""
    cut = [(max(0.0, start), min(stop, duration), confidence) for start, stop, confidence in hits]
    return [hit for hit in cut if hit[1] > hit[0]]


def open_questions(questions, rows, places):
    """{path: [question]} of those that are not answered and whose video is there."""
    asked = {}
    for question in questions:
        if question.key not in rows and question.video in places:
            asked.setdefault(places[question.video], []).append(question)
    return asked


def ask(file, asked, folder, options):
    """Asks, and writes the answers as they come. {video: why} of the videos that failed."""
    failed = {}
    texts = {path: list(dict.fromkeys(question.text for question in questions)) for path, questions in asked.items()}
    last_written = time.monotonic()
    try:
        with Asking(folder, options, texts) as asking:
            for path, error, hits in asking.ends():
                if error:
                    failed[asked[path][0].video] = error
                    continue
                for question in asked[path]:
                    found = clipped_hits(hits.get(question.text, []), question.duration)
                    file.add(question.key, file.benchmark.row_of(question, found))
                if time.monotonic() - last_written >= WRITE_EVERY_S:
                    file.write()
                    last_written = time.monotonic()
    finally:
        file.write()
    return failed


def answer(arguments, benchmark, questions):
    """Asks what is open. (rows, missing, failed)."""
    videos = list(dict.fromkeys(question.video for question in questions))
    places = found_in(arguments.videos, videos)
    missing = [video for video in videos if video not in places]
    sentence = missing_sentence(missing, len(videos), arguments.videos)
    file = AnswerFile(benchmark, arguments.out, questions)
    file.refuse_to_replace(arguments.truth, *places.values())
    file.read(say)
    if sentence:
        say(sentence)
    asked = open_questions(questions, file.rows, places)
    if not asked:
        return file.rows, missing, {}
    n_kept = sum(question.key in file.rows for question in questions)
    if n_kept:
        say(f"{n_kept} of {len(questions)} questions are answered in {shown(arguments.out)}: they are not asked again")
    folder = file.path + ".batch"
    keep_settings(folder, arguments, bool(file.rows))
    failed = ask(file, asked, folder, passed_options(arguments))
    if arguments.quiet:  # else vidi-ask has said so
        for video, why in failed.items():
            say(f"{shown(video)}: {why.rstrip('.')}")
    return file.rows, missing, failed


def run(arguments):
    benchmark = SETS[arguments.set]
    questions = without_repeats(benchmark.read_truth(arguments.truth), arguments.truth, say)
    missing, failed = [], {}
    if arguments.score_only is not None:
        file = AnswerFile(benchmark, arguments.score_only, questions)
        file.read(say, must_be_there=True)
        rows = file.rows
    else:
        rows, missing, failed = answer(arguments, benchmark, questions)
    report = Report(arguments.set, benchmark, questions, rows, missing, failed)
    for note in report.notes():
        say(note)
    print(report.as_json() if arguments.json else "\n".join(report.lines()))


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # vidi-ask is ended on the way out
    try:
        run(parse_arguments(sys.argv[1:]))
    except Problem as problem:
        say(problem)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
