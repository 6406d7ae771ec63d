"""Music by other models than bank_sounds.py and bank_families.py: instruments that are struck, plucked, bowed, blown or switched, in tunes, riffs,
arpeggios, and chords that stand alone. `music(rng)` draws instruments, key, tempo and form.
"""
import numpy as np
from scipy.signal import lfilter

from bank_bodies import RATE, attack, band, between, chance, doubled, echoing, estranged, hiss, lay, pick, rung, smooth, span, spectrum, swell, through, tone, wander


def timeline(length):
    n = int(length * RATE)
    return n, np.arange(n) / RATE


def electric_keys(rng):
    """One oscillator bends another: keyboards of bells, of tines, of glass; soft or hard."""
    ratio, depth, fall, fade, tine = pick(rng, 1, 1, 2, 3, 0.5, 7, 14), between(rng, 0.2, 4), between(rng, 0.05, 1.5), between(rng, 0.2, 2.5), rng.uniform(0, 0.3)

    def note(hz, length):
        n, t = timeline(length)
        bent = depth * np.exp(-t / fall) * min(1, 1500 / (hz * ratio))
        body = np.sin(2 * np.pi * hz * t + bent * np.sin(2 * np.pi * hz * ratio * t)) * np.exp(-t / fade)
        return (body + tine * np.sin(2 * np.pi * min(7000, hz * 11.7) * t) * np.exp(-t / 0.04)) * swell(n, 0.003, 0.06)
    return note


def held(rng):
    """Organs, reeds, pads: harmonics that stay, with beats between a few pipes, tremolo, and a slow or a quick beginning."""
    colour, apart, shake, rate, rise = spectrum(rng, 16), rng.uniform(0, 0.008), rng.uniform(0, 0.4) * chance(rng, 0.5), rng.uniform(3, 8), between(rng, 0.005, 0.35)
    dull = between(rng, 700, 7000)

    def note(hz, length):
        n, t = timeline(length)
        sound = sum(tone(hz * r, n, colour) for r in (1, 1 + apart, 1 - apart)[:3 if apart > 0.002 else 1])
        return band(sound, None, dull) * (1 + shake * np.sin(2 * np.pi * rate * t)) * swell(n, min(rise, length / 2), min(0.12, length / 3))
    return note


def bowed_or_sung(rng):
    """Harmonics through the formants of a body or a choir, with vibrato that sets in late."""
    centres, widths = np.sort(rng.uniform(250, 3200, 4)), rng.uniform(80, 600, 4)
    levels, slope, depth, rate, rise = rng.uniform(0.2, 1, 4), rng.uniform(0.5, 1.4), rng.uniform(0, 0.015), rng.uniform(4, 7), between(rng, 0.01, 0.25)

    def note(hz, length):
        n, t = timeline(length)
        shaken = hz * (1 + depth * np.clip(t / 0.3, 0, 1) * np.sin(2 * np.pi * rate * t) + 0.002 * wander(rng, n, 10))
        source = tone(shaken, None, np.arange(1, int(min(24, 7000 / hz)) + 1) ** -slope)
        return (through(source, centres, widths, levels) + 0.15 * source) * swell(n, min(rise, length / 2), min(0.1, length / 3))
    return note


def string(rng):
    """A loop of delay that loses its heights: harps, guitars, basses, clavichords; plucked near its end or its middle."""
    keep, dull, place, body = between(rng, 0.985, 0.9995), rng.uniform(0.05, 0.95), rng.uniform(0.05, 0.5), rng.uniform(0, 0.6)
    centres = rng.uniform(90, 900, 3)

    def note(hz, length):
        n, _ = timeline(length)
        delay = max(2, int(RATE / hz - dull * 0.5))
        start = lfilter([1 - dull], [1, -dull], rng.uniform(-1, 1, delay))
        start = start - np.roll(start, max(1, int(place * delay)))
        comb = np.zeros(delay + 2)
        comb[0], comb[delay], comb[delay + 1] = 1, -keep * (1 - dull / 2), -keep * dull / 2
        out = lfilter([1], comb, np.concatenate([start, np.zeros(max(0, n - delay))])[:n])
        return (out + body * through(out, centres, [60] * 3, [1] * 3)) * swell(n, 0.0005, 0.04)
    return note


def bars(rng):
    """Marimbas, vibraphones, music boxes, steel drums, pianos."""
    ratios = np.array(pick(rng, (1, 4, 10.1), (1, 2.76, 5.4), (1, 2, 3.01, 4.2), (1, 3, 6.1), (1, 2, 3, 4.02, 5.05, 6.1, 7.2)))
    levels, fade, motor, depth = rng.uniform(0.1, 1, len(ratios)) / np.arange(1, len(ratios) + 1), between(rng, 0.08, 1.5), rng.uniform(3, 8), rng.uniform(0, 0.5) * chance(rng, 0.3)
    hard, steep = between(rng, 0.0005, 0.01), rng.uniform(0.3, 1.2)

    def note(hz, length):
        n, t = timeline(length + 0.25)
        return attack(rung(hz * ratios, levels, fade / ratios ** steep, n), hard) * (1 + depth * np.sin(2 * np.pi * motor * t)) * swell(n, 0.0005, 0.05)
    return note


