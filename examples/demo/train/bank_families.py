"""More of every sound of the world, so that what is learnt is the sound and not a recipe: for every key of world.SOUNDS a function
`family(rng)` that draws all it can at random, over wide ranges: how it is made, its pitch, its colour, its rhythm.

bank_sounds.py has one recipe of each with even steps between its variants; these have none. Returned is float [N] at RATE,
0.1-1.8 s, of any level. rng is numpy's Generator.
"""
import numpy as np
from scipy.signal import lfilter

from bank_sounds import blown, organ, plucked
from bank_tones import RATE, band, lay, noise, ping, seconds, span, swell, tone


def between(rng, low, high):
    """Low to high, evenly in ratios."""
    return span(low, high, rng.random())


def harmonics(rng, most=16):
    """Levels of a random timbre: from a pure tone to a buzz, now and then of odd harmonics alone."""
    count = int(rng.choice([1, 1, 2, 4, 8, most]))
    levels = np.arange(1, count + 1) ** -rng.uniform(0.3, 2.2) * rng.uniform(0.4, 1, count)
    if rng.random() < 0.3:
        levels[1::2] = 0
    levels[0] = max(levels[0], 0.3)
    return levels


def resonance(samples, hz, width):
    r = np.exp(-np.pi * width / RATE)
    return lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * hz / RATE), r * r], samples)


def curve(rng, count, points):
    """A smooth random walk in 0..1 through `points` points."""
    knots = rng.random(points)
    return np.interp(np.linspace(0, points - 1, count), np.arange(points), knots)


def rounded(steps, milliseconds):
    """Without corners."""
    width = max(1, int(milliseconds * RATE / 1000))
    return np.convolve(steps, np.hanning(width + 2) / np.hanning(width + 2).sum(), "same")


def sequence(rng, one, count, every, jitter=0.0, fade=0.0):
    """The same again `count` times."""
    parts = [(max(0.0, i * every + rng.normal(0, jitter) * (i > 0)), one * (1 - fade * rng.random())) for i in range(count)]
    return lay(parts, (count - 1) * every + len(one) / RATE + 0.01)


def beep(rng):
    count, each = rng.integers(1, 6), between(rng, 0.06, 0.7)
    each = min(each, 1.4 / count)
    n, hz = int(each * RATE), between(rng, 380, 3400)
    sound = tone(hz, n, harmonics(rng, 10))
    if rng.random() < 0.2:
        sound = sound + rng.uniform(0.3, 1) * tone(hz * rng.uniform(1.1, 1.9), n)
    if rng.random() < 0.15:
        sound = np.sin(2 * np.pi * hz * seconds(each) + rng.uniform(0.3, 2) * np.sin(2 * np.pi * hz * rng.choice([1, 2, 3]) * seconds(each)))
    sound = sound[:n] * swell(min(n, len(sound)), between(rng, 0.001, 0.02), between(rng, 0.001, 0.03))
    return sequence(rng, sound, count, each + between(rng, 0.03, 0.5) * (0.6 if count > 3 else 1))


def siren(rng):
    duration = rng.uniform(1.2, 1.8)
    t, low, ratio, rate = seconds(duration), between(rng, 280, 900), rng.uniform(1.15, 2.8), between(rng, 0.4, 8)
    phase = (t * rate + rng.random()) % 1
    form = rng.integers(5)
    share = [0.5 - 0.5 * np.cos(2 * np.pi * phase), np.abs(2 * phase - 1), phase, rounded((phase < rng.uniform(0.4, 0.6)) * 1.0, 6),
             np.where(phase < 0.7, 1 - np.exp(-5 * phase), np.exp(-9 * (phase - 0.7)))][form]
    if form == 2:
        share = rounded(share, 8)
    if form == 3:
        ratio = rng.choice([1.19, 1.26, 1.33, 1.5])
    sound = tone(span(low, low * ratio, share), None, harmonics(rng))
    if rng.random() < 0.4:
        sound = resonance(sound, between(rng, 600, 2500), rng.uniform(300, 1500))
    return sound * swell(len(sound), 0.02, 0.04)


