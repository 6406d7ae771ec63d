#!/usr/bin/env python3
"""evaluate.py's tables for one or more checkpoints without the product, in PyTorch: to choose among candidates that share an eye; what is chosen goes through evaluate.py,
which is as fast for one checkpoint.

usage: candidates.py CHECKPOINT [CHECKPOINT ...] --clips FOLDER [FOLDER ...] [--questions-only] [--json OUT]

Needs ffmpeg, torch, numpy, pillow, safetensors, sentencepiece. Windows, pictures and merging are as vidi-ask has them by default: 60 s every 30 s, the
pictures nearest to half seconds, hits up to a second apart are one. What the eye says is kept for the next checkpoint with the same eye.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
import torch

import metrics
import report
from evaluate import answer

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "train"))
from reader import Reader  # noqa: E402
from trained import MOST_TOKENS, Trained  # noqa: E402

WINDOW_S, STRIDE_S, GAP_S, RATE, HERTZ = 60, 30, 1.0, 2, 16000
HIT = re.compile(r"([01]\.\d+)-([01]\.\d+)([^,]*)")


def output_of(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True).stdout


def decode(file):
    """-> (frames [N, H, W, 3] nearest to every half second, int16 samples or None, seconds)"""
    about = json.loads(output_of("ffprobe", "-v", "error", "-show_streams", "-of", "json", file))["streams"]
    video = next(s for s in about if s["codec_type"] == "video")
    width, height = video["width"], video["height"]
    top, bottom = map(int, video["r_frame_rate"].split("/"))
    raw = output_of("ffmpeg", "-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-")
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    duration = len(frames) * bottom / top
    at = np.arange(int(np.ceil(duration * RATE - 1e-6))) / RATE * top / bottom
    frames = frames[np.minimum(np.ceil(at - 0.5 - 1e-6).astype(int), len(frames) - 1)]
    if not any(s["codec_type"] == "audio" for s in about):
        return frames, None, duration
    samples = np.frombuffer(output_of("ffmpeg", "-v", "error", "-i", file, "-ac", "1", "-ar", HERTZ, "-f", "s16le", "-"), np.int16).copy()
    return frames, samples[:round(duration * HERTZ)], duration


def windows(duration):
    """[(start, stop)]; the last one ends with the clip."""
    found = [(0.0, min(duration, WINDOW_S))]
    while found[-1][1] < duration - 1e-6:
        found.append((found[-1][0] + STRIDE_S, min(duration, found[-1][0] + STRIDE_S + WINDOW_S)))
    return found


class Clips:
    """Decoded once: small pictures, samples and what an eye made of the pictures."""

    def __init__(self):
        self.kept, self.seen = {}, {}

    def windows(self, trained, file):
        """[(start, stop, pixels, samples)]"""
        if file not in self.kept:
            frames, samples, duration = decode(file)
            pixels = trained.pixels(frames).half()
            self.kept[file] = [(a, b, pixels[round(a * RATE):int(np.ceil(b * RATE - 1e-6))],
                                None if samples is None else samples[round(a * HERTZ):round(b * HERTZ)]) for a, b in windows(duration)]
        return self.kept[file]

    def watch(self, trained, eye, file):
        """[(start, stop, what answers need)]"""
        found = []
        for start, stop, pixels, samples in self.windows(trained, file):
            key = (eye, file, start)
            if key not in self.seen:
                self.seen[key] = trained.model.see(pixels.float(), len(pixels))
            deaf = samples is None or len(samples) < 2 * trained.model.sizes.audio_pool * 320
            audio = torch.zeros(1, 2, trained.model.sizes.hidden) if deaf else trained.listen(samples)
            found.append((start, stop, (*trained.model.encode(trained.model.place_frames(self.seen[key]), audio), 0.0 if deaf else 1.0)))
        return found


def hits(text, start, stop):
    """[(from, to, label)] in seconds"""
    return [(start + float(a) * (stop - start), start + float(b) * (stop - start), label.strip()) for a, b, label in HIT.findall(text)]


def merged(found):
    """Of one question: [(start, stop, label)] -> the same with those of a label joined that are close."""
    joined = []
    for label in sorted({h[2] for h in found}):
        joined += [(a, b, label) for a, b in metrics.close_gaps([h[:2] for h in found if h[2] == label], GAP_S)]
    return sorted(joined)


def evaluate_clip(trained, eye, clips, folder, clip, questions_only):
    asked = [q["query"] for q in clip["questions"]]
    prompts = [trained.prompt(query) for query in asked] + ([] if questions_only else [trained.prompt(None)])
    found = [[] for _ in prompts]
    for start, stop, watched in clips.watch(trained, eye, folder / clip["file"]):
        for mine, ids in zip(found, Reader(trained.model, watched, MOST_TOKENS).answers(prompts)):
            mine += hits(trained.text(ids), start, stop)
    found = [merged(f) for f in found]
    events = [] if questions_only else [e for e in found[-1] if e[2] not in clip.get("undecided", [])]
    true_labels, labels = ({e[2] for e in some} for some in (clip["events"], events))
    return {"file": clip["file"], "duration": clip["duration"], "background": clip["background"],
            "answers": [answer(q, clip, [f[:2] for f in mine]) for q, mine in zip(clip["questions"], found)], "events": clip["events"],
            "highlights": events, "match": metrics.highlight_match(events, clip["events"]),
            "missing": len(true_labels - labels), "invented": len(labels - true_labels)}


def tables(clips):
    answers = [a for clip in clips for a in clip["answers"]]
    parts = [report.present_table(answers), report.absent_table(answers), report.heard_table(answers), report.highlight_table(clips)[:2]]
    return "\n\n".join("\n".join(part) for part in parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", type=pathlib.Path)
    parser.add_argument("--clips", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--questions-only", action="store_true", help="leaves the highlights out")
    parser.add_argument("--json", type=pathlib.Path, metavar="OUT", help="every answer: {checkpoint: {folder: clips}}")
    arguments = parser.parse_args()
    everything = {}
    for folder in arguments.clips:
        clips = Clips()
        for checkpoint in arguments.checkpoints:
            trained, began = Trained(checkpoint), time.monotonic()
            eye = hash(tuple(float(t.double().sum()) for n, t in trained.model.state_dict().items() if n.startswith(("model.mm_vis", "model.mm_rand_img"))))
            with torch.no_grad():
                found = [evaluate_clip(trained, eye, clips, folder, clip, arguments.questions_only) for clip in json.loads((folder / "truth.json").read_text())]
            print(f"\n== {checkpoint} on {folder}, {time.monotonic() - began:.0f} s\n{tables(found)}", flush=True)
            everything.setdefault(str(checkpoint), {})[str(folder)] = found
            if arguments.json:
                arguments.json.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
