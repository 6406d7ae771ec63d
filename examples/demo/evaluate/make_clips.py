#!/usr/bin/env python3
"""Makes held-out clips, clip000.mp4 ..., and truth.json: what evaluate.py needs to tell how well the product does.

Everything random comes from --seed: the same bank and seed give the same clips, but for the date that the muxer writes
into them. --unseen draws emoji and asks with wordings that training left out. Needs, on Debian: python3-numpy python3-pil
fonts-noto-color-emoji gstreamer1.0-tools gstreamer1.0-libav and the -base, -good, -bad and -ugly plugins, and bank.npz,
which ../train builds.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import wave

import numpy as np

from held_out import Bank
from pictures import Painter
from questions import Questioner
from scenario import SHAPES, Planner
from sound import RATE, Soundtrack

ENCODER_DELAY_S = 1024 / 48000  # of avenc_aac, which the file does not tell


def write_wav(path, samples):
    """Ahead by the encoder's delay, so that what a player plays is at its true time."""
    early = round(ENCODER_DELAY_S * RATE)
    samples = np.concatenate([samples[early:], np.zeros(early, samples.dtype)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def launch_line(plan, wav, target):
    """RGB pictures from stdin and the sound in `wav` (None: no audio track), as H.264 and AAC."""
    width, height = SHAPES[plan.shape][0]
    wait = ["queue", "max-size-time=0", "max-size-bytes=0", "max-size-buffers=0"]
    line = ["gst-launch-1.0", "-q", "fdsrc", "fd=0", f"blocksize={width * height * 3}", "!", "rawvideoparse", "format=rgb",
            f"width={width}", f"height={height}", f"framerate={plan.fps}/1", "!", "videoconvert", "!",
            "video/x-raw,format=I420", "!", "x264enc", f"bitrate={plan.options['kilobits']}", "speed-preset=veryfast",
            f"key-int-max={4 * plan.fps}", "threads=1", "!", "video/x-h264,profile=main", "!", "h264parse", "!", *wait, "!",
            "mp4mux", "faststart=true", "name=mux", "!", "filesink", f"location={target}"]
    if wav:
        line += ["filesrc", f"location={wav}", "!", "wavparse", "!", "audioconvert", "!", "audioresample", "!",
                 "audio/x-raw,rate=48000,channels=2", "!", "avenc_aac", "bitrate=96000", "!", *wait, "!", "mux."]
    return line


def encode(plan, painter, track, target):
    with tempfile.TemporaryDirectory() as folder:
        wav = pathlib.Path(folder) / "sound.wav"
        if track is not None:
            write_wav(wav, track)
        line = launch_line(plan, wav if track is not None else None, target)
        encoder = subprocess.Popen(line, stdin=subprocess.PIPE)
        for n in range(plan.frames):
            encoder.stdin.write(painter.frame(n))
        encoder.stdin.close()
        if encoder.wait() != 0:
            sys.exit(f"{target}: the encoder failed")


def make_clip(number, target, bank, planner, arguments):
    """Writes the file; returns its entry for truth.json."""
    rng = random.Random(f"{arguments.seed}/{number}")
    plan = planner.plan(rng, whole_seconds=number % 2 == 0)
    soundtrack = Soundtrack(plan, bank, rng, arguments.classes)
    painter = Painter(plan, rng, bank.backgrounds())
    asker = Questioner(plan, soundtrack, rng, arguments.classes, arguments.unseen)
    entry = {"file": target.name, "duration": plan.duration, "background": painter.background_names(),
             "whole_seconds": plan.whole_seconds, "questions": asker.all(), "events": asker.events(),
             "aspect": plan.shape, "pictures_per_second": plan.fps, "sound": soundtrack.bed or soundtrack.kind,
             "undecided": soundtrack.undecided(), **plan.options}
    encode(plan, painter, soundtrack.track, target)
    return entry


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="OUT_FOLDER")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--bank", type=pathlib.Path, default=pathlib.Path("bank.npz"))
    parser.add_argument("--unseen", action="store_true", help="emoji and wordings that training left out, in half the cases")
    parser.add_argument("--classes", type=lambda text: {name.strip() for name in text.split(",")},
                        help="only these, for example \"dog,cat,saying goal,a bell\"")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    bank = Bank(arguments.bank)
    planner = Planner(bank, arguments.classes, arguments.unseen)
    truth = []
    for number in range(arguments.count):
        target = arguments.folder / f"clip{number:03}.mp4"
        truth.append(make_clip(number, target, bank, planner, arguments))
        print(f"{target.name}: {truth[-1]['duration']:.0f} s, {len(truth[-1]['questions'])} questions", file=sys.stderr)
    (arguments.folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