def clapping(rng):
    duration = rng.uniform(1.2, 1.8)
    parts, people = [], int(between(rng, 1, 40))
    for _ in range(people):
        every, late, loud = rng.uniform(0.17, 0.4), rng.uniform(0, 0.3), rng.uniform(0.2, 1)
        centre, fade = between(rng, 500, 3500), between(rng, 0.0015, 0.02)
        strike = noise(rng, 0.07) * np.exp(-seconds(0.07) / fade)
        strike = band(strike, centre * rng.uniform(0.4, 0.8), centre * rng.uniform(1.3, 2.5)) if rng.random() < 0.6 else \
            resonance(strike, centre, rng.uniform(150, 1200)) + 0.2 * strike
        spread = rng.uniform(0.003, 0.03)
        parts += [(max(0, at + rng.normal(0, spread)), strike * loud * rng.uniform(0.6, 1)) for at in np.arange(late, duration - 0.08, every)]
    return lay(parts, duration)


MODES = [(0.5, 1, 1.2, 1.5, 2, 2.6, 3, 4), (1, 2.76, 5.4, 8.93), (1, 2, 3, 4.2, 5.4), (1, 1.5, 2, 2.25, 2.9, 4.1), (1, 2.4, 3.9, 6.1), (1, 3, 6.3)]


def strike(rng, hz, duration, ring):
    """A struck bell or bar: modes of a known body, or frequency modulation."""
    t = seconds(duration)
    if rng.random() < 0.3:
        depth, ratio = rng.uniform(1, 8) * np.exp(-t / (ring * rng.uniform(0.2, 1))), rng.choice([1.41, 1.4, 2.76, 3.5, 1.19, 2.4])
        return np.exp(-t / ring) * np.sin(2 * np.pi * hz * t + depth * np.sin(2 * np.pi * hz * ratio * t)) * np.clip(t / 0.001, 0, 1)
    modes = MODES[rng.integers(len(MODES))]
    steep = rng.uniform(0.3, 1.2)
    return sum(rng.uniform(0.3, 1) / (1 + k) ** rng.uniform(0, 0.8) * ping(hz * m * rng.uniform(0.985, 1.015), duration, ring / m ** steep)
               for k, m in enumerate(modes) if hz * m < 7500)


def bell(rng):
    hz, ring = between(rng, 220, 2600), between(rng, 0.15, 0.9)
    form = rng.random()
    if form < 0.25:  # a chime of two or three notes
        step = rng.uniform(0.3, 0.6)
        notes = hz * np.array([1, rng.choice([0.75, 0.8, 0.84, 1.26, 0.67]), 1])[:rng.integers(2, 4)]
        return lay([(i * step, strike(rng, f, 1.0, ring)) for i, f in enumerate(notes)], min(1.8, len(notes) * step + 0.7))
    one = strike(rng, hz, 1.6, ring)
    if form < 0.6:
        return lay([(0, one)], rng.uniform(0.9, 1.7))
    every = between(rng, 0.15, 0.8)
    return lay([(i * every, one * rng.uniform(0.7, 1)) for i in range(int(rng.integers(2, 6)))], 1.7)


def drum(rng):
    """One hit of a drum of some kind."""
    t = seconds(0.3)
    form, hz, fade = rng.integers(5), between(rng, 45, 330), between(rng, 0.03, 0.2)
    if form == 0:
        return tone(hz * (1 + rng.uniform(0.2, 3) * np.exp(-t / rng.uniform(0.008, 0.05)))) * np.exp(-t / fade)
    if form == 1:
        return sum(rng.uniform(0.3, 1) * ping(hz * m, 0.3, fade / m ** 0.7) for m in (1, 1.59, 2.14, 2.3, 2.65, 2.92))
    if form == 2:
        return rng.uniform(0.4, 1) * noise(rng, 0.3, between(rng, 600, 2500)) * np.exp(-t / rng.uniform(0.03, 0.1)) + ping(between(rng, 150, 260), 0.3, 0.05)
    if form == 3:
        return 0.5 * noise(rng, 0.3, between(rng, 3500, 6500)) * np.exp(-t / between(rng, 0.008, 0.12))
    return (ping(hz, 0.3, fade) + 0.5 * noise(rng, 0.3, 200, between(rng, 800, 5000)) * np.exp(-t / rng.uniform(0.003, 0.02)))


