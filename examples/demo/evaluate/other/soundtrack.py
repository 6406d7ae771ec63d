"""The sound of a clip: words and sounds in one of several rhythms, a room, a bed, a level."""
import tempfile
import wave

import numpy as np

import sounds_a
import sounds_b
import sounds_c
import sounds_d
import sounds_e
import speech
from beds import BEDS_OF
from tools import RATE, csound, filtered, fit, level, place, read, run, trim, world

FAMILIES = {"A": sounds_a.FAMILIES, "B": sounds_b.FAMILIES, "C": sounds_c.FAMILIES, "D": sounds_d.FAMILIES,
            "E": sounds_e.FAMILIES}
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


def fewest(items, dealt, rng):
    """What was heard least so far first, equals by lot."""
    return sorted(items, key=lambda item: (dealt[getattr(item, "__name__", item)], rng.random()))


def performance(name, half, rng, room, dealt):
    """-> start times of the takes, a take's samples, and what it is made of"""
    rhythm = rng.choices(list(RHYTHMS), RHYTHMS.values())[0]
    lasting = rng.uniform(1.2, max(1.3, min(6, 0.5 * room)))
    if name.startswith("saying "):
        family, one = speech.say(half, name[7:], rng)
    else:
        families = FAMILIES[half][name]
        recipe = rng.choice(families) if dealt is None else fewest(families, dealt, rng)[0]
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


def in_a_stairwell(samples, rng):
    """Half D: a few early echoes, then noise whose high tones die sooner."""
    draw, last = np.random.default_rng(rng.getrandbits(32)), rng.uniform(0.25, 1.1)
    t = np.arange(int(last * RATE)) / RATE
    noise = draw.normal(size=len(t))
    late = sum(filtered(noise, low, high) * 10 ** (-3 * t / (last * share)) for low, high, share in ((None, 500, 1), (500, 2500, 0.8), (2500, None, 0.45)))
    response = late * np.clip((t - 0.02) / 0.02, 0, 1)
    response *= 10 ** (-rng.uniform(6, 16) / 20) / np.sqrt(np.sum(response ** 2))
    for at in draw.uniform(0.004, 0.05, 7):
        response[int(at * RATE)] += 0.35 * draw.choice((-1, 1)) * np.exp(-at / 0.03)
    response[0] = 1
    n = len(samples) + len(response)
    return np.fft.irfft(np.fft.rfft(samples, n) * np.fft.rfft(response, n), n)[:len(samples)]


def in_a_network(samples, rng):
    """Half E: eight delays that feed each other through a Householder matrix; what comes back is duller each time."""
    last, dull = rng.uniform(0.25, 1.0), rng.uniform(0.15, 0.6)
    delays = [int(rng.uniform(0.011, 0.047) * RATE) for _ in range(8)]
    lines, state = [np.zeros(d) for d in delays], np.zeros(8)
    keep = np.array([10 ** (-3 * d / RATE / last) for d in delays])
    response = np.zeros(int(1.2 * last * RATE))
    for n in range(len(response)):
        ends = np.array([line[n % d] for line, d in zip(lines, delays)])
        response[n] = ends.sum()
        state = (1 - dull) * ends * keep + dull * state
        back = state - 0.25 * state.sum() + (n == 0)
        for line, d, value in zip(lines, delays, back):
            line[n % d] = value
    response *= 10 ** (-rng.uniform(5, 15) / 20) / np.sqrt(np.sum(response ** 2))
    response[0] = 1
    n = len(samples) + len(response)
    return np.fft.irfft(np.fft.rfft(samples, n) * np.fft.rfft(response, n), n)[:len(samples)]


ROOMS = {"A": in_a_hall, "B": in_a_box, "C": in_a_tank, "D": in_a_stairwell, "E": in_a_network}


class Soundtrack:
    """`track`: samples at RATE or None; `heard`: {name: ranges}; `about`: {name: family, rhythm ...}

    `dealt` counts what the clips before have, so that every kind and every family gets its turn; None where lots decide.
    """

    def __init__(self, half, duration, rng, dealt=None):
        self.half, self.duration, self.rng, self.dealt = half, duration, rng, dealt
        self.heard, self.about, self.busy, self.like, self.loud = {}, {}, [], set(), {}
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
        possible = [s for s in world.SOUNDS if s not in self.like]
        sounds = self.rng.sample(possible, 2) if self.dealt is None else fewest(possible, self.dealt, self.rng)[:2]
        names = words + sounds if self.duration > 25 else self.rng.choice((words[:1] + sounds, words + sounds[:1]))
        return names if self.duration > 12 else names[:2] if self.rng.random() < 0.5 else names[-2:]

    def perform(self, name):
        if name in self.like:
            return
        times, one, about = performance(name, self.half, self.rng, 0.6 * self.duration, self.dealt)
        spans = [(at, at + len(one) / RATE) for at in times]
        start, met = self.find_start(spans, name)
        if start is None:
            return
        gain, loud = 10 ** (self.rng.uniform(-18, 0) / 20), np.sqrt(np.mean(one ** 2))
        if met and self.dealt is not None:
            gain = self.audible(gain, loud, met)
        self.loud[name] = gain * loud
        self.track += place([(start + at, one * gain) for at in times], self.duration)
        self.heard[name] = joined((start + a, start + b) for a, b in spans)
        self.busy += [(start + a, start + b, name) for a, b in joined(spans)]
        self.about[name] = {**about, "together": bool(met)}
        if self.dealt is not None:
            self.dealt.update((name, about["family"]))
        self.like |= IS_LIKE.get(name, set())

    def audible(self, gain, loud, met):
        """Halves D and E: within 8 dB of what sounds at the same time, so that neither hides the other."""
        others = [self.loud[name] for name in met]
        return min(max(gain, max(others) / 2.5 / loud), min(others) * 2.5 / loud)

    def find_start(self, spans, name):
        """Now and then over another sound, never a word over a word; elsewhere half a second apart."""
        last = self.duration - max(b for _, b in spans) - 0.05
        over, word = self.rng.random() < 0.3, name.startswith("saying ")
        for _ in range(60):
            start = self.rng.uniform(0.05, last) if last > 0.05 else -1
            if start < 0:
                return None, []
            meets = [other for a, b in spans for c, d, other in self.busy if start + a - 0.5 < d and c - 0.5 < start + b]
            if not meets or over and not (word and any(m.startswith("saying ") for m in meets)):
                return start, meets
        return None, []

    def finish(self):
        rng = self.rng
        if self.room:
            self.track = ROOMS[self.half](self.track, rng)
        if self.bed:
            bed = BEDS_OF[self.half][self.bed](rng, self.duration)
            below = 10 ** (-rng.uniform(8, 28) / 20)  # of the quietest word or sound
            self.track = self.track + fit(bed, self.duration) * (below * min(self.loud.values(), default=0.1) / max(1e-6, np.sqrt(np.mean(bed ** 2))))
        self.gain = rng.uniform(-12, 0)
        self.track = level(self.track, 0.95 * 10 ** (self.gain / 20)) if np.abs(self.track).max() > 0 else self.track

