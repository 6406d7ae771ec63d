"""The sound of a clip: words and sounds in one of several rhythms, a room, a bed, a level."""
import tempfile
import wave

import numpy as np

import sounds_a
import sounds_b
import sounds_c
import speech
from tools import RATE, csound, filtered, fit, level, midi, place, read, run, trim, world

FAMILIES = {"A": sounds_a.FAMILIES, "B": sounds_b.FAMILIES, "C": sounds_c.FAMILIES}
JOINED_S = 1.5  # as the model's: stretches that are closer than this are one
RHYTHMS = {"again": 45, "slow": 15, "apart": 25, "once": 15}
# What may be heard in a bed, and what one sound may well be called besides: neither asked for nor wrong.
BED_IS_LIKE = {"music": {"music"}, "street": {"an engine"}}
IS_LIKE = {"ringing": {"a bell", "a beep", "music"}, "drums": {"music"}, "music": {"drums"}, "a bell": {"ringing"}, "a beep": {"ringing"}}


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def starts(rhythm, length, lasting, room, rng):
    """When takes of `length` seconds begin. No pause is near the border of a stretch: whether it is one or two is for nobody to guess."""
    found, at = [], 0.0
    if rhythm in ("again", "slow"):
        while not found or at + length <= max(1.2, lasting):
            found.append(at)
            at += length + (rng.uniform(0.05, 0.6) if rhythm == "again" else rng.uniform(0.6, 1.25))
        return found
    for _ in range(1 if rhythm == "once" else rng.choice((2, 2, 3))):
        for _ in range(rng.choice((1, 2, 3) if length < 0.9 else (1, 1, 2))):
            if found and at + length > room:
                return found
            found.append(at)
            at += length + rng.uniform(0.05, 0.4)
        at += rng.uniform(1.9, 7)
    return found


def performance(name, half, rng, room):
    """-> start times of the takes, a take's samples, and what it is made of"""
    rhythm = rng.choices(list(RHYTHMS), RHYTHMS.values())[0]
    lasting = rng.uniform(1.2, max(1.3, min(6, 0.5 * room)))
    if name.startswith("saying "):
        family, one = speech.say(half, name[7:], rng)
    else:
        recipe = rng.choice(FAMILIES[half][name])
        family, one = recipe.__name__, trim(recipe(rng, min(lasting, rng.uniform(0.8, 3))))
    return starts(rhythm, len(one) / RATE, lasting, room, rng), level(one), {"family": family, "rhythm": rhythm}


def joined(ranges):
    found = []
    for start, stop in sorted(ranges):
        if found and start - found[-1][1] < JOINED_S:
            found[-1][1] = max(stop, found[-1][1])
        else:
            found.append([start, stop])
    return [tuple(r) for r in found]


def street(rng, seconds):
    """Traffic behind a window: rumble that swells and falls, now and then a hiss of tyres."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(size=int(seconds * RATE))
    t = np.arange(len(noise)) / RATE
    swell = sum(np.exp(-((t - rng.uniform(0, seconds)) / rng.uniform(1, 3)) ** 2) for _ in range(2 + int(seconds / 6)))
    return filtered(noise, 40, 250) * 4 * (0.4 + swell) + filtered(noise[::-1], 500, 3000) * 0.5 * swell ** 2


def quiet_music(rng, seconds):
    program, beat, root = rng.choice((0, 4, 25, 48, 89)), rng.uniform(0.35, 0.7), rng.randint(48, 58)
    events = []
    for i in range(int(seconds / beat)):
        chord = (0, 5, 9, 7)[i // 4 % 4]
        events.append((i * beat, 1.5 * beat, 0, program, root + 12 + chord + (0, 7, 4, 12)[i % 4], 80))
        if i % 4 == 0:
            events.append((i * beat, 4 * beat, 1, 33, root - 12 + chord, 80))
    return midi(events, seconds)


def hiss(rng, seconds):
    colour = rng.choice(("white", "pink", "brown"))
    with tempfile.TemporaryDirectory() as folder:
        run(["sox", "-n", "-r", RATE, "-c", 1, f"{folder}/n.wav", "synth", f"{seconds:.2f}", f"{colour}noise"])
        return fit(read(f"{folder}/n.wav"), seconds)


BEDS = {"hiss": hiss, "street": street, "music": quiet_music}


def in_a_hall(samples, rng):
    """Half A: sox's reverberator."""
    with tempfile.TemporaryDirectory() as folder:
        write_wav(f"{folder}/dry.wav", 0.5 * samples)
        run(["sox", f"{folder}/dry.wav", f"{folder}/wet.wav", "reverb", rng.randint(15, 60), rng.randint(20, 70), rng.randint(20, 100),
             100, rng.randint(0, 20), rng.choice((-3, 0))])
        return 2 * fit(read(f"{folder}/wet.wav"), len(samples) / RATE)