def drums(rng):
    step, places = between(rng, 0.08, 0.2), int(rng.choice([4, 8, 8, 16]))
    kit, density = [drum(rng) for _ in range(rng.integers(1, 5))], rng.uniform(0.5, 1)
    pattern = [(int(rng.integers(len(kit))), rng.random() < density) for _ in range(places)]
    count = int(rng.uniform(1.1, 1.7) / step)
    late = rng.uniform(0, 0.25) * (rng.random() < 0.3)
    return lay([((i + late * (i % 2)) * step, kit[which] * rng.uniform(0.6, 1)) for i in range(count) for which, on in [pattern[i % places]] if on or i == 0],
               count * step + 0.15)


def barking(rng):
    hz, size, count = between(rng, 130, 850), rng.uniform(0.65, 1.5), int(rng.integers(1, 5))
    duration, rough = rng.uniform(0.09, 0.3), rng.uniform(0.05, 0.8)
    t = seconds(duration) / duration
    if rng.random() < 0.35:  # a small dog: higher, shorter, and it falls
        hz, duration = between(rng, 500, 1300), rng.uniform(0.06, 0.18)
        t = seconds(duration) / duration
    pitch = hz * (1 + rng.uniform(0.1, 0.8) * np.sin(np.pi * t ** rng.uniform(0.5, 1.5)) - rng.uniform(0, 0.3) * t)
    if rng.random() < 0.4:
        pitch = hz * span(1, rng.uniform(0.4, 0.9), t ** rng.uniform(0.5, 2))
    source = tone(pitch, None, np.arange(1, 24) ** -rng.uniform(0.3, 1.0)) + rough * noise(rng, duration)
    open_up = rng.uniform(0.8, 1.4)
    voice = sum(level * resonance(source, f * size * open_up, w) for f, w, level in
                ((between(rng, 450, 900), 150, 1), (between(rng, 1000, 1900), 250, rng.uniform(0.3, 1)), (between(rng, 2200, 3500), 500, rng.uniform(0.1, 0.5))))
    voice = voice / np.abs(voice).max()
    if rng.random() < 0.5:
        voice = np.tanh(voice * rng.uniform(1, 6))
    one = voice * np.clip(t / rng.uniform(0.03, 0.15), 0, 1) * (1 - t) ** rng.uniform(0.3, 1.5)
    every = duration + between(rng, 0.08, 0.5)
    count = max(1, min(count, int(1.6 / every)))
    return sequence(rng, one, count, every, 0.01, 0.3)


def electric(rng, hz, duration):
    """Frequency modulation, as keyboards do it."""
    t = seconds(duration)
    depth = rng.uniform(0.5, 4) * np.exp(-t / rng.uniform(0.05, 0.5))
    return np.sin(2 * np.pi * hz * t + depth * np.sin(2 * np.pi * hz * rng.choice([1, 2, 3]) * t)) * np.exp(-t / rng.uniform(0.2, 1)) * swell(len(t), 0.005, 0.03)


def bowed(rng, hz, duration):
    t = seconds(duration)
    held = tone(hz * (1 + rng.uniform(0, 0.012) * np.sin(2 * np.pi * rng.uniform(4, 7) * t)), None, np.arange(1, 14) ** -rng.uniform(0.7, 1.4))
    return band(held, None, rng.uniform(1500, 5000)) * swell(len(t), rng.uniform(0.01, 0.08), 0.05)


def keyed(rng, hz, duration):
    return sum(rng.uniform(0.5, 1) / k ** rng.uniform(0.8, 1.6) * ping(hz * k * (1 + 0.0004 * k * k), duration, rng.uniform(0.2, 0.8) / k ** 0.6)
               for k in range(1, 8) if hz * k < 7000)


SCALES = [(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 8, 11)]


