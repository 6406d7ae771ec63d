#!/usr/bin/env python3
"""Makes clip.mp4 and truth.json, the 40 s clip that the quick start watches.

usage: make_clip.py [FOLDER]   (default: the folder of this script)

A room where a phone shows up, a park where someone says "goal" and a dog comes by, a street where a car hoots, a stage with
a trophy and applause. Needs, on Debian: python3-numpy python3-pil python3-scipy fonts-noto-color-emoji espeak-ng
gstreamer1.0-tools gstreamer1.0-libav and the -base, -good, -bad and -ugly plugins. Nothing else in this repository needs
this script: the clip lies beside it.
"""
import dataclasses
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import wave

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.signal import resample_poly

import clip_scenes
from clip_scenes import HEIGHT, SCALE, WIDTH

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "train"))
import bank_sounds  # noqa: E402

SECONDS, FPS = 40, 25
SAMPLE_RATE = 48000
ENCODER_DELAY = 1024  # samples that avenc_aac puts before the sound, which the file does not tell
EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
SCENES = [(0, clip_scenes.Room), (9.5, clip_scenes.Park), (17, clip_scenes.Street), (26.5, clip_scenes.Stage)]
CROSS_FADE_S, BLACK_S = 0.8, 0.5
ARRIVAL_S = 0.24  # a thing is there in full at its start and gone at its stop


@dataclasses.dataclass
class Thing:
    """What is seen: an emoji of `size` from one second to another, standing at (x, ground) and moving gently."""
    name: str
    emoji: str
    start: float
    stop: float
    size: float
    x: float
    ground: float
    comes_from: tuple  # relative to its place
    hops: float = 0  # high, for one that runs or rolls
    turns: float = 3  # degrees
    drift: float = 5
    lifted: float = 0  # above its shadow


THINGS = [
    Thing("phone", "\U0001F4F1", 4, 9, 158, 462, 292, (0, 30), turns=5, lifted=14),
    Thing("dog", "\U0001F415", 12, 16, 150, 262, 322, (-60, 0), hops=3, drift=12),
    Thing("car", "\U0001F697", 20, 24, 172, 318, 330, (150, 0), hops=1.5, turns=0.8, drift=30),
    Thing("trophy", "\U0001F3C6", 29, 35, 150, 320, 212, (0, -24), turns=2, drift=0),
]
# What is heard: a word or a sound, from one second to about another.
GOAL_FROM, GOAL_TO, GOAL_PAUSE = 9.5, 13.0, 0.25
GOAL_VOICE = ["-v", "en-us", "-s", "150", "-p", "50", "-a", "160"]
HORN_AT = (20.5, 21.4, 22.3)
APPLAUSE_FROM, APPLAUSE_TO = 31.0, 36.0


# ---- Picture ----