def in_a_box(samples, rng):
    """Half B: image sources of a room with six walls, by the first few hundred echoes."""
    size, absorb = [rng.uniform(2.5, 9) for _ in range(3)], rng.uniform(0.25, 0.6)
    here, there = ([rng.uniform(0.2, 0.8) * s for s in size] for _ in range(2))
    response = np.zeros(int(0.6 * RATE))
    for x in range(-5, 6):
        for y in range(-5, 6):
            for z in range(-3, 4):
                at = [(n * s + (p if n % 2 == 0 else s - p)) for n, s, p in zip((x, y, z), size, there)]
                far = np.sqrt(sum((a - b) ** 2 for a, b in zip(at, here)))
                place_in = int(far / 343 * RATE)
                if place_in < len(response):
                    sign = rng.choice((1, 1, -1) if (x, y, z) != (0, 0, 0) else (1,))
                    response[place_in] += sign * (1 - absorb) ** (abs(x) + abs(y) + abs(z)) / max(0.5, far)
    first = np.flatnonzero(response)[0]
    response = response[first:] / np.abs(response[first])
    n = len(samples) + len(response)
    return np.fft.irfft(np.fft.rfft(samples, n) * np.fft.rfft(response, n), n)[:len(samples)]


def in_a_tank(samples, rng):
    """Half C: Csound's network of delays."""
    with tempfile.TemporaryDirectory() as folder:
        write_wav(f"{folder}/dry.wav", 0.5 * samples)
        play = (f'a1 diskin2 "{folder}/dry.wav", 1\naw, ax reverbsc a1, a1, {rng.uniform(0.35, 0.85):.3f}, {rng.uniform(1800, 9000):.0f}\n'
                f"out a1+{10 ** rng.uniform(-1.0, 0.0):.3f}*aw")
        return 2 * fit(csound(play, f"i1 0 {len(samples) / RATE}", rng), len(samples) / RATE)


ROOMS = {"A": in_a_hall, "B": in_a_box, "C": in_a_tank}


class Soundtrack:
    """`track`: samples at RATE or None; `heard`: {name: ranges}; `about`: {name: family, rhythm ...}"""

    def __init__(self, half, duration, rng):
        self.half, self.duration, self.rng = half, duration, rng
        self.heard, self.about, self.busy, self.like, self.levels = {}, {}, [], set(), []
        self.kind = rng.choices(["sound", "silent", "none"], [92, 4, 4])[0]
        self.bed = rng.choices([None, "hiss", "street", "music"], [35, 25, 20, 20])[0]
        self.room = rng.random() < 0.4
        self.track = np.zeros(int(duration * RATE))
        if self.kind == "sound":
            for name in self.names():
                self.perform(name)
            self.finish()
        else:
            self.bed, self.room = None, False
        if self.kind == "none":
            self.track = None

    def names(self):
        self.like |= BED_IS_LIKE.get(self.bed, set())
        words = [f"saying {word}" for word in self.rng.sample(world.WORDS, 2)]
        sounds = self.rng.sample([s for s in world.SOUNDS if s not in self.like], 2)
        names = words + sounds if self.duration > 25 else self.rng.choice((words[:1] + sounds, words + sounds[:1]))
        return names if self.duration > 12 else names[:2] if self.rng.random() < 0.5 else names[-2:]

    def perform(self, name):
        if name in self.like:
            return
        times, one, about = performance(name, self.half, self.rng, 0.6 * self.duration)
        spans = [(at, at + len(one) / RATE) for at in times]
        start, together = self.find_start(spans, name)
        if start is None:
            return
        gain = 10 ** (self.rng.uniform(-18, 0) / 20)
        self.levels.append(gain * np.sqrt(np.mean(one ** 2)))
        self.track += place([(start + at, one * gain) for at in times], self.duration)
        self.heard[name] = joined((start + a, start + b) for a, b in spans)
        self.busy += [(start + a, start + b, name) for a, b in joined(spans)]
        self.about[name] = {**about, "together": together}
        self.like |= IS_LIKE.get(name, set())

    def find_start(self, spans, name):
        """Now and then over another sound, never a word over a word; elsewhere half a second apart."""
        last = self.duration - max(b for _, b in spans) - 0.05
        over, word = self.rng.random() < 0.3, name.startswith("saying ")
        for _ in range(60):
            start = self.rng.uniform(0.05, last) if last > 0.05 else -1
            if start < 0:
                return None, False
            meets = [other for a, b in spans for c, d, other in self.busy if start + a - 0.5 < d and c - 0.5 < start + b]
            if not meets or over and not (word and any(m.startswith("saying ") for m in meets)):
                return start, bool(meets)
        return None, False

    def finish(self):
        rng = self.rng
        if self.room:
            self.track = ROOMS[self.half](self.track, rng)
        if self.bed:
            bed = BEDS[self.bed](rng, self.duration)
            below = 10 ** (-rng.uniform(8, 28) / 20)  # of the quietest word or sound
            self.track = self.track + fit(bed, self.duration) * (below * min(self.levels, default=0.1) / max(1e-6, np.sqrt(np.mean(bed ** 2))))
        self.gain = rng.uniform(-12, 0)
        self.track = level(self.track, 0.95 * 10 ** (self.gain / 20)) if np.abs(self.track).max() > 0 else self.track