def blown(rng):
    """Flutes, clarinets, brass: the colour follows the breath."""
    odd, bright, air, rise, over = chance(rng, 0.4), between(rng, 1, 9), rng.uniform(0, 0.25), between(rng, 0.01, 0.12), rng.uniform(0, 0.5)

    def note(hz, length):
        n, t = timeline(length)
        level = swell(n, min(rise, length / 2), min(0.06, length / 3)) * (1 + over * np.exp(-t / 0.08)) * (1 + 0.1 * wander(rng, n, 5))
        turns = 2 * np.pi * np.cumsum(hz * (1 + 0.003 * wander(rng, n, 9))) / RATE
        sound = sum(level ** (1 + (k - 1) / bright) * np.exp(-k / bright) * np.sin(k * turns) for k in range(1, 16) if k * hz < 7000 and (k % 2 or not odd))
        return sound + air * level * hiss(rng, n, hz * 0.8, min(7500, hz * 4))
    return note


def switched(rng):
    """Squares, saws, pulses with a filter that opens and shuts; games and dance floors."""
    colour, sweep, fade = np.arange(1, 20) ** -rng.uniform(0.5, 1.1), between(rng, 0.05, 0.6), between(rng, 0.1, 1.5)
    colour[1::2] *= rng.uniform(0, 1)

    def note(hz, length):
        n, t = timeline(length)
        full = tone(hz, n, colour)
        shut = band(full, None, min(6000, hz * 2.5))
        return (shut + (full - shut) * np.exp(-t / sweep)) * np.exp(-t / fade) * swell(n, 0.003, 0.02)
    return note


INSTRUMENTS = [electric_keys, electric_keys, held, held, bowed_or_sung, string, string, bars, bars, blown, switched]
SCALES = [(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 1, 4, 5, 7, 8, 10), (0, 2, 4, 6, 8, 10)]


class Key:
    def __init__(self, rng):
        self.scale, self.root = SCALES[rng.integers(len(SCALES))], between(rng, 95, 280)

    def hz(self, degree):
        octave, place = divmod(int(degree), len(self.scale))
        return self.root * 2 ** (octave + self.scale[place] / 12)


def tune(rng, key, play, step, count, low):
    """A walk on the scale with rests and long notes."""
    parts, at, i = [], low + int(rng.integers(0, 6)), 0
    lively = rng.uniform(0.5, 1)
    while i < count:
        length = int(rng.choice([1, 1, 1, 2, 2, 3, 4]))
        if not parts or chance(rng, 0.9):
            parts.append((i * step, play(key.hz(at), length * step * rng.uniform(0.7, 1.15)) * rng.uniform(0.7, 1)))
        at = int(np.clip(at + rng.choice([-4, -2, -1, -1, 0, 1, 1, 2, 3]), low, low + 11))
        i += length if chance(rng, lively) else 1
    return parts


def chords(rng, key, play, step, count, low):
    """Three or four notes, held, broken, or struck again and again."""
    every, form = int(pick(rng, 2, 4, 4, 8)), rng.integers(4)
    stack, parts = [0, 2, 4, *([6] * chance(rng, 0.3)), *([7] * chance(rng, 0.4))], []
    lean = rng.uniform(0, 0.04) * chance(rng, 0.5)
    for i in range(0, count, every):
        base = low + int(rng.choice([0, 3, 4, 5, -2, 1]))
        for j, degree in enumerate(stack):
            if form < 2:
                parts.append((i * step + j * lean, play(key.hz(base + degree), every * step)))
            elif form == 2:
                parts += [(k * step, play(key.hz(base + degree), step * 0.8)) for k in range(i, min(count, i + every))]
        if form == 3:
            parts += [(k * step, play(key.hz(base + stack[(k * int(pick(rng, 1, 2))) % len(stack)]), step * 1.6)) for k in range(i, min(count, i + every))]
    return parts


def riff(rng, key, play, step, count, low):
    """A short figure again and again."""
    figure = [(int(rng.choice([0, 0, 2, 4, 3, 5, 7])), chance(rng, 0.85)) for _ in range(int(pick(rng, 3, 4, 6, 8)))]
    return [(i * step, play(key.hz(low + degree), step * 1.1)) for i in range(count) for degree, on in [figure[i % len(figure)]] if on or i == 0]


FORMS = [(tune,), (tune,), (tune, chords), (tune, chords), (chords,), (chords,), (riff,), (riff, chords), (riff, tune), (tune, tune)]


def music(rng):
    key, step = Key(rng), between(rng, 0.09, 0.5)
    count = max(3, int(rng.uniform(1.2, 3.2) / step))
    parts, low = [], int(rng.integers(0, 11))
    for i, form in enumerate(FORMS[rng.integers(len(FORMS))]):
        play = INSTRUMENTS[rng.integers(len(INSTRUMENTS))](rng)
        layer = form(rng, key, play, step, count, max(0, low - 4 * i))
        loudest = max(np.abs(s).max() for _, s in layer)
        parts += [(at, s / loudest * (1 if i == 0 else rng.uniform(0.3, 0.9))) for at, s in layer]
    first = min(at for at, _ in parts)
    sound = lay([(at - first, s) for at, s in parts], min(3.4, count * step + 0.2 - first))
    return estranged(rng, echoing(rng, sound, (0.1, 0.3), 0.3) if chance(rng, 0.15) else sound)
