#!/usr/bin/env python3
"""Makes clip.mp4 and truth.json, the 20 s clip that the quick start watches.

usage: make_clip.py [FOLDER]   (default: the folder of this script)

A phone and a dog move a little over a slowly changing gradient, and a voice says "goal". Needs, on Debian:
python3-pil fonts-noto-color-emoji espeak-ng gstreamer1.0-tools gstreamer1.0-libav and the -base, -good, -bad and -ugly
plugins. Nothing else in this repository needs this script: the clip lies beside it.
"""
import array
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import wave

from PIL import Image, ImageDraw, ImageFont

SECONDS, FPS, WIDTH, HEIGHT = 20, 25, 640, 360
SAMPLE_RATE = 48000
EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

# What is seen: emoji, from and to in seconds, centre as a share of the picture.
SPRITES = {
    "phone": ("\U0001F4F1", 4, 9, (0.36, 0.50)),
    "dog": ("\U0001F415", 12, 16, (0.62, 0.52)),
}
# What is heard: a word from one second to about another, with pauses.
WORD, WORD_FROM, WORD_TO, PAUSE = "goal", 9.5, 13.0, 0.25
WORD_VOICE = ["-v", "en-us", "-s", "150", "-p", "50", "-a", "160"]


def fit(character, size):
    """The emoji, its longer side `size` pixels."""
    font = ImageFont.truetype(EMOJI_FONT, 109)
    image = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(image).text((10, 10), character, font=font, embedded_color=True)
    image = image.crop(image.getbbox())
    scale = size / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS)


def background(t):
    """A gradient between two colours that turn slowly; computed small, then enlarged."""
    small = Image.new("RGB", (16, 9))
    for x in range(16):
        for y in range(9):
            w = (x / 15 + y / 8) / 2 + 0.1 * math.sin(0.3 * t)
            small.putpixel((x, y), (round(60 + 70 * w), round(100 + 60 * (1 - w)), round(140 + 50 * w)))
    return small.resize((WIDTH, HEIGHT), Image.BICUBIC)


def frame(sprites, n):
    t = n / FPS
    picture = background(t)
    for sprite, start, stop, (x, y) in sprites:
        if start * FPS <= n < stop * FPS:  # whole frames: the edges are exact
            turned = sprite.rotate(6 * math.sin(1.3 * t), Image.BICUBIC, expand=True)
            left = x * WIDTH + 14 * math.sin(0.9 * t) - turned.width / 2
            top = y * HEIGHT + 8 * math.cos(1.1 * t) - turned.height / 2
            picture.paste(turned, (round(left), round(top)), turned)
    return picture.tobytes()


def speak(word, folder):
    """The word as 48 kHz mono samples, silence around it cut off."""
    spoken, resampled = folder / "word.wav", folder / "word48.wav"
    subprocess.run(["espeak-ng", *WORD_VOICE, "-w", spoken, word], check=True)
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={spoken}", "!", "wavparse", "!", "audioconvert", "!",
                    "audioresample", "quality=10", "!", f"audio/x-raw,format=S16LE,rate={SAMPLE_RATE},channels=1", "!",
                    "wavenc", "!", "filesink", f"location={resampled}"], check=True)
    with wave.open(str(resampled)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    loud = [i for i, sample in enumerate(samples) if abs(sample) > 300]
    return samples[loud[0]:loud[-1] + 1]


def soundtrack(word):
    """Silence with the word in it again and again; also when the first starts and the last stops, in seconds."""
    track = array.array("h", bytes(2 * SECONDS * SAMPLE_RATE))
    at = round(WORD_FROM * SAMPLE_RATE)
    while at + len(word) <= WORD_TO * SAMPLE_RATE:
        track[at:at + len(word)] = word
        stop = at + len(word)
        at = stop + round(PAUSE * SAMPLE_RATE)
    return track, [WORD_FROM, round(stop / SAMPLE_RATE, 3)]


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())


def encode(wav, target):
    """Frames from the returned pipe and the sound in `wav`, as H.264 and AAC."""
    return subprocess.Popen(
        ["gst-launch-1.0", "-q", "fdsrc", "fd=0", f"blocksize={WIDTH * HEIGHT * 3}", "!", "rawvideoparse", "format=rgb",
         f"width={WIDTH}", f"height={HEIGHT}", f"framerate={FPS}/1", "!", "videoconvert", "!", "video/x-raw,format=I420",
         "!", "x264enc", "pass=qual", "quantizer=23", "speed-preset=slow", f"key-int-max={2 * FPS}", "threads=1", "!",
         "video/x-h264,profile=main", "!", "h264parse", "!", "queue", "max-size-time=0", "max-size-bytes=0",
         "max-size-buffers=0", "!", "mp4mux", "faststart=true", "name=mux", "!", "filesink", f"location={target}",
         "filesrc", f"location={wav}", "!", "wavparse", "!", "audioconvert", "!", "avenc_aac", "bitrate=64000", "!",
         "queue", "!", "mux."], stdin=subprocess.PIPE)


def truth(heard):
    def question(kind, query, *ranges):
        return {"kind": kind, "query": query, "ranges": [list(r) for r in ranges]}

    seen = {name: [float(start), float(stop)] for name, (_, start, stop, _) in SPRITES.items()}
    events = [[*seen[name], name] for name in SPRITES] + [[*heard, f"saying {WORD}"]]
    return [{
        "file": "clip.mp4",
        "duration": SECONDS,
        "background": "gradient",
        "whole_seconds": True,
        "questions": [question("visual", f"a {name}", seen[name]) for name in SPRITES] +
                     [question("audio", f"someone saying {WORD}", heard), question("absent", "a cat"),
                      question("absent", "someone saying fire")],
        "events": sorted(events),
    }]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    sprites = [(fit(emoji, 160), start, stop, at) for emoji, start, stop, at in SPRITES.values()]
    with tempfile.TemporaryDirectory() as temporary:
        track, heard = soundtrack(speak(WORD, pathlib.Path(temporary)))
        wav = pathlib.Path(temporary) / "sound.wav"
        write_wav(wav, track)
        encoder = encode(wav, folder / "clip.mp4")
        for n in range(SECONDS * FPS):
            encoder.stdin.write(frame(sprites, n))
        encoder.stdin.close()
        if encoder.wait() != 0:
            sys.exit("the encoder failed")
    (folder / "truth.json").write_text(json.dumps(truth(heard), indent=1) + "\n")


main()
