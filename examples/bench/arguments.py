"""The command line of vidi-bench."""
import argparse

from sets import SETS
from version import VERSION

USAGE = """vidi-bench SET --truth FILE --videos DIR --out FILE [OPTION...]
       vidi-bench SET --truth FILE --score-only FILE"""

SUMMARY = """Asks a Vidi model the questions of a public benchmark and scores the answers.

  vidi-bench vue-tr --truth VUE-TR.json --videos VIDEOS --model Vidi1.5-9B --out answers.json --window 0
  vidi-bench qvhighlights --truth highlight_val_release.jsonl --videos VIDEOS --out answers.jsonl
  vidi-bench timelens --truth charades-timelens.json --score-only answers.json"""

DESCRIPTION = """The truth and the videos are yours: none comes with this program. A video is found by its identifier, in the
folder or those in it, with any usual ending. All questions about a video are asked at once. Started again with the same --out it
goes on: what is answered there is not asked again. Scores are percent: of all questions, where one that was not answered counts
as an empty answer, and of the answered ones alone. Exit status: 0 there is a score, also where videos are missing or broken, 1
there is none, 2 the command line was not understood."""

# Handed to vidi-ask as they are, which checks them.
PASSED = [("model", "DIR", "Checkpoint folder (default: VIDI_MODEL, else the small demo model)"),
          ("window", "SECONDS", "Length of what the model sees at once (default 60; 0 = the whole video)"),
          ("stride", "SECONDS", "From one window's start to the next's (default: half the window)"),
          ("rate", "N", "Pictures a second that the model sees (default: the checkpoint's own, else 1)"),
          ("device", "NAME", "auto, cpu, cuda, cuda:1, several (cuda:0,cuda:1) or cuda:all"),
          ("precision", "NAME", "auto, fp32, fp16 or bf16"),
          ("weights", "NAME", "native, int8 or auto"),
          ("keys", "NAME", "native, int8 or auto"),
          ("memory-limit", "BYTES", "Most that the model may take of its device, such as 24GB"),
          ("jobs", "N", "Videos at once in front of the model (default 2)"),
          ("timeout", "SECONDS", "A video that takes longer has failed (default: none)")]
NOT_OF_ANSWERS = {"jobs", "timeout"}  # with any of these the answers are the same


class Parser(argparse.ArgumentParser):
    def format_help(self):
        return super().format_help().replace("usage: ", "Usage: ", 1)

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help.\n")


def parser():
    made = Parser(prog="vidi-bench", usage=USAGE, description=SUMMARY, epilog=DESCRIPTION, allow_abbrev=False, add_help=False,
                  formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("set", metavar="SET", choices=list(SETS), help=", ".join(SETS))
    options = made.add_argument_group("options")
    options.add_argument("--truth", metavar="FILE", required=True, help="The set's own file of questions and true times")
    options.add_argument("--videos", metavar="DIR", help="Folder of the videos")
    options.add_argument("--out", metavar="FILE", help="The answers, in the set's own form; what vidi-ask writes goes to FILE.batch")
    options.add_argument("--score-only", metavar="FILE", help="Score these answers and ask nothing")
    for name, value, text in PASSED:
        options.add_argument("--" + name, metavar=value, help=text)
    options.add_argument("--retry-failed", action="store_true", help="Try videos again that could not be watched in an earlier run")
    options.add_argument("--json", action="store_true", help="One JSON object on stdout instead of the table, scores from 0 to 1")
    options.add_argument("--quiet", action="store_true", help="No progress on stderr")
    options.add_argument("--version", action="version", version=f"vidi-bench (vidifilter) {VERSION}", help="Print the version")
    options.add_argument("--help", action="help", help="Print this")
    return made


def parse_arguments(words):
    made = parser()
    arguments = made.parse_args(words)
    if arguments.score_only is not None:
        if arguments.videos is not None or arguments.out is not None:
            made.error("--score-only asks nothing: expected neither --videos nor --out beside it")
    elif arguments.videos is None or arguments.out is None:
        made.error("expected --videos DIR and --out FILE, or --score-only FILE")
    return arguments


def passed_options(arguments):
    """Those that were given, as vidi-ask takes them."""
    given = {name: getattr(arguments, name.replace("-", "_")) for name, _, _ in PASSED}
    flags = [f"--{name}" for name in ("retry-failed", "quiet") if getattr(arguments, name.replace("-", "_"))]
    return [word for name, value in given.items() if value is not None for word in (f"--{name}", value)] + flags
