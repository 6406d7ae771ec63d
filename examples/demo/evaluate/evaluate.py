#!/usr/bin/env python3
"""How well does the product do on clips whose truth is known? Runs vidi-ask on every clip of FOLDER/truth.json and
prints tables. Every clip is watched twice, with the program's defaults: for all questions together, and for highlights.

make_clips.py makes such folders. Needs no Python package.
"""
import argparse
import json
import pathlib
import sys

import metrics
import report
from product import REPOSITORY, Product


def answer(question, clip, found):
    """A question with what was found; old truth files lack some keys."""
    ranges = [tuple(r) for r in question["ranges"]]
    return {"kind": question["kind"].split()[0], "query": question["query"], "ranges": ranges, "found": found,
            "iou": metrics.temporal_iou(found, ranges), "duration": clip["duration"], "whole_seconds": clip["whole_seconds"],
            "absent": question.get("absent", "world"), "wording": question.get("wording", "seen"),
            "glyphs": question.get("glyphs", "seen"), "heard": question.get("heard"), "about": question.get("about")}


def evaluate_clip(product, folder, clip, questions_only):
    file = folder / clip["file"]
    found, ask_seconds = product.ask(file, [q["query"] for q in clip["questions"]])
    events, highlight_seconds = ([], 0) if questions_only else product.highlights(file)
    events = [event for event in events if event[2] not in clip.get("undecided", [])]
    true_labels, found_labels = ({label for _, _, label in some} for some in (clip["events"], events))
    return {"file": clip["file"], "duration": clip["duration"], "background": clip["background"],
            "answers": [answer(q, clip, found[q["query"]]) for q in clip["questions"]],
            "events": clip["events"], "highlights": events, "match": metrics.highlight_match(events, clip["events"]),
            "missing": len(true_labels - found_labels), "invented": len(found_labels - true_labels),
            "ask_seconds": ask_seconds, "highlight_seconds": highlight_seconds}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--vidi-ask", type=pathlib.Path, default=REPOSITORY / "build/examples/vidi-ask")
    parser.add_argument("--model", type=pathlib.Path, default=REPOSITORY / "examples/demo/checkpoint")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--questions-only", action="store_true", help="leaves the highlights out")
    parser.add_argument("--json", type=pathlib.Path, metavar="OUT", help="every answer, to look into or to compare")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    product = Product(arguments.vidi_ask, arguments.model, arguments.precision, arguments.device)
    clips = []
    for clip in json.loads((arguments.folder / "truth.json").read_text()):
        clips.append(evaluate_clip(product, arguments.folder, clip, arguments.questions_only))
        mean_iou = metrics.mean(a["iou"] for a in clips[-1]["answers"])
        print(f"{clip['file']}: {mean_iou:.2f}, highlights {clips[-1]['match']:.2f}", file=sys.stderr)
    print(report.all_tables(clips))
    if arguments.json:
        arguments.json.write_text(json.dumps(clips, indent=1) + "\n")


if __name__ == "__main__":
    main()