def music(rng):
    instruments = [plucked, blown, organ, electric, bowed, keyed]
    play, under = instruments[rng.integers(6)], instruments[rng.integers(6)]
    scale, root, length = SCALES[rng.integers(len(SCALES))], between(rng, 130, 620), between(rng, 0.12, 0.45)
    count, at, parts = max(3, int(1.7 / length)), int(rng.integers(0, 8)), []
    arpeggio = rng.random() < 0.25
    for i in range(count):
        at = (0, 2, 4, 7, 4, 2)[i % 6] if arpeggio else int(np.clip(at + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4]), 0, 9))
        hz = root * 2 ** ((scale[at % len(scale)] + 12 * (at // len(scale))) / 12)
        parts.append((i * length, play(rng, hz, length * rng.uniform(0.9, 1.5))))
    if rng.random() < 0.6:  # chords or a bass
        every, notes = int(rng.choice([2, 4])), [(0, 4), (0, 2, 4), (0,)][rng.integers(3)]
        for i in range(0, count, every):
            shift = int(rng.choice([0, 3, 4, 5]))
            parts += [(i * length, rng.uniform(0.2, 0.7) * under(rng, root / 2 * 2 ** (scale[(n + shift) % len(scale)] / 12), every * length)) for n in notes]
    return lay(parts, min(count * length, 1.8))


def whistle(rng):
    if rng.random() < 0.45:  # with a pea or without
        duration, hz = between(rng, 0.25, 1.3), between(rng, 1800, 4000)
        t = seconds(duration)
        rattle = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(15, 60) * t + rng.uniform(0, 3) * np.sin(2 * np.pi * 7 * t))
        rattle = 1 - rng.choice([0, rng.uniform(0.3, 1)], p=[0.2, 0.8]) * rattle
        apart = rng.uniform(1.02, 1.2)
        sound = (tone(hz * (1 + 0.02 * rattle)) + rng.uniform(0, 0.9) * tone(hz * apart * (1 + 0.02 * rattle))) * rattle
        return (sound + rng.uniform(0, 0.5) * noise(rng, duration, hz * 0.7, min(7900, hz * 1.5))) * swell(len(t), 0.01, 0.03)
    duration, low = rng.uniform(0.35, 1.5), between(rng, 650, 2300)
    n = int(duration * RATE)
    glide = rounded(curve(rng, n, int(rng.integers(2, 6))), rng.uniform(20, 150))
    if rng.random() < 0.3:  # steps of a tune
        glide = rounded(np.repeat(rng.random(6), n // 6 + 1)[:n], 25)
    hz = span(low, low * rng.uniform(1.2, 2.2), glide) * (1 + rng.uniform(0, 0.015) * np.sin(2 * np.pi * rng.uniform(4, 7) * seconds(duration))[:n])
    sound = tone(hz, None, (1, rng.uniform(0, 0.15), rng.uniform(0, 0.05))) + rng.uniform(0, 0.15) * noise(rng, duration, low, min(7900, low * 2.5))[:n]
    return sound * swell(n, rng.uniform(0.02, 0.1), 0.06)


def knocking(rng):
    hz, modes = between(rng, 70, 650), 1 + np.cumsum(rng.uniform(0.3, 2.2, rng.integers(1, 6)))
    fade, length = between(rng, 0.006, 0.06), 0.2
    one = ping(hz, length, fade) + sum(rng.uniform(0.2, 0.9) * ping(hz * m, length, fade / m ** 0.5) for m in modes if hz * m < 6000)
    click = noise(rng, length, 150, between(rng, 900, 6000)) * np.exp(-seconds(length) / between(rng, 0.001, 0.012))
    one = one + rng.uniform(0, 1.2) * click
    count, every = int(rng.integers(2, 7)), between(rng, 0.1, 0.38)
    return sequence(rng, one, min(count, max(2, int(1.5 / every))), every, 0.008, 0.4)


def ringing(rng):
    duration, form = rng.uniform(0.8, 1.7), rng.random()
    t = seconds(duration)
    if form < 0.35:  # a hammer between two bells, or on one
        hz, rate = between(rng, 700, 2100), rng.uniform(11, 32)
        strokes = [strike(rng, f, 0.4, rng.uniform(0.05, 0.2)) for f in (hz, hz * rng.uniform(1, 1.35))]
        return lay([(i / rate, strokes[i % 2]) for i in range(int((duration - 0.15) * rate))], duration)
    if form < 0.75:  # electronic: two or three notes in quick turn, in bursts
        notes = between(rng, 550, 1900) * np.cumprod([1, rng.uniform(1.06, 1.6), rng.uniform(0.8, 1.3)])[:rng.integers(2, 4)]
        hz = notes[(t * rng.uniform(10, 45)).astype(int) % len(notes)]
        bursts = rng.choice([1, 1, 2, 3])
        gate = rounded(((t / duration * bursts) % 1 < rng.uniform(0.6, 0.95)) * 1.0, 8)
        return tone(hz, None, harmonics(rng, 8)) * gate * swell(len(t), 0.005, 0.01)
    if form < 0.85:  # a tone that flutters
        return tone(between(rng, 380, 1500), len(t), harmonics(rng, 6)) * (0.5 + 0.5 * np.sign(np.sin(2 * np.pi * rng.uniform(15, 30) * t))) * swell(len(t))
    step, hz = rng.uniform(0.06, 0.13), between(rng, 550, 1400)  # a run of notes, again and again
    run = hz * 2 ** (rng.choice([0, 4, 7, 12, 16, 5, 9], int(rng.integers(3, 7))) / 12)
    return lay([(i * step, strike(rng, run[i % len(run)], 0.25, rng.uniform(0.04, 0.12))) for i in range(int(duration / step))], duration + 0.1)


def birdsong(rng):
    duration, start, parts = rng.uniform(0.9, 1.8), 0.0, []
    low, calls = between(rng, 1700, 4600), int(rng.integers(1, 4))
    kinds = []
    for _ in range(calls):
        length = between(rng, 0.03, 0.22)
        n = int(length * RATE)
        hz = span(low, min(7000, low * rng.uniform(1.1, 2.0)), rounded(curve(rng, n, int(rng.integers(2, 7))), 4))
        hz = hz * (1 + rng.uniform(0, 0.08) * np.sin(2 * np.pi * rng.uniform(20, 90) * np.arange(n) / RATE))
        shape = np.sin(np.pi * np.arange(n) / n) ** rng.uniform(0.4, 2)
        kinds.append(tone(hz, None, (1, rng.uniform(0, 0.3), rng.uniform(0, 0.1))) * shape)
    while start < duration - 0.25:
        call = kinds[rng.integers(calls)]
        pause = between(rng, 0.008, 0.08)
        for _ in range(rng.integers(1, 9)):
            parts.append((start, call * rng.uniform(0.6, 1)))
            start += len(call) / RATE + pause
            if start > duration - 0.2:
                break
        start += between(rng, 0.03, 0.3)
    return lay(parts, duration)


def ticking(rng):
    every, hz = between(rng, 0.14, 0.9), between(rng, 800, 6000)

    def tick(hz):
        body = noise(rng, 0.06) * np.exp(-seconds(0.06) / between(rng, 0.0003, 0.003))
        body = resonance(body, hz, between(rng, 60, 1500)) if rng.random() < 0.5 else band(body, hz * 0.6, min(7900, hz * 1.6))
        body = body / np.abs(body).max()
        return body + rng.uniform(0, 1) * ping(hz * rng.uniform(0.5, 1.5), 0.06, between(rng, 0.001, 0.012))

    first, lower = tick(hz), rng.uniform(0.6, 1)
    second = first if rng.random() < 0.4 else tick(hz * lower)
    count, softer, echo = max(2, int(1.7 / every)), rng.uniform(0.5, 1), rng.uniform(0.01, 0.05)
    parts = [(i * every, (first, second * softer)[i % 2]) for i in range(count)]
    if rng.random() < 0.4:
        parts += [(at + echo, 0.3 * s) for at, s in parts]
    return lay(parts, (count - 1) * every + 0.12)


def horn(rng):
    hz, notes = between(rng, 140, 600), np.array([1, rng.choice([1.12, 1.19, 1.2, 1.25, 1.26, 1.33, 1.5]), 1.5])[:rng.choice([1, 2, 2, 2, 3])]
    levels = np.arange(1, 22) ** -rng.uniform(0.2, 1.2) * rng.uniform(0.5, 1.2, 21)
    lengths = [(between(rng, 0.3, 1.5),), (rng.uniform(0.1, 0.25), rng.uniform(0.2, 0.8)), (rng.uniform(0.12, 0.4),) * 2, (0.15, 0.15, 0.5)][rng.integers(4)]
    formant, start, parts, pause = between(rng, 500, 2600), 0.0, [], rng.uniform(0.05, 0.2)
    blown_through = rng.random() < 0.6
    for length in lengths:
        n = int(length * RATE)
        note = sum(tone(hz * r, n, levels) for r in notes)
        note = resonance(note, formant, rng.uniform(300, 1500)) + 0.1 * note / 10 if blown_through else note
        parts.append((start, note * swell(n, rng.uniform(0.005, 0.03), rng.uniform(0.01, 0.05))))
        start += length + pause
    return lay(parts, start - pause + 0.01)


def explosion(rng):
    duration = rng.uniform(1.0, 1.8)
    t, raw = seconds(duration), rng.standard_normal(int(duration * RATE))
    slow, edge = between(rng, 0.4, 1.8), between(rng, 2500, 7000)
    layers = [(edge, between(rng, 0.01, 0.08), rng.uniform(0, 1.2)), (1800, 0.1 * slow, rng.uniform(0.5, 2)), (600, 0.22 * slow, rng.uniform(1.5, 4)),
              (200, 0.35 * slow, rng.uniform(2, 8))]
    boom = sum(level * band(raw, 0, high) * np.exp(-t / fade) for high, fade, level in layers)
    sub = tone(between(rng, 35, 110) * (0.5 + np.exp(-t / rng.uniform(0.05, 0.2)))) * np.exp(-t / (0.25 * slow))
    sound = np.tanh(rng.uniform(0.3, 2.5) * (boom + rng.uniform(0, 2) * sub))
    if rng.random() < 0.3:  # a second one
        sound = lay([(0, sound), (rng.uniform(0.15, 0.6), 0.8 * sound)], duration)
    debris = [(rng.uniform(0.1, duration - 0.1), noise(rng, 0.02, 600, 6000) * rng.uniform(0, 0.3) * np.hanning(320)) for _ in range(rng.integers(0, 25))]
    return (sound * swell(len(sound), 0.002, 0.2))[:len(t)] + lay(debris, duration)


def engine(rng):
    duration = rng.uniform(1.1, 1.8)
    n = int(duration * RATE)
    rev = [np.ones(n) * (1 + rng.uniform(0, 0.06) * np.sin(2 * np.pi * rng.uniform(0.5, 4) * seconds(duration))[:n]),
           span(1, rng.uniform(1.3, 4.5), rounded(curve(rng, n, 3), 200)), span(1, rng.uniform(1.2, 4), np.linspace(0, 1, n)[::rng.choice([1, -1])])][rng.integers(3)]
    firing = between(rng, 14, 95) * rev
    if rng.random() < 0.5:  # every stroke by itself
        strength = 1 - rng.uniform(0.1, 0.85) * rng.random(int(rng.choice([1, 2, 4, 6])))
        pipe = sum(rng.uniform(0.3, 1) * ping(between(rng, *f), 0.08, between(rng, 0.002, 0.02)) for f in ((60, 180), (150, 500), (400, 1800)))
        blows = np.zeros(n)
        marks = np.flatnonzero(np.diff(np.floor(np.cumsum(firing) / RATE)) > 0)
        blows[marks] = strength[np.arange(len(marks)) % len(strength)] * (1 + 0.15 * rng.standard_normal(len(marks)))
        sound = np.convolve(blows, pipe)[:n]
    else:  # a hum of harmonics, and of half the pitch
        limp = 1 + rng.uniform(0.1, 0.9) * np.sin(2 * np.pi * np.cumsum(firing / rng.choice([2, 4])) / RATE)
        sound = tone(firing, None, np.arange(1, 30) ** -rng.uniform(0.4, 1.3) * rng.uniform(0.3, 1, 29)) * limp
        sound = band(sound, None, between(rng, 400, 3000))
    sound = sound / np.abs(sound).max()
    throb = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(firing / rng.choice([1, 2])) / RATE)
    rumble = noise(rng, duration, 40, between(rng, 200, 2500))[:n]
    return (sound + rng.uniform(0, 0.5) * rumble / np.abs(rumble).max() * throb) * swell(n, 0.03, 0.03)


FAMILIES = {"a beep": beep, "a siren": siren, "clapping": clapping, "a bell": bell, "drums": drums, "barking": barking,
            "music": music, "a whistle": whistle, "knocking": knocking, "ringing": ringing, "birdsong": birdsong,
            "ticking": ticking, "a horn": horn, "an explosion": explosion, "an engine": engine}