class Sprite:
    """A thing as it is drawn on a scene's painting."""

    def __init__(self, thing):
        self.thing, self.image = thing, emoji(thing.emoji, thing.size * SCALE)
        w, h = round(0.9 * self.image.width), round(0.13 * self.image.width)
        self.shadow = Image.new("L", (2 * w, 5 * h))
        ImageDraw.Draw(self.shadow).ellipse((w // 2, 2 * h, w // 2 + w, 3 * h), fill=115)
        self.shadow = self.shadow.filter(ImageFilter.GaussianBlur(0.45 * h))

    def presence(self, t):
        """0..1: how much of it is there; it comes before its start and goes before its stop."""
        share = min((t - self.thing.start) / ARRIVAL_S + 1, (self.thing.stop - t) / ARRIVAL_S, 1)
        return max(0, share) ** 2 * (3 - 2 * max(0, share))

    def draw(self, picture, t):
        thing, here = self.thing, self.presence(t)
        if here == 0:
            return
        away = (1 - here) * (1 if t < (thing.start + thing.stop) / 2 else -1)
        x = thing.x + thing.comes_from[0] * away + thing.drift * math.sin(0.9 * (t - thing.start) - 0.8)
        y = thing.ground + thing.comes_from[1] * abs(away)
        up = thing.lifted + thing.hops * abs(math.sin(5 * t)) + 2.5 * math.sin(1.7 * t) * (thing.lifted > 0)
        turned = self.image.rotate(thing.turns * math.sin(1.3 * t), Image.BICUBIC, expand=True)
        turned.putalpha(turned.getchannel("A").point(lambda a: round(a * here)))
        cx, ground = clip_scenes.place(x, y)
        shadow = self.shadow.point(lambda a: round(a * here * (1 - up / 90)))
        picture.paste((20, 16, 30), (round(cx - shadow.width / 2), round(ground - shadow.height / 2)), shadow)
        bottom = ground - up * SCALE + (turned.height - self.image.height) / 2
        picture.paste(turned, (round(cx - turned.width / 2), round(bottom - turned.height)), turned)


def emoji(character, size):
    """The emoji, its longer side `size` pixels."""
    font = ImageFont.truetype(EMOJI_FONT, 109)
    image = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(image).text((10, 10), character, font=font, embedded_color=True)
    image = image.crop(image.getbbox())
    scale = size / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS)


class Film:
    def __init__(self):
        starts = [start for start, _ in SCENES] + [SECONDS]
        self.shots = [(start, stop, scene()) for (start, scene), stop in zip(SCENES, starts[1:])]
        self.sprites = [Sprite(thing) for thing in THINGS]

    def shot(self, number, t):
        start, stop, scene = self.shots[number]
        picture = scene.paint(t)
        for sprite in self.sprites:
            if start <= sprite.thing.start < stop:
                sprite.draw(picture, t)
        return clip_scenes.camera(picture, (t - start) / (stop - start))

    def frame(self, n):
        t = n / FPS
        number = max(i for i, (start, _, _) in enumerate(self.shots) if t >= start - CROSS_FADE_S / 2 or i == 0)
        picture = self.shot(number, t)
        fade = (t - self.shots[number][0]) / CROSS_FADE_S + 0.5
        if number and fade < 1:
            picture = Image.blend(self.shot(number - 1, t), picture, fade)
        light = min(1, (t + 0.1) / BLACK_S, (SECONDS - t) / BLACK_S)
        return Image.blend(Image.new("RGB", picture.size), picture, light).tobytes()


# ---- Sound ----

def peak(samples, level):
    return (samples * (level / np.abs(samples).max())).astype(np.float32)


def speak(word):
    """The word, silence around it cut off."""
    said = subprocess.run(["espeak-ng", *GOAL_VOICE, "--stdout", word], check=True, capture_output=True).stdout
    rate, samples = int.from_bytes(said[24:28], "little"), np.frombuffer(said[44:], "<i2") / 32768
    samples = resample_poly(samples, SAMPLE_RATE, rate)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return peak(samples[loud[0]:loud[-1] + 1], 0.9)


def synthesised(name, seed, height, kind):
    """A sound of the demonstration model's world."""
    samples = bank_sounds.RECIPES[name](np.random.default_rng(seed), height, kind)
    return peak(resample_poly(samples, SAMPLE_RATE, bank_sounds.RATE), 0.7)


def applause(duration):
    """Many people clap; the sound swells and dies away. Short recordings overlap, so that no seam is heard."""
    track = np.zeros(round(duration * SAMPLE_RATE), np.float32)
    at, number = 0, 0
    while at < len(track):
        clapping = synthesised("clapping", number, (0.3, 0.6, 0.45)[number % 3], 1)[:len(track) - at]
        track[at:at + len(clapping)] += clapping
        at, number = at + round(0.6 * SAMPLE_RATE), number + 1
    t = np.arange(len(track)) / SAMPLE_RATE
    return peak(track, 0.75) * np.clip(t / 0.15, 0, 1) * np.clip((duration - t) / 0.4, 0, 1)


class Soundtrack:
    def __init__(self):
        self.samples, self.heard = np.zeros(SECONDS * SAMPLE_RATE, np.float32), {}
        word, at = speak("goal"), GOAL_FROM
        while at + len(word) / SAMPLE_RATE <= GOAL_TO:
            at = self.add("saying goal", at, word) + GOAL_PAUSE
        for at in HORN_AT:
            self.add("a horn", at, synthesised("a horn", 4, 0.55, 1))
        self.add("clapping", APPLAUSE_FROM, applause(APPLAUSE_TO - APPLAUSE_FROM))

    def add(self, name, start, samples):
        """Returns where it stops, in seconds."""
        first = round(start * SAMPLE_RATE)
        self.samples[first:first + len(samples)] += samples
        stop = round(start + len(samples) / SAMPLE_RATE, 3)
        self.heard[name] = [self.heard.get(name, [start])[0], stop]
        return stop

    def write(self, path):
        """Ahead by the encoder's delay, so that what a player plays is at its true time."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            ahead = np.append(self.samples[ENCODER_DELAY:], np.zeros(ENCODER_DELAY, np.float32))
            file.writeframes((ahead * 32767).astype("<i2").tobytes())


# ---- Files ----

def encode(wav, target):
    """Frames from the returned pipe and the sound in `wav`, as H.264 and AAC."""
    return subprocess.Popen(
        ["gst-launch-1.0", "-q", "fdsrc", "fd=0", f"blocksize={WIDTH * HEIGHT * 3}", "!", "rawvideoparse", "format=rgb",
         f"width={WIDTH}", f"height={HEIGHT}", f"framerate={FPS}/1", "!", "videoconvert", "!", "video/x-raw,format=I420",
         "!", "x264enc", "pass=qual", "quantizer=23", "speed-preset=slow", f"key-int-max={2 * FPS}", "threads=1", "!",
         "video/x-h264,profile=main", "!", "h264parse", "!", "queue", "max-size-time=0", "max-size-bytes=0",
         "max-size-buffers=0", "!", "mp4mux", "faststart=true", "name=mux", "!", "filesink", f"location={target}",
         "filesrc", f"location={wav}", "!", "wavparse", "!", "audioconvert", "!", "avenc_aac", "bitrate=64000", "!",
         "queue", "max-size-time=0", "max-size-bytes=0", "max-size-buffers=0", "!", "mux."], stdin=subprocess.PIPE)


def truth(heard):
    def question(kind, query, *ranges):
        return {"kind": kind, "query": query, "ranges": [list(r) for r in ranges]}

    seen = {thing.name: [float(thing.start), float(thing.stop)] for thing in THINGS}
    asked = [("someone saying goal", "saying goal"), ("a car horn", "a horn"), ("applause", "clapping")]
    both = [max(a) if i == 0 else min(a) for i, a in enumerate(zip(seen["car"], heard["a horn"]))]
    absent = ["a cat", "a guitar", "someone saying fire", "a siren"]
    return [{
        "file": "clip.mp4",
        "duration": SECONDS,
        "background": "room+park+street+stage",
        "whole_seconds": True,
        "questions": [question("visual", f"a {name}", seen[name]) for name in seen] +
                     [question("audio", query, heard[name]) for query, name in asked] +
                     [question("both", "a car while a car horn", both)] +
                     [question("absent", query) for query in absent],
        "events": sorted([*when, name] for name, when in {**seen, **heard}.items()),
    }]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    film, soundtrack = Film(), Soundtrack()
    with tempfile.TemporaryDirectory() as temporary:
        wav = pathlib.Path(temporary) / "sound.wav"
        soundtrack.write(wav)
        encoder = encode(wav, folder / "clip.mp4")
        for n in range(SECONDS * FPS):
            encoder.stdin.write(film.frame(n))
        encoder.stdin.close()
        if encoder.wait() != 0:
            sys.exit("the encoder failed")
    (folder / "truth.json").write_text(json.dumps(truth(soundtrack.heard), indent=1) + "\n")


if __name__ == "__main__":
    main()
