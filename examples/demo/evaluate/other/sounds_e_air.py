"""Half E's music, whistles and birds, and tones for all of it. Called as those of sounds_a.py."""
import numpy as np

from tools import RATE, clock, edges, faust, filtered, midi, noise, place, turned

MUSESCORE, GS = "MuseScore_General.sf3", "FluidR3_GS"


def partials(hz, levels):
    """Tones of level `levels[k - 1]` at k times hz, an array; none near the end of the band."""
    turns = 2 * np.pi * turned(hz)
    return sum(loud * np.sin(k * turns) * (k * hz < 14000) for k, loud in enumerate(levels, 1) if loud)


def steady(hz, seconds):
    return np.full(int(seconds * RATE), hz)


# -- music
def chip_tune(rng, seconds):
    """A games console's four voices: two pulses, a triangle, noise."""
    step, root, minor = rng.uniform(0.11, 0.16), rng.uniform(210, 300), rng.random() < 0.5
    third, chords, at, parts = 3 if minor else 4, rng.choice(((0, 5, 7, 0), (0, -4, 3, -2), (0, 9, 5, 7))), 0, []

    def pulse(hz, length, duty):
        levels = [np.sin(np.pi * k * duty) / k for k in range(1, 12)]
        return edges(partials(steady(hz, length), levels), 0.002, 0.01)

    for i in range(max(10, int(seconds / step))):
        chord = chords[i // 8 % 4]
        note = root * 2 ** ((chord + (0, third, 7, 12)[i % 4]) / 12)
        parts.append((i * step, 0.4 * pulse(note, 0.9 * step, 0.125)))
        if i % 2 == 0 or rng.random() < 0.3:
            at = max(0, min(5, at + rng.choice((-1, 1, 2, -2))))
            tune = 2 * root * 2 ** ((chord + (0, 2, third, 7, 9 - minor, 12)[at]) / 12)
            parts.append((i * step, pulse(tune, step * rng.choice((0.9, 1.6)), 0.5)))
        if i % 4 in (0, 3):
            bass = partials(steady(root / 2 * 2 ** (chord / 12), 1.5 * step), (1, 0, -0.11, 0, 0.04))
            parts.append((i * step, 0.9 * edges(bass, 0.003, 0.02)))
        if i % 4 == 2:
            parts.append((i * step, 0.25 * filtered(noise(rng, 0.06), 2500) * np.exp(-clock(0.06) / 0.015)))
    return place(parts, max(10, int(seconds / step)) * step + 0.1)


GUITAR = 'process=pm.nylonGuitar(nentry("size",0.5,0.1,3,0.001),nentry("spot",0.7,0,1,0.01),1,button("gate"));'


def nylon_strings(rng, seconds):
    """A guitar, picked: Faust's model of its string and body."""
    step, root, third = rng.uniform(0.2, 0.32), rng.uniform(150, 210), rng.choice((3, 4))
    chords, picked, parts = rng.choice(((0, 5, 7, 0), (0, -3, 5, 7))), rng.choice(((0, 2, 3, 2), (0, 3, 2, 1), (0, 1, 2, 3))), []
    for i in range(max(6, int(seconds / step))):
        chord = chords[i // 4 % 4]
        notes = [(chord, chord + 7, chord + 12, chord + 12 + third)[picked[i % 4]]] + [chord - 12] * (i % 4 == 0)
        notes += [chord + 24 + rng.choice((0, 2, 7))] * (i % 2 == 0)
        for note in notes:
            score = [(0, "size", 340 / (root * 2 ** (note / 12))), (0, "spot", rng.uniform(0.5, 0.8)), (0.002, "gate", 1), (0.04, "gate", 0)]
            tone = faust(GUITAR, score, 1.2)
            parts.append((i * step, edges(tone / np.abs(tone).max(), 0.001, 0.3) * rng.uniform(0.6, 1)))
    return edges(place(parts, max(6, int(seconds / step)) * step + 0.25), 0.001, 0.15)


def folk_group(rng, seconds):
    """General MIDI by MuseScore's set: a tune, what goes with it, a drone or a bass."""
    lead, chord_by = rng.choice(((74, 107), (75, (8, 24)), (64, 49), (110, (8, 25)), ((17, 23), 45), (12, 88)))
    beat, root, chords = rng.uniform(0.2, 0.36), rng.randint(57, 63), rng.choice(((0, 7, 9, 5), (0, 5, 0, 7), (0, -2, 5, 0)))
    scale, at, count, events = (0, 2, 4, 5, 7, 9, 11, 12, 14), 4, max(6, int(seconds / beat)), []
    for i in range(count):
        at = max(0, min(8, at + rng.choice((-2, -1, -1, 1, 1, 3))))
        events.append((i * beat, beat * rng.choice((0.95, 0.95, 1.9)), 0, lead, root + 12 + scale[at], rng.randint(88, 112)))
        if i % 4 == 0:
            events += [(i * beat, 3.7 * beat, 1, chord_by, root + chords[i // 4 % 4] + k, 74) for k in (0, 4, 7)]
            events.append((i * beat, 3.7 * beat, 2, 43, root - 24 + chords[i // 4 % 4], 95))
    return midi(events, count * beat + 0.15, MUSESCORE)


# -- a whistle
def jet_and_ball(rng, seconds):
    """A jet that swings by itself (van der Pol's equation) in a chamber where a cork ball runs round."""
    length, hz, spin = rng.uniform(0.3, 0.9), rng.uniform(2200, 3300), rng.uniform(22, 40)
    n = int(length * RATE)
    ball = 2 * np.pi * np.cumsum(spin * (1 + 0.25 * filtered(noise(rng, length), None, 12, 1) * 20)) / RATE
    stiff = (2 * np.sin(np.pi * hz * (1 + 0.03 * np.sin(ball)) / RATE)) ** 2
    push = 0.04 * (0.55 + 0.45 * np.sin(ball + 1))
    wind, x, v, out = 0.02 * noise(rng, length), 0.01, 0.0, np.zeros(n)
    for i in range(n):
        v += -stiff[i] * x + push[i] * (1 - x * x) * v + wind[i]
        x += v
        out[i] = x
    return edges(filtered(out, 900) * (0.7 + 0.3 * np.sin(ball + 1)), 0.012, 0.03)


def two_fingers(rng, seconds):
    """Someone whistles through the teeth, piercingly: a resonance driven until it limits itself, that glides."""
    low = rng.uniform(1200, 1700)
    shape = rng.choice(((1, 1.9, 1.1), (1.6, 1, 1.9), (1, 1.1, 1.75)))
    length = rng.uniform(0.4, 0.9)
    hz = low * np.interp(clock(length) / length, (0, 0.5, 1), shape)
    hz = np.convolve(np.pad(hz, 800, mode="edge"), np.hanning(1602) / np.hanning(1602).sum(), "same")[800:-800]
    turn, air, a, b, out = 2 * np.cos(2 * np.pi * hz / RATE), 0.02 * noise(rng, length), 0.0, 0.0, np.zeros(len(hz))
    for i in range(len(hz)):
        a, b = 1.02 * turn[i] * a - 1.0404 * b + air[i], a
        loud = abs(a) + abs(b)
        if loud > 1.5:  # what the lips let through
            a, b = a * 1.5 / loud, b * 1.5 / loud
        out[i] = a
    return edges(np.tanh(1.3 * filtered(out, 700)) + 0.04 * filtered(air, 1500, 9000), 0.04, 0.06)


def bosun_pipe(rng, seconds):
    """A ship's whistle: a low note, a high note, between them a slur or a warble."""
    low, high = rng.uniform(1900, 2300), rng.uniform(2700, 3200)
    plan = rng.choice(((0, 0, 1, 1, 1), (0, 1, 1, 0), (1, 1, 1, 0, 0)))
    length = rng.uniform(0.5, 1.0)
    blend = np.interp(clock(length) / length, np.linspace(0, 1, len(plan)), plan)
    hz = low + (high - low) * blend + rng.choice((0, 60)) * np.sin(2 * np.pi * 14 * clock(length))
    breath = filtered(noise(rng, length), 1500, 7000)[:len(hz)]
    return edges(partials(hz, (1, 0.12, 0.05)) + 0.08 * breath, 0.03, 0.05)


# -- birdsong
def gestures(rng, seconds):
    """A syrinx: the pressure of the air and the pull of a muscle go round, each syllable by another path."""
    parts, at = [], 0.0
    while at < seconds - 0.2:
        length, middle, reach, late = rng.uniform(0.05, 0.2), rng.uniform(2600, 4600), rng.uniform(0.1, 0.45), rng.uniform(0, 2 * np.pi)
        x = np.linspace(0, 2 * np.pi, int(length * RATE))
        pull, pressure = np.cos(x * rng.choice((0.5, 1, 1, 2)) + late), np.clip(0.3 - np.cos(x), 0, None)
        hz = middle * (1 + reach * pull)
        note = partials(hz, (1, 0)) + 0.25 * np.clip(3500 / hz - 0.9, 0, 1) * np.sin(4 * np.pi * turned(hz))
        for _ in range(rng.randint(1, 4)):
            parts.append((at, note * pressure * rng.uniform(0.7, 1)))
            at += length + rng.uniform(0.0, 0.05)
        at += rng.uniform(0.03, 0.2)
    return place(parts, max(seconds, at))


def falling_song(rng, seconds):
    """A chaffinch: chirps that come faster and lower, and a flourish."""
    hz, every, at, parts = rng.uniform(4300, 5200), rng.uniform(0.13, 0.17), 0.0, []
    for i in range(rng.randint(8, 12)):
        length = 0.55 * every
        x = clock(length) / length
        parts.append((at, partials(hz * (1.25 - 0.5 * x), (1, 0.05)) * np.sin(np.pi * x ** 0.6) * (0.5 + 0.05 * i)))
        at, hz, every = at + every, hz * 0.945, max(0.07, every * 0.94)
    x = clock(0.22) / 0.22
    parts.append((at, partials(hz * (1.1 + 0.55 * np.abs(np.sin(5 * x)) - 0.3 * x), (1, 0.1)) * np.sin(np.pi * x) ** 0.5))
    return place(parts, at + 0.24)


def two_notes(rng, seconds):
    """A great tit: high, low, high, low."""
    high, ratio, each = rng.uniform(4200, 5600), rng.uniform(1.15, 1.4), rng.uniform(0.09, 0.15)
    parts, at = [], 0.0
    for i in range(2 * max(3, round(seconds / 2.6 / each))):
        x = clock(each) / each
        hz = (high, high / ratio)[i % 2] * (1 + 0.04 * x) * (1 + 0.004 * filtered(noise(rng, each), None, 300)[:len(x)])
        parts.append((at, partials(hz, (1, 0.03)) * np.sin(np.pi * x) ** 0.4 * (1, 0.8)[i % 2]))
        at += each + (0.02, rng.uniform(0.04, 0.07))[i % 2]
    return place(parts, at)


def sampled_birds(rng, seconds):
    every = rng.uniform(0.45, 0.6)
    return midi([(i * every, every, 0, (3, 123), rng.randint(58, 70), 118) for i in range(max(2, int(seconds / every)))], max(1.2, seconds), GS)
