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
from ranges import clipped
from report import Outcome, Report, listed
from settings import keep_settings
from sets import SETS
from videos import found_in

WRITE_EVERY_S = 1
LENGTH_S, LENGTH_SHARE = 2, 0.05  # a film that differs by more from what the truth says is another cut


def say(sentence):
    print(f"vidi-bench: {sentence}.", file=sys.stderr, flush=True)


def open_questions(questions, rows, places):
    """{path: [question]} of those that are not answered and whose video is there."""
    asked = {}
    for question in questions:
        if question.key not in rows and question.video in places:
            asked.setdefault(places[question.video], []).append(question)
    return asked


def take(file, end, questions, outcome):
    """The end of one video into the file of answers, or into what is said of it."""
    video, stated = questions[0].video, questions[0].duration
    if end.error:
        outcome.failed[video] = end.error
        return
    if end.duration and abs(end.duration - stated) > max(LENGTH_S, LENGTH_SHARE * stated):
        outcome.other_lengths[video] = (end.duration, stated)
    for question in questions:
        hits = [hit for hit in clipped(end.hits.get(question.text, []), question.duration) if hit[1] > hit[0]]
        file.add(question.key, file.benchmark.row_of(question, hits))


def ask(file, asked, folder, options, outcome):
    """Asks, and writes the answers as they come."""
    texts = {path: list(dict.fromkeys(question.text for question in questions)) for path, questions in asked.items()}
    last_written = time.monotonic()
    try:
        with Asking(folder, options, texts) as asking:
            for end in asking.ends():
                take(file, end, asked[end.path], outcome)
                if time.monotonic() - last_written >= WRITE_EVERY_S:
                    file.write()
                    last_written = time.monotonic()
    finally:
        file.write()


def find(folder, questions):
    """{identifier: path} of the videos that are there; what is missing is said, and so is what is there twice."""
    videos = list(dict.fromkeys(question.video for question in questions))
    places, repeated = found_in(folder, videos)
    missing = [video for video in videos if video not in places]
    if len(missing) == len(videos):
        raise Problem(f"none of the {len(videos)} videos is in {shown(folder)}: expected files named by their identifiers, "
                      f"such as {shown(videos[0])}.mp4")
    if repeated:
        say(f"{listed(repeated)} in {shown(folder)} more than once: the first one counts, .mp4 before other endings")
    return places, missing


def answer(arguments, benchmark, questions):
    """Asks what is open. (rows, outcome)."""
    file = AnswerFile(benchmark, arguments.out, questions)
    places, missing = find(arguments.videos, questions)
    file.refuse_to_replace(arguments.truth, *places.values())
    file.read(say)
    outcome = Outcome(missing)
    if missing:
        say(f"{len(missing)} of {len(places) + len(missing)} videos are not in {shown(arguments.videos)}: {listed(missing)}")
    asked = open_questions(questions, file.rows, places)
    if not asked:
        return file.rows, outcome
    n_kept = sum(question.key in file.rows for question in questions)
    if n_kept:
        say(f"{n_kept} of {len(questions)} questions are answered in {shown(arguments.out)}: they are not asked again")
    folder = file.path + ".batch"
    keep_settings(folder, arguments, bool(file.rows))
    ask(file, asked, folder, passed_options(arguments), outcome)
    if arguments.quiet:  # else vidi-ask has said so
        for video, why in outcome.failed.items():
            say(f"{shown(video)}: {why.rstrip('.')}")
    return file.rows, outcome


def run(arguments):
    benchmark = SETS[arguments.set]
    questions = without_repeats(benchmark.read_truth(arguments.truth), arguments.truth, say)
    outcome = Outcome()
    if arguments.score_only is not None:
        file = AnswerFile(benchmark, arguments.score_only, questions)
        file.read(say, must_be_there=True)
        rows = file.rows
    else:
        rows, outcome = answer(arguments, benchmark, questions)
    report = Report(arguments.set, benchmark, questions, rows, outcome)
    for note in report.notes():
        say(note)
    print(report.as_json() if arguments.json else "\n".join(report.lines()), flush=True)


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # vidi-ask is ended on the way out
    try:
        run(parse_arguments(sys.argv[1:]))
    except Problem as problem:
        say(problem)
        return 1
    except OSError as error:
        say(f"{shown(error.filename or 'stdout')}: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what could not be written is not tried again
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
