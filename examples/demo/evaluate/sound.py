"""The soundtrack of a clip: a few stretches of words and sounds, and what lies under them."""
import math

import numpy as np

from held_out import world
from metrics import close_gaps

RATE = 16000  # the bank's
JOINED_S = 1.5  # stretches of one class that are closer than this are one
APART_S = 0.5  # least time between two stretches
USUAL_RMS = 0.15  # of a word in the bank: what a bed's level refers to
BEDS = ["white", "pink", "brown", "chords"]
UNDECIDED = {"chords": ["music"]}  # what a listener may hear in a bed: neither asked for nor wrong as a highlight


def repeat(wave, longest, rng, seamless=False):
    """The wave again and again with pauses (or without), at most `longest` samples; one that is too long is cut."""
    if len(wave) >= longest:
        cut = wave[:longest].copy()
        fade = min(320, longest)
        cut[-fade:] *= np.linspace(1, 0, fade)
        return cut
    parts, used = [wave], len(wave)
    while True:
        pause = 0 if seamless else round(rng.uniform(0.08, 0.5) * RATE)
        if used + pause + len(wave) > longest:
            return np.concatenate(parts)
        parts += [np.zeros(pause, np.float32), wave]
        used += pause + len(wave)


def chords(n, rng):
    """Something like quiet music: four chords in turn, their notes one after the other."""
    t, track = np.arange(n) / RATE, np.zeros(n)
    beat, root = rng.uniform(0.2, 0.4), rng.uniform(110, 180)
    step = (t / beat).astype(int)
    for note in range(3):
        degrees = np.array([[0, 4, 7], [5, 9, 12], [7, 11, 14], [-3, 0, 4]])[(step // 8) % 4, (step + note) % 3]
        decay = np.exp(-3 * (t % beat)) if note == 0 else 0.3
        track += decay * np.sin(2 * math.pi * np.cumsum(root * 2 ** (degrees / 12)) / RATE * (1 + note))
    return track


def noise(kind, n, rng):
    """White, pink (power falls with the frequency) or brown (with its square) noise."""
    white = np.random.default_rng(rng.getrandbits(32)).normal(size=n)
    if kind == "white":
        return white
    spectrum, frequency = np.fft.rfft(white), np.fft.rfftfreq(n, 1 / RATE)
    return np.fft.irfft(spectrum / np.maximum(frequency, 20) ** (0.5 if kind == "pink" else 1), n)


def bed(kind, n, rng):
    track = chords(n, rng) if kind == "chords" else noise(kind, n, rng)
    return track * (USUAL_RMS * 10 ** (rng.uniform(-30, -15) / 20) / np.sqrt(np.mean(track ** 2)))


class Soundtrack:
    """`track`: samples, None for a file without sound; `heard`: {index in world.HEARD: [(start, stop)]}."""

    def __init__(self, plan, bank, rng, classes=None):
        self.kind = rng.choices(["clean", "bed", "silent", "none"], [44, 44, 6, 6])[0]
        self.bed = rng.choice(BEDS) if self.kind == "bed" else None
        n = round(plan.duration * RATE)
        self.track, self.busy, ranges = np.zeros(n, np.float32), [], {}
        if self.kind in ("clean", "bed"):
            for index in self.pick(plan, bank, rng, classes):
                self.place(plan, bank, rng, index, ranges)
            self.place_distractor(bank, rng)
        self.heard = {index: close_gaps(found, JOINED_S) for index, found in ranges.items()}
        if self.bed:
            self.track = self.track + bed(self.bed, n, rng)
        if self.kind == "none":
            self.track = None

    def may_be_asked(self, name):
        return name not in self.undecided()

    def undecided(self):
        return UNDECIDED.get(self.bed, [])

    def pick(self, plan, bank, rng, classes):
        """Some classes, now and then one of them twice; a word as often as a sound."""
        known = [i for i, name in enumerate(world.HEARD)
                 if (not classes or name in classes) and self.may_be_asked(name) and bank.waves(i)]
        words, sounds = ([i for i in known if (i < len(world.WORDS)) == word] for word in (True, False))
        pools = [pool for pool in (words, sounds) if pool]
        count = rng.randint(0, 1) if plan.duration < 6 else rng.randint(1, 3)
        picked = [rng.choice(rng.choice(pools)) for _ in range(count)] if pools else []
        return picked + picked[:1] if picked and rng.random() < 0.3 else picked

    def place(self, plan, bank, rng, index, ranges):
        longest = rng.uniform(1, max(1, 0.3 * plan.duration))
        seamless = index >= len(world.WORDS) and rng.random() < 0.4  # an engine does not pause
        samples = repeat(bank.wave(rng.choice(bank.waves(index))), round(longest * RATE), rng, seamless)
        start = self.free_start(len(samples), self.start_near(plan, rng), rng)
        if start is None:
            return
        stop = start + len(samples)
        self.track[start:stop] += samples * 10 ** (rng.uniform(-10, 0) / 20)
        self.busy.append((start, stop))
        ranges.setdefault(index, []).append((start / RATE, stop / RATE))

    def place_distractor(self, bank, rng):
        """A word that nobody asks for, spoken once or a few times."""
        waves = bank.waves(-1)
        if not waves or rng.random() < 0.7:
            return
        samples = repeat(bank.wave(rng.choice(waves)), round(rng.uniform(0.8, 2.5) * RATE), rng)
        start = self.free_start(len(samples), None, rng)
        if start is not None:
            self.track[start:start + len(samples)] += samples * 10 ** (rng.uniform(-10, 0) / 20)
            self.busy.append((start, start + len(samples)))

    def start_near(self, plan, rng):
        """Often while something is seen, so that there is something to ask about both; None: anywhere."""
        seen = [interval for thing in plan.things if thing.name for interval in plan.ranges(thing)]
        if not seen or rng.random() < 0.5:
            return None
        start, stop = rng.choice(seen)
        return round(rng.uniform(start - 0.5, max(start, stop - 1.5)) * RATE)

    def free_start(self, n, wish, rng):
        """Where n samples fit between the other stretches; None when no try fits."""
        last, apart = len(self.track) - n, round(APART_S * RATE)
        for attempt in range(30):
            start = wish if attempt == 0 and wish is not None else rng.randint(0, max(0, last))
            if 0 <= start <= last and all(start >= b + apart or start + n + apart <= a for a, b in self.busy):
                return start
        return None
