#!/usr/bin/env python3
"""Does the product answer as the PyTorch model does? Both watch the clips of FOLDER/truth.json and answer its questions
greedily; the raw texts are compared. Where they differ, the gap between PyTorch's two best logits tells whether it was a tie.

make_clips.py makes such folders. Needs torch, safetensors, sentencepiece and pillow, and Debian's Python with GStreamer's
bindings beside it. --precision is the product's: fp16 and bf16 need --device cuda. --torch-precision fp16 rounds what
every layer gives.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

from product import REPOSITORY

sys.path.append(str(REPOSITORY / "examples/demo/train"))
from trained import Trained  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
HIGHLIGHTS = None  # the query of the second task


def of_product(arguments, file, queries, rate):
    """-> (answers, frames, samples or None)"""
    request = {"file": str(file.resolve()), "model": str(arguments.model.resolve()), "device": arguments.device,
               "precision": arguments.precision, "queries": queries, "rate": rate,
               "converted": arguments.same_input}
    environment = os.environ | {"GST_PLUGIN_PATH": str(arguments.plugin)}
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/answers.npz"
        subprocess.run([arguments.python, HERE / "raw_answers.py", out], input=json.dumps(request), text=True, check=True,
                       env=environment)
        with np.load(out) as found:
            return found["answers"].tolist(), found["frames"], found["samples"] if "samples" in found else None


def round_to_half(model):
    """What layers give is rounded as half precision would; the weights are halves already."""
    for module in model.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.LayerNorm)):
            module.register_forward_hook(lambda _, inputs, output: output.half().float())


def gap_where_they_part(trained, ids, logits, theirs):
    """PyTorch's best logit minus the second at the first token that gives another text."""
    same = 0
    while same < len(ids) - 1 and theirs.startswith(trained.text(ids[:same + 1])):
        same += 1
    best = logits[same].topk(2).values
    return float(best[0] - best[1])


def compare_clip(arguments, trained, rate, clip):
    """-> (equal answers, all answers); prints those that differ"""
    queries = [question["query"] for question in clip["questions"]]
    theirs, frames, samples = of_product(arguments, arguments.folder / clip["file"], queries, rate)
    equal, watched = 0, trained.watch(frames, samples)
    for query, text in zip([*queries, HIGHLIGHTS], theirs, strict=True):
        ids, logits = trained.answer(watched, trained.prompt(query))
        ours = trained.text(ids)
        equal += ours == text
        if ours != text:
            gap = gap_where_they_part(trained, ids, logits, text)
            print(f"{clip['file']}, {query or 'highlights'}: product {text!r}, PyTorch {ours!r}, gap {gap:.3f}")
    return equal, len(theirs)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--model", type=pathlib.Path, default=REPOSITORY / "examples/demo/checkpoint")
    parser.add_argument("--plugin", type=pathlib.Path, default=REPOSITORY / "build/gst", help="the GStreamer plugin's folder")
    parser.add_argument("--python", default="/usr/bin/python3", help="the one with GStreamer's bindings")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--torch-precision", default="fp32", choices=["fp32", "fp16"])
    parser.add_argument("--same-input", action="store_true",
                        help="GStreamer converts colours and sample rate for the product too, so that only the models can differ")
    parser.add_argument("--count", type=int, help="only the first clips")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    trained = Trained(arguments.model)
    if arguments.torch_precision == "fp16":
        round_to_half(trained.model)
    rate = json.loads((arguments.model / "config.json").read_text()).get("vidi_frame_rate", 1)
    equal = answers = 0
    for clip in json.loads((arguments.folder / "truth.json").read_text())[:arguments.count]:
        same, asked = compare_clip(arguments, trained, rate, clip)
        equal, answers = equal + same, answers + asked
        print(f"{clip['file']}: {same} of {asked} equal", file=sys.stderr)
    print(f"{equal} of {answers} answers are equal")


if __name__ == "__main__":
    with torch.no_grad():
        main()
